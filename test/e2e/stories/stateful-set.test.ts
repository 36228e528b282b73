import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { BOTH_WAYS } from '../provider/facts.ts';
import { secretProviderClass, workload } from '../provider/objects.ts';
import { openStory, type Story } from '../provider/story.ts';
import { firstLook, looksFirst } from '../provider/with-container.ts';

/** Longer than an answer of AWS is good for. */
const LATER_MS = 5_500;

const cluster = await openCluster();
let story: Story;

beforeAll(async () => {
  story = await openStory(cluster, 'stateful-set');
});

afterAll(() => story[Symbol.asyncDispose]());

async function scale(name: string, replicas: number): Promise<void> {
  await story.kubectl('scale', 'statefulset', name, `--replicas=${replicas}`);
  await story.kubectl('rollout', 'status', `statefulset/${name}`, '--timeout=90s');
}

function uidOf(pod: string): Promise<string> {
  return story.kubectl('get', 'pod', pod, '--output=jsonpath={.metadata.uid}');
}

test.concurrent.for(BOTH_WAYS)(
  'the next pod of the same name starts with what the secret has become: %s',
  async ([, provider], { expect }) => {
    const [name, pod] = [provider, `${provider}-0`];
    await story.seed.secret(name, 'p1');
    const object = { objectName: name, objectType: 'secretsmanager', objectAlias: 'db' };
    const looking = looksFirst(story.pod(name, { classes: [name] }), name);
    await story.apply(secretProviderClass(name, [object], { provider }), workload('StatefulSet', looking));
    await scale(name, 1);
    const [firstUid, first] = [await uidOf(pod), await firstLook(story, pod)];

    await scale(name, 0);
    await story.kubectl('wait', 'pod', pod, '--for=delete', '--timeout=60s');
    await story.seed.secretVersion(name, 'p2');
    await sleep(LATER_MS);
    await scale(name, 1);

    expect(first).toEqual({ db: ['644', 'p1'] });
    expect(await uidOf(pod)).not.toBe(firstUid);
    expect(await firstLook(story, pod)).toEqual({ db: ['644', 'p2'] });
  },
);
