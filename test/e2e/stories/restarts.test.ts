import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { BOTH_WAYS } from '../provider/facts.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { openStory, type Story } from '../provider/story.ts';
import { firstLook, looksFirst } from '../provider/with-container.ts';

const PATIENCE = { timeout: 90_000, interval: 500 };

const cluster = await openCluster();

describe.runIf(cluster.owned)('running pods outlast restarts', () => {
  const names = BOTH_WAYS.map(([, provider]) => `app-${provider}`);
  let story: Story;

  beforeAll(async () => {
    story = await openStory(cluster, 'restarts');
    await story.seed.secret('db', 'p1');
    const object = { objectName: 'db', objectType: 'secretsmanager' };
    await story.apply(
      ...BOTH_WAYS.map(([, provider]) => secretProviderClass(`app-${provider}`, [object], { provider })),
    );
    await story.startPods(...names.map((name) => looksFirst(story.pod(name, { classes: [name] }), name)));
  });

  afterAll(() => story[Symbol.asyncDispose]());

  function stateOf(pod: string): Promise<string> {
    const state = '{.status.containerStatuses[0].ready},{.status.containerStatuses[0].restartCount}';
    return story.kubectl('get', 'pod', pod, `--output=jsonpath=${state}`);
  }

  test('of the driver: files stay while it is away, and rotation goes on after', async () => {
    await cluster.stopDriver();
    await story.seed.secretVersion('db', 'p2');
    const away = await Promise.all(names.map((name) => story.filesOf(name, name)));
    await cluster.startDriver();

    for (const name of names) {
      await expect.poll(() => story.filesOf(name, name), PATIENCE).toEqual({ db: ['644', 'p2'] });
      expect(await stateOf(name)).toBe('true,0');
    }
    expect(away).toEqual(names.map(() => ({ db: ['644', 'p1'] })));
  });

  test('of the node: pods start again with the secrets of that day', async () => {
    await cluster.stopNode();
    await story.seed.secretVersion('db', 'p3');
    await cluster.startNode();

    for (const name of names) {
      await expect.poll(() => stateOf(name).catch(String), PATIENCE).toBe('true,1');
      expect(await firstLook(story, name)).toEqual({ db: ['644', 'p3'] });
      expect(await story.filesOf(name, name)).toEqual({ db: ['644', 'p3'] });
    }
  });
});
