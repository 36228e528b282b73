import { afterAll, beforeAll, describe, test } from 'vitest';
import { READ_ALL } from '../../fakes/aws/start-aws-fakes.ts';
import type { Statement } from '../../fakes/aws/policy.ts';
import { openCluster } from '../cluster/cluster.ts';
import { ALL_FEATURES } from '../provider/facts.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

const PATIENCE = { timeout: 60_000, interval: 500 };

const cluster = await openCluster();

describe.runIf(cluster.owned)(
  "what prevents a running pod from getting a new value, with the driver's rotation off",
  () => {
    let scenario: Scenario;

    beforeAll(async () => {
      scenario = await openScenario(cluster, 'own-failures');
      await cluster.restartDriver({ rotation: false });
    });

    afterAll(async () => {
      await scenario[Symbol.asyncDispose]();
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
      await scenario.addServiceAccount(name, allows);
      await scenario.seed.secret(name, 'p1');
      const object = { objectName: name, objectType: 'secretsmanager', objectAlias: 'file' };
      function applyClass(): Promise<void> {
        return scenario.apply(secretProviderClass(name, [object], { provider: ALL_FEATURES }));
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
            impose: () => scenario.kubectl('delete', 'secretproviderclass', name),
            lift: applyClass,
          };
    }

    test.concurrent.for(['denied', 'classless'] as const)(
      'is reported by an event, keeps the files, and afterwards new values arrive without a call: %s',
      async (name, { expect }) => {
        const { reason, says, impose, lift } = await prepare(name);
        await scenario.startPods(scenario.pod(name, { classes: [name], serviceAccount: name }));
        async function told(word: string): Promise<string | undefined> {
          return (await scenario.eventsOf(name)).find((event) => event.reason === word)?.message;
        }

        await impose();
        await scenario.seed.secretVersion(name, 'p2');
        await expect.poll(() => told(reason), PATIENCE).toBeDefined();
        const [message, kept] = [await told(reason), await scenario.filesOf(name, name)];
        await lift();
        await expect.poll(() => scenario.filesOf(name, name), PATIENCE).toEqual({ file: ['644', 'p2'] });
        await expect.poll(() => told('SecretsRefreshed'), PATIENCE).toContain(name);
        await scenario.seed.secretVersion(name, 'p3');
        await expect.poll(() => scenario.filesOf(name, name), PATIENCE).toEqual({ file: ['644', 'p3'] });

        for (const fragment of says) {
          expect(message).toContain(fragment);
        }
        expect(kept).toEqual({ file: ['644', 'p1'] });
        const warnings = (await scenario.eventsOf(name)).filter(({ type }) => type === 'Warning');
        expect(warnings.map((event) => event.reason)).toEqual([reason]);
        const restarts = '--output=jsonpath={.status.containerStatuses[0].restartCount}';
        expect(await scenario.kubectl('get', 'pod', name, restarts)).toBe('0');
      },
    );
  },
);
