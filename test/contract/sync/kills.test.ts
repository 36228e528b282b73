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
import { addClass, comesToRest, ownedBy, secretIn, SECRETS, SOON, SYNC } from './synced.ts';

const OWNERS = ['ReplicaSet rs-1', 'ReplicaSet rs-2'];

interface Mortal extends AsyncDisposable {
  readonly cluster: TestCluster;
  /** Its provider is a process of its own. */
  readonly node: ClusterNode;
  /** Secrets of ours that stood there without an owner: nobody would ever collect them. */
  readonly ownerless: ReadonlySet<string>;
  /** Does something, upon which the provider is killed at the nth of these requests, and starts another. */
  killedAt(how: Moment, nth: number, isMeant: RequestFilter, act: () => Promise<unknown>): Promise<void>;
}

async function startMortal(): Promise<Mortal> {
  await using opening = new AsyncDisposableStack();
  const cluster = opening.use(await startCluster());
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

/** Before the first of so many writes, and after each: before the next is the same. */
function momentsOf(writes: number): readonly (readonly [Moment, number])[] {
  const after = Array.from({ length: writes }, (_, index) => ['after', index + 1] as const);
  return [['before', 1], ...after];
}

// Processes start slowly where the machine is busy.
describe.concurrent('a provider killed at any write, and the next one', { timeout: 120_000 }, () => {
  it('make a Secret with all its owners', async ({ expect }) => {
    await using mortal = await startMortal();
    const { cluster, node } = mortal;
    await addClass(cluster, 'made', 'p1');
    await startPods(node, 'made');

    // Made, claimed, and two owners.
    for (const [how, nth] of momentsOf(3)) {
      await mortal.killedAt(how, nth, writing('made'), async () => cluster.api.remove(`${SECRETS}/made`));

      await expect
        .poll(() => secretIn(cluster, 'made'), { ...SOON, message: `${how} ${nth}` })
        .toMatchObject({ data: { password: 'p1' }, owners: OWNERS });
    }

    expect(mortal.ownerless).toEqual(new Set());
    await comesToRest(cluster, 'made');
  });

  it('make a Secret within a Mount call, which the kubelet makes again', async ({ expect }) => {
    await using mortal = await startMortal();
    const { cluster, node } = mortal;
    await addClass(cluster, 'first', 'p1');
    await addClass(cluster, 'call', 'p1');
    const first = await node.startPod('first-1', { className: 'first' });

    for (const [how, nth] of momentsOf(2)) {
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

  it('bring a rotation to the Secret, wherever between volume, Secret and status the first one ends', async ({
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
    await comesToRest(cluster, 'rotated');
  });

  it('make an immutable Secret anew with all its owners', async ({ expect }) => {
    await using mortal = await startMortal();
    const { cluster, node } = mortal;
    await addClass(cluster, 'stone', 'p0', { annotations: { 'aws-secrets-csi/sync-immutable': 'true' } });
    await startPods(node, 'stone');

    // It goes, its content comes, and two owners, of whom the second ends it.
    for (const [index, [how, nth]] of momentsOf(3).entries()) {
      const value = `p${index + 1}`;
      await mortal.killedAt(how, nth, writing('stone'), () => cluster.seed.secretVersion('stone', value));

      await expect
        .poll(() => secretIn(cluster, 'stone'), { ...SOON, message: `${how} ${nth}` })
        .toMatchObject({ data: { password: value }, owners: OWNERS, isImmutable: true });
    }

    expect(mortal.ownerless).toEqual(new Set());
    await comesToRest(cluster, 'stone');
  });

  it('put an owner back, and leave no Secret without one when owners go', async ({ expect }) => {
    await using mortal = await startMortal();
    const { cluster, node } = mortal;
    await addClass(cluster, 'owned', 'p1');
    let [staying, leaving] = await startPods(node, 'owned');

    for (const [how, nth] of momentsOf(1)) {
      await mortal.killedAt(how, nth, writing('owned'), () => node.stopPod(leaving!));

      // The next process never knew the pod; its owner is dropped with the owner's next pod, or collected with the owner.
      expect(secretIn(cluster, 'owned')?.owners).toEqual(how === 'before' ? OWNERS : OWNERS.slice(0, 1));
      leaving = await node.startPod(`leaving-${how}`, { className: 'owned', owner: ownedBy('rs-2') });
      expect(secretIn(cluster, 'owned')?.owners).toEqual(OWNERS);
    }
    await node.stopPod(leaving!);
    await expect.poll(() => secretIn(cluster, 'owned')?.owners, SOON).toEqual(OWNERS.slice(0, 1));

    for (const [how, nth] of momentsOf(1)) {
      await mortal.killedAt(how, nth, writing('owned'), () => node.stopPod(staying!));

      expect(secretIn(cluster, 'owned')?.owners).toEqual(how === 'before' ? OWNERS.slice(0, 1) : undefined);
      staying = await node.startPod(`staying-${how}`, { className: 'owned', owner: ownedBy('rs-1') });
      expect(secretIn(cluster, 'owned')).toMatchObject({ data: { password: 'p1' }, owners: OWNERS.slice(0, 1) });
    }
    await node.stopPod(staying!);
    await expect.poll(() => secretIn(cluster, 'owned'), SOON).toBeUndefined();

    expect(mortal.ownerless).toEqual(new Set());
  });
});
