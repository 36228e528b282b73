import { afterAll, beforeAll, describe, test } from 'vitest';
import { READ_ALL } from '../../fakes/aws/start-aws-fakes.ts';
import type { Statement } from '../../fakes/aws/policy.ts';
import { openCluster } from '../cluster/cluster.ts';
import { LOOKS_AFTER } from '../provider/facts.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { openStory, type Story } from '../provider/story.ts';

const PATIENCE = { timeout: 60_000, interval: 500 };

const cluster = await openCluster();

describe.runIf(cluster.owned)("what keeps a new value from a running pod, the driver's rotation being off", () => {
  let story: Story;

  beforeAll(async () => {
    story = await openStory(cluster, 'own-failures');
    await cluster.restartDriver({ rotation: false });
  });

  afterAll(async () => {
    await story[Symbol.asyncDispose]();
    await cluster.restartDriver();
  });

  interface Trouble {
    readonly reason: string;
    readonly says: readonly string[];
    readonly impose: () => Promise<unknown>;
    readonly lift: () => Promise<unknown>;
  }

  async function prepare(name: 'denied' | 'classless'): Promise<Trouble> {
    const allows: Statement[] = [READ_ALL];
    await story.addServiceAccount(name, allows);
    await story.seed.secret(name, 'p1');
    const object = { objectName: name, objectType: 'secretsmanager', objectAlias: 'file' };
    function applyClass(): Promise<void> {
      return story.apply(secretProviderClass(name, [object], { provider: LOOKS_AFTER }));
    }
    await applyClass();
    return name === 'denied'
      ? {
          reason: 'AccessDenied',
          says: ['AccessDeniedException', 'allow secretsmanager:GetSecretValue', 'keeps the files'],
          impose: async () => allows.splice(0),
          lift: async () => allows.push(READ_ALL),
        }
      : {
          reason: 'ClassMissing',
          says: [`SecretProviderClass classless`, 'keeps the files'],
          impose: () => story.kubectl('delete', 'secretproviderclass', name),
          lift: applyClass,
        };
  }

  test.concurrent.for(['denied', 'classless'] as const)(
    'is told by an event, leaves the files, and once it is over new values arrive by themselves: %s',
    async (name, { expect }) => {
      const { reason, says, impose, lift } = await prepare(name);
      await story.startPods(story.pod(name, { classes: [name], serviceAccount: name }));
      async function told(word: string): Promise<string | undefined> {
        return (await story.toldOf(name)).find((event) => event.reason === word)?.message;
      }

      await impose();
      await story.seed.secretVersion(name, 'p2');
      await expect.poll(() => told(reason), PATIENCE).toBeDefined();
      const [message, kept] = [await told(reason), await story.filesOf(name, name)];
      await lift();
      await expect.poll(() => story.filesOf(name, name), PATIENCE).toEqual({ file: ['644', 'p2'] });
      await expect.poll(() => told('SecretsRefreshed'), PATIENCE).toContain(name);
      await story.seed.secretVersion(name, 'p3');
      await expect.poll(() => story.filesOf(name, name), PATIENCE).toEqual({ file: ['644', 'p3'] });

      for (const fragment of says) {
        expect(message).toContain(fragment);
      }
      expect(kept).toEqual({ file: ['644', 'p1'] });
      const warnings = (await story.toldOf(name)).filter(({ type }) => type === 'Warning');
      expect(warnings.map((event) => event.reason)).toEqual([reason]);
      const restarts = '--output=jsonpath={.status.containerStatuses[0].restartCount}';
      expect(await story.kubectl('get', 'pod', name, restarts)).toBe('0');
    },
  );
});
