import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { READ_ALL } from '../../fakes/aws/start-aws-fakes.ts';
import { openCluster } from '../cluster/cluster.ts';
import { FRESH_WITHIN_MS, INTERVAL_MS, ALL_FEATURES } from '../provider/facts.ts';
import { textsIn, volumeOnNode } from '../provider/node-volume.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { PROVIDER_NAMESPACE } from '../provider/release.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

const PATIENCE = { timeout: 40_000, interval: 100 };
/** For so long calls of AWS are counted. */
const WINDOW_MS = 2 * INTERVAL_MS;
const BATCH = 'secretsmanager:BatchGetSecretValue';

const cluster = await openCluster();

describe.runIf(cluster.owned)('rotation by the provider', () => {
  let scenario: Scenario;
  let roles: Readonly<Record<string, string>>;

  beforeAll(async () => {
    scenario = await openScenario(cluster, 'own-rotation');
    const batching = [{ ...READ_ALL, actions: [...READ_ALL.actions, BATCH] }];
    roles = { app: scenario.appRole, batching: await scenario.addServiceAccount('batching', batching) };
  });

  afterAll(async () => {
    await scenario[Symbol.asyncDispose]();
    await cluster.restartDriver();
  });

  /** What a service account has asked AWS's stores so far, a word a call. */
  function askedBy(account: string): readonly string[] {
    const calls = scenario.aws.gate.state.calls.filter(
      ({ role, service }) => role === roles[account] && service !== 'sts',
    );
    return calls.map(({ action }) => action.replace(/^.*:/, ''));
  }

  /** Calls of the driver for this scenario that were answered so far. */
  async function mountCalls(): Promise<number> {
    const selector = '--selector=app.kubernetes.io/instance=aws-secrets-csi-all-features';
    const log = await cluster.kubectl(['logs', `--namespace=${PROVIDER_NAMESPACE}`, selector, '--tail=-1']);
    const ours = `"namespace":"${scenario.namespace}"`;
    return log.split('\n').filter((line) => line.includes(ours) && line.includes('"msg":"mount served"')).length;
  }

  test.for([
    ['off', { rotation: false }],
    ['on', {}],
  ] as const)(
    "every pod has a new value within the interval and five seconds, with the driver's rotation %s",
    async ([title, options], { expect }) => {
      await cluster.restartDriver(options);
      await scenario.kubectl('delete', 'pods', '--all');
      const [changing, unchanged] = [`changing-${title}`, `unchanged-${title}`];
      const [db, url, still] = [`db-${title}`, `/url/${title}`, `still-${title}`];
      await scenario.seed.secret(db, login('p1'));
      await scenario.seed.parameter(url, 'https://one.example');
      await scenario.seed.secret(still, 'still');
      const jmesPath = [{ path: 'password', objectAlias: 'password', filePermission: '0400' }];
      const secret = { objectName: db, objectType: 'secretsmanager', objectAlias: 'db', jmesPath };
      const parameter = { objectName: url, objectType: 'ssmparameter', objectAlias: 'url' };
      const other = { objectName: still, objectType: 'secretsmanager', objectAlias: 'still' };
      await scenario.apply(
        secretProviderClass(changing, [secret, parameter, other], { provider: ALL_FEATURES }),
        secretProviderClass(unchanged, [other], { provider: ALL_FEATURES }),
      );
      const pods = Object.keys(roles).flatMap((serviceAccount) =>
        ['one', 'two'].map((which) => ({ name: `${serviceAccount}-${which}-${title}`, serviceAccount })),
      );
      const first = `app-one-${title}`;
      await scenario.startPods(
        ...pods.map(({ name, serviceAccount }) =>
          scenario.pod(name, { classes: [changing, unchanged], serviceAccount }),
        ),
      );
      const volumes = await Promise.all(pods.map(({ name }) => volumeOnNode(cluster, scenario, name, changing)));
      const before = await scenario.filesOf(first, changing);
      const traceBefore = await traceOf(first, unchanged);
      const mountsBefore = await mountCalls();
      const askedBefore = { app: askedBy('app').length, batching: askedBy('batching').length };

      const rotatedAt = performance.now();
      const version = await scenario.seed.secretVersion(db, login('p2'));
      await scenario.seed.parameter(url, 'https://two.example');

      const texts = { db: login('p2'), password: 'p2', url: 'https://two.example', still: 'still' };
      await expect.poll(() => Promise.all(volumes.map(textsIn)), PATIENCE).toEqual(volumes.map(() => texts));
      const tookMs = performance.now() - rotatedAt;
      for (const { name } of pods) {
        await expect
          .poll(() => versionsOf(name, changing), PATIENCE)
          .toEqual({
            db: version,
            password: version,
            url: '2',
            still: expect.any(String),
          });
        expect(await timestampFolders(name, changing)).toHaveLength(1);
      }
      await sleep(Math.max(0, WINDOW_MS - (performance.now() - rotatedAt)));
      const asked = {
        app: askedBy('app').slice(askedBefore.app),
        batching: askedBy('batching').slice(askedBefore.batching),
      };
      const mounts = (await mountCalls()) - mountsBefore;
      console.log(
        `driver's rotation ${title}: ${pods.length} pods had the new values after ${(tookMs / 1000).toFixed(1)} s; ` +
          `in ${WINDOW_MS / 1000} s the driver called ${mounts} times, and AWS was asked ${summary(asked.app)} as app, ${summary(asked.batching)} as batching`,
      );

      expect(tookMs).toBeLessThanOrEqual(FRESH_WITHIN_MS);
      expect(before).toMatchObject({ db: ['644', login('p1')], password: ['400', 'p1'] });
      expect(await scenario.filesOf(first, changing)).toMatchObject({
        db: ['644', login('p2')],
        password: ['400', 'p2'],
      });
      expect(await traceOf(first, unchanged)).toBe(traceBefore);
      // At most three polls of two secrets and a parameter, and one more read of the changed secret.
      expect(asked.app.length).toBeLessThanOrEqual(3 * 3 + 1);
      // A poll is one request to each store.
      expect(asked.batching.length).toBeLessThanOrEqual(3 * 2);
      expect(mounts > 0).toBe(title === 'on');
      if (title === 'off') {
        for (const { name } of pods) {
          const message = expect.stringContaining(`${changing}: new versions of db, password, url`);
          expect(await scenario.eventsOf(name)).toEqual([{ type: 'Normal', reason: 'SecretsRotated', message }]);
        }
      }
    },
  );

  /** What changes only when a volume is written: the paths of its files, and their inodes. */
  function traceOf(pod: string, className: string): Promise<string> {
    return scenario.exec(pod, 'sh', '-c', `cd /mnt/${className} && ls -A && readlink ..data && stat -L -c %i *`);
  }

  /** What the driver's note of a mount says, by file. */
  async function versionsOf(pod: string, className: string): Promise<Readonly<Record<string, string>>> {
    const status = ['secretproviderclasspodstatus', `${pod}-${scenario.namespace}-${className}`];
    const objects: readonly { readonly id: string; readonly version: string }[] = JSON.parse(
      await scenario.kubectl('get', ...status, '--output=jsonpath={.status.objects}'),
    );
    return Object.fromEntries(objects.map(({ id, version }) => [id, version]));
  }

  /** The writer's own folders: one holds the files, a further one would hold old secrets. */
  async function timestampFolders(pod: string, className: string): Promise<readonly string[]> {
    const names = await scenario.exec(pod, 'ls', '-A', `/mnt/${className}`);
    return names.split('\n').filter((name) => /^\.\.\d/.test(name));
  }
});

function login(password: string): string {
  return JSON.stringify({ user: 'app', password });
}

function summary(words: readonly string[]): string {
  const counts = [...Map.groupBy(words, (word) => word)].map(([word, { length }]) => `${length} ${word}`);
  return `${words.length} times (${counts.join(', ')})`;
}
