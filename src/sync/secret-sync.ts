import { createHash } from 'node:crypto';
import { createKeyedLock } from '../concurrency/keyed-lock.ts';
import { createLimiter } from '../concurrency/limiter.ts';
import type { DownstreamStep, RefreshedMount, Verdict } from '../model/downstream.ts';
import { ProviderError } from '../model/errors.ts';
import type { NodePod, ObjectRef } from '../model/kube-objects.ts';
import type { PlannedFile } from '../model/mount-plan.ts';
import { problemsError } from '../class/parse-class.ts';
import { parseSecretObjects } from '../class/parse-secret-objects.ts';
import { type DroppedMount, needsOfOtherPods, type StillNeededDeps } from './still-needed.ts';
import type { OwnedSecret } from './reconcile-secret.ts';
import { secretContent } from './secret-content.ts';
import { createSecretWriter, type SecretWriterDeps } from './secret-writer.ts';
import { createTlsReaders } from './tls-reader.ts';

/** Creates, updates and deletes the Kubernetes Secrets of classes. A failure is thrown after everything else is done. */
export interface SecretSync extends DownstreamStep {
  /**
   * Removes the owner of a mount that no longer exists from its Secrets, unless another pod of the owner needs them. A Secret without owners is deleted.
   * @throws ProviderError; call it again then
   */
  drop(targetPath: string, signal: AbortSignal): Promise<void>;
}

export interface SecretSyncDeps extends StillNeededDeps, SecretWriterDeps {
  /** The owner of the Secrets: that of the pod, if it can be verified; otherwise the pod. @throws ProviderError */
  ownerOf(pod: NodePod, volume: string, signal: AbortSignal): Promise<ObjectRef>;
}

/** Secrets of one mount that are written at once. */
const AT_ONCE = 4;

/** The state of a mount. */
interface Known extends DroppedMount {
  /** Names of the Secrets that its owner must own. */
  readonly toOwn: ReadonlySet<string>;
  /** Ownerships that are still to be removed. */
  readonly toRelease: readonly OwnedSecret[];
}

export function createSecretSync(deps: SecretSyncDeps): SecretSync {
  const mounts = new Map<string, Known>();
  const lock = createKeyedLock();
  const writer = createSecretWriter(deps);
  const newTlsReader = createTlsReaders(deps.clock);

  async function update(mount: RefreshedMount, signal: AbortSignal): Promise<Verdict> {
    const { targetPath, nodePod, confirmedAt, since } = mount;
    const { secrets: specs, problems } = parseSecretObjects(mount.class, undefined, deps.policy);
    const before = mounts.get(targetPath);
    if (before === undefined && specs.length === 0 && problems.length === 0) {
      return {};
    }
    const owner = await deps.ownerOf(nodePod, mount.volume, signal);
    const names = new Set(specs.map(({ name }) => name));
    // If an entry is invalid, its Secret may still be wanted, so none is released.
    const toOwn = problems.length > 0 && before?.owner.uid === owner.uid ? names.union(before.toOwn) : names;
    const toRelease = ownerships(before).filter((held) => held.owner.uid !== owner.uid || !toOwn.has(held.name));
    const known: Known = { pod: nodePod.ref, className: mount.class.name, owner, toOwn, toRelease };
    // Recorded before the write, so that a concurrent drop of another mount sees that this owner is still needed.
    record(mounts, targetPath, known);

    const digest = digestOf(mount);
    const reader = newTlsReader();
    let files: Promise<readonly PlannedFile[]> | undefined;
    const writes = specs.map((spec) => {
      const secret = { namespace: nodePod.ref.namespace, name: spec.name, owner, confirmedAt, since, digest };
      const content = { content: async () => secretContent(spec, await (files ??= mount.files()), reader) };
      return () => writer.write({ ...secret, ...content }, signal);
    });
    const releases = toRelease.map((held) => () => writer.release(held, () => isWanted(held, mounts), signal));
    const verdicts = await allDone(
      [...writes, ...releases],
      problems.length > 0 ? [problemsError(problems)] : [],
      signal,
    );
    record(mounts, targetPath, { ...known, toRelease: [] });
    return Object.assign({}, ...verdicts);
  }

  async function drop(targetPath: string, signal: AbortSignal): Promise<void> {
    const known = mounts.get(targetPath);
    if (known !== undefined) {
      const toRelease = ownerships(known);
      record(mounts, targetPath, { ...known, toOwn: new Set(), toRelease });
      const isNeededByOthers = needsOfOtherPods(known, deps, signal);
      const releases = toRelease.map(
        (held) => () =>
          writer.release(held, async () => isWanted(held, mounts) || (await isNeededByOthers(held.name)), signal),
      );
      await allDone(releases, [], signal);
      mounts.delete(targetPath);
    }
  }

  return {
    update: (mount, signal) => lock.withLock(mount.targetPath, () => update(mount, signal)),
    drop: (targetPath, signal) => lock.withLock(targetPath, () => drop(targetPath, signal)),
  };
}

function record(mounts: Map<string, Known>, targetPath: string, known: Known): void {
  if (known.toOwn.size + known.toRelease.length > 0) {
    mounts.set(targetPath, known);
  } else {
    mounts.delete(targetPath);
  }
}

/** Whether a mount of this node needs the owner. */
function isWanted({ namespace, name, owner }: OwnedSecret, mounts: ReadonlyMap<string, Known>): boolean {
  return [...mounts.values()].some(
    (known) => known.owner.uid === owner.uid && known.pod.namespace === namespace && known.toOwn.has(name),
  );
}

function ownerships(known: Known | undefined): readonly OwnedSecret[] {
  if (known === undefined) {
    return [];
  }
  const { pod, owner, toOwn, toRelease } = known;
  return [...toRelease, ...Array.from(toOwn, (name) => ({ namespace: pod.namespace, name, owner }))];
}

function digestOf({ class: { secretObjects, annotations }, versions }: RefreshedMount): string {
  const content = JSON.stringify([secretObjects, [...annotations], [...versions]]);
  return createHash('sha256').update(content).digest('base64');
}

/**
 * Does all work, a few at once, and then throws all failures in its order.
 * @param problems earlier failures to include
 */
async function allDone(
  work: readonly (() => Promise<unknown>)[],
  problems: readonly ProviderError[],
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const limiter = createLimiter(AT_ONCE);
  const results = await Promise.allSettled(work.map((each) => limiter.run({ lane: '', party: [] }, each, signal)));
  const failures = results.flatMap((result) => (result.status === 'rejected' ? ProviderError.from(result.reason) : []));
  // Several Secrets may fail for the same reason, for example because the files cannot be read.
  const distinct = new Set([...problems, ...failures]);
  if (distinct.size > 0) {
    signal.throwIfAborted();
    throw ProviderError.all([...distinct]);
  }
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}
