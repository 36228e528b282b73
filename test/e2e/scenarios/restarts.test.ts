import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { BOTH_WAYS } from '../provider/facts.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';
import { firstListing, listsFirst } from '../provider/with-container.ts';

const PATIENCE = { timeout: 90_000, interval: 500 };

const cluster = await openCluster();

describe.runIf(cluster.owned)('running pods survive restarts', () => {
  const names = BOTH_WAYS.map(([, provider]) => `app-${provider}`);
  let scenario: Scenario;

  beforeAll(async () => {
    scenario = await openScenario(cluster, 'restarts');
    await scenario.seed.secret('db', 'p1');
    const object = { objectName: 'db', objectType: 'secretsmanager' };
    await scenario.apply(
      ...BOTH_WAYS.map(([, provider]) => secretProviderClass(`app-${provider}`, [object], { provider })),
    );
    await scenario.startPods(...names.map((name) => listsFirst(scenario.pod(name, { classes: [name] }), name)));
  });

  afterAll(() => scenario[Symbol.asyncDispose]());

  function stateOf(pod: string): Promise<string> {
    const state = '{.status.containerStatuses[0].ready},{.status.containerStatuses[0].restartCount}';
    return scenario.kubectl('get', 'pod', pod, `--output=jsonpath=${state}`);
  }

  test('of the driver: files stay while it is stopped, and rotation continues afterwards', async () => {
    await cluster.stopDriver();
    await scenario.seed.secretVersion('db', 'p2');
    const away = await Promise.all(names.map((name) => scenario.filesOf(name, name)));
    await cluster.startDriver();

    for (const name of names) {
      await expect.poll(() => scenario.filesOf(name, name), PATIENCE).toEqual({ db: ['644', 'p2'] });
      expect(await stateOf(name)).toBe('true,0');
    }
    expect(away).toEqual(names.map(() => ({ db: ['644', 'p1'] })));
  });

  test('of the node: pods start again with the current secrets', async () => {
    await cluster.stopNode();
    await scenario.seed.secretVersion('db', 'p3');
    await cluster.startNode();

    for (const name of names) {
      await expect.poll(() => stateOf(name).catch(String), PATIENCE).toBe('true,1');
      expect(await firstListing(scenario, name)).toEqual({ db: ['644', 'p3'] });
      expect(await scenario.filesOf(name, name)).toEqual({ db: ['644', 'p3'] });
    }
  });
});
