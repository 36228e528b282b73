import { SYSTEM_CLOCK } from '../../../src/concurrency/clock.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import type { RequestFilter } from '../../fakes/kube/faults.ts';
import { CallError } from '../../../src/grpc/client.ts';
import { contentsOf } from '../daemon/node.ts';
import { type ClusterNode, startCluster, type StartedPod, type TestCluster, versionsOf } from '../rotation/cluster.ts';
import { PODS, statusPath } from '../rotation/objects.ts';
import { startAside } from '../rotation/provider.ts';
import { type Moment, startKillingProxy } from './killing-proxy.ts';
import { addClass, ownedBy, secretIn, SECRETS, SOON, SYNC } from './synced.ts';

const OWNERS = ['ReplicaSet rs-1', 'ReplicaSet rs-2'];

interface Mortal extends AsyncDisposable {
  readonly cluster: TestCluster;
  /** Its provider is a separate process. */
  readonly node: ClusterNode;
  /** Our Secrets that had no owner at some time: they would never be garbage-collected. */
  readonly ownerless: ReadonlySet<string>;
  /** Does something, kills the provider at the nth of these requests, and starts another. */
  killedAt(how: Moment, nth: number, isMeant: RequestFilter, act: () => Promise<unknown>): Promise<void>;
}

async function startMortal(): Promise<Mortal> {
  await using opening = new AsyncDisposableStack();
  const cluster = opening.use(await startCluster(SYSTEM_CLOCK));
  const proxy = opening.use(await startKillingProxy(cluster.api.url));
  const node = await cluster.startNode('node-1', [...SYNC, '--token-request'], {
    start: startAside,
    kubeconfig: proxy.kubeconfig,
  });
  const ownerless = new Set<string>();
  function look(): void {
    const secrets = cluster.api.objects.filter(({ kind }) => kind === 'Secret');
    const alone = secrets.filter(({ metadata }) => (metadata.ownerReferences ?? []).length === 0);
    alone.forEach(({ metadata }) => ownerless.add(metadata.name));
  }
  cluster.api.inject({ kind: 'delay', ms: 0 }, () => {
    look();
    return false;
  });
  const opened = opening.move();
  return {
    cluster,
    node,
    ownerless,
    async killedAt(how, nth, isMeant, act) {
      const killed = proxy.kill(node.provider.pid, how, nth, isMeant);
      await act();
      await killed;
      look();
      await node.restart(undefined, 'SIGKILL');
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Two pods, of two ReplicaSets. */
async function startPods(node: ClusterNode, className: string): Promise<readonly StartedPod[]> {
  const pods: StartedPod[] = [];
  for (const nth of [1, 2]) {
    pods.push(await node.startPod(`${className}-${nth}`, { className, owner: ownedBy(`rs-${nth}`) }));
  }
  return pods;
}

function writing(name: string): RequestFilter {
  return (method, path) =>
    (method !== 'GET' && path === `${SECRETS}/${name}`) || (method === 'POST' && path === SECRETS);
}

// Processes start slowly on a busy machine.
describe.concurrent('a provider killed at a write, and the next one', { timeout: 120_000 }, () => {
  it('create a Secret within a Mount call, which the kubelet repeats', async ({ expect }) => {
    await using mortal = await startMortal();
    const { cluster, node } = mortal;
    await addClass(cluster, 'first', 'p1');
    await addClass(cluster, 'call', 'p1');
    const first = await node.startPod('first-1', { className: 'first' });

    for (const [how, nth] of [
      ['before', 1],
      ['after', 1],
      ['after', 2],
    ] as const) {
      const name = `call-${how}-${nth}`;
      const options = { className: 'call', owner: ownedBy(name) };
      await mortal.killedAt(how, nth, writing('call'), () =>
        expect(node.startPod(name, options)).rejects.toThrow(CallError),
      );
      const { metadata } = (await cluster.kube.find(`${PODS}/${name}`))!;
      const targetPath = first.targetPath.replace(first.uid, metadata.uid!);
      const pod = { ...options, name, uid: metadata.uid!, targetPath };

      await node.republish(pod);

      expect(secretIn(cluster, 'call'), name).toMatchObject({
        data: { password: 'p1' },
        owners: [`ReplicaSet ${name}`],
      });
      await node.stopPod(pod);
      await expect.poll(() => secretIn(cluster, 'call'), SOON).toBeUndefined();
    }

    expect(mortal.ownerless).toEqual(new Set());
  });

  it('bring a rotation to the Secret, wherever between volume, Secret and status the first one is killed', async ({
    expect,
  }) => {
    await using mortal = await startMortal();
    const { cluster, node } = mortal;
    await addClass(cluster, 'rotated', 'p0');
    const [pod] = await startPods(node, 'rotated');
    function volumeHas(value: string): boolean {
      return readFileSync(join(pod!.targetPath, 'rotated'), 'utf8') === value;
    }
    const places: readonly (readonly [string, Moment, (value: string) => RequestFilter])[] = [
      ['published, not synced', 'before', (value) => (_, path) => path === `${SECRETS}/rotated` && volumeHas(value)],
      ['synced, not noted', 'before', () => (method, path) => method === 'PATCH' && path === statusPath(pod!)],
      ['noted', 'after', () => (method, path) => method === 'PATCH' && path === statusPath(pod!)],
    ];

    for (const [index, [place, how, isMeant]] of places.entries()) {
      const value = `p${index + 1}`;
      let version = '';
      await mortal.killedAt(how, 1, isMeant(value), async () => {
        version = await cluster.seed.secretVersion('rotated', value);
      });

      await expect
        .poll(
          async () => ({
            secret: secretIn(cluster, 'rotated')?.data,
            volume: (await contentsOf(pod!.targetPath))['rotated']?.[1],
            noted: await versionsOf(cluster.kube, pod!),
          }),
          { ...SOON, message: place },
        )
        .toEqual({ secret: { password: value }, volume: value, noted: { rotated: version } });
    }

    expect(mortal.ownerless).toEqual(new Set());
    expect(secretIn(cluster, 'rotated')?.owners).toEqual(OWNERS);
  });
});
