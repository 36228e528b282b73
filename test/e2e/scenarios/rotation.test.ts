import { afterAll, beforeAll, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { BOTH_WAYS } from '../provider/facts.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

/** The kubelet publishes a volume again every 10 to 15 s. */
const PATIENCE = { timeout: 60_000, interval: 500 };

const cluster = await openCluster();
let scenario: Scenario;

beforeAll(async () => {
  scenario = await openScenario(cluster, 'rotation');
});

afterAll(() => scenario[Symbol.asyncDispose]());

function login(password: string): string {
  return JSON.stringify({ user: 'app', password });
}

/** What changes only when a volume is written: the paths of its files, and their inodes. */
function traceOf(pod: string, className: string): Promise<string> {
  return scenario.exec(pod, 'sh', '-c', `cd /mnt/${className} && ls -A && readlink ..data && stat -L -c %i *`);
}

test.concurrent.for(BOTH_WAYS)(
  'a rotation reaches the files atomically, and changes no other volume: %s',
  async ([, provider], { expect }) => {
    const [db, url, still] = [`db-${provider}`, `/url/${provider}`, `still-${provider}`];
    const [changing, unchanged] = [`changing-${provider}`, `unchanged-${provider}`];
    await scenario.seed.secret(db, login('p1'));
    await scenario.seed.parameter(url, 'https://one.example');
    await scenario.seed.secret(still, 'still');
    const secret = {
      objectName: db,
      objectType: 'secretsmanager',
      objectAlias: 'db',
      jmesPath: [{ path: 'password', objectAlias: 'password', filePermission: '0400' }],
    };
    const parameter = { objectName: url, objectType: 'ssmparameter', objectAlias: 'url' };
    const other = { objectName: still, objectType: 'secretsmanager', objectAlias: 'still' };
    await scenario.apply(
      secretProviderClass(changing, [secret, parameter, other], { provider }),
      secretProviderClass(unchanged, [other], { provider }),
    );
    await scenario.startPods(scenario.pod(provider, { classes: [changing, unchanged] }));
    const before = await scenario.filesOf(provider, changing);
    const traceBefore = await traceOf(provider, unchanged);

    const version = await scenario.seed.secretVersion(db, login('p2'));
    await scenario.seed.parameter(url, 'https://two.example');

    const still644 = { still: ['644', 'still'] };
    const changed = {
      db: ['644', login('p2')],
      password: ['400', 'p2'],
      url: ['644', 'https://two.example'],
      ...still644,
    };
    await expect.poll(() => scenario.filesOf(provider, changing), PATIENCE).toEqual(changed);
    expect(before).toEqual({
      db: ['644', login('p1')],
      password: ['400', 'p1'],
      url: ['644', 'https://one.example'],
      ...still644,
    });
    expect(await traceOf(provider, unchanged)).toBe(traceBefore);
    expect(await versionsOf(provider, changing)).toEqual(
      expect.arrayContaining([
        { id: 'db', version },
        { id: 'password', version },
        { id: 'url', version: '2' },
      ]),
    );
    expect(await timestampFolders(provider, changing)).toHaveLength(1);
  },
);

test.concurrent.for(BOTH_WAYS)(
  'an object that the class no longer names loses its file, a new one gets one: %s',
  async ([, provider], { expect }) => {
    const name = `edited-${provider}`;
    await scenario.seed.secret(`first-${provider}`, 'first');
    await scenario.seed.secret(`second-${provider}`, 'second');
    const [first, second] = ['first', 'second'].map((alias) => ({
      objectName: `${alias}-${provider}`,
      objectType: 'secretsmanager',
      objectAlias: alias,
    }));
    await scenario.apply(secretProviderClass(name, [first ?? {}], { provider }));
    await scenario.startPods(scenario.pod(name, { classes: [name] }));
    const before = await scenario.filesOf(name, name);

    await scenario.apply(secretProviderClass(name, [second ?? {}], { provider }));

    await expect.poll(() => scenario.filesOf(name, name), PATIENCE).toEqual({ second: ['644', 'second'] });
    expect(before).toEqual({ first: ['644', 'first'] });
  },
);

/** The versions of a volume in the driver's status. */
async function versionsOf(pod: string, className: string): Promise<unknown> {
  const name = `${pod}-${scenario.namespace}-${className}`;
  return JSON.parse(
    await scenario.kubectl('get', 'secretproviderclasspodstatus', name, '--output=jsonpath={.status.objects}'),
  );
}

/** The writer's own folders: one holds the files, a further one would hold old secrets. */
async function timestampFolders(pod: string, className: string): Promise<readonly string[]> {
  const names = await scenario.exec(pod, 'ls', '-A', `/mnt/${className}`);
  return names.split('\n').filter((name) => /^\.\.\d/.test(name));
}
