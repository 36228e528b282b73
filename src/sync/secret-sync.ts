import { createHash } from 'node:crypto';
import type { Clock } from '../concurrency/clock.ts';
import { createKeyedLock } from '../concurrency/keyed-lock.ts';
import { createLimiter } from '../concurrency/limiter.ts';
import type { PlannedFile } from '../model/mount-plan.ts';
import type { ObjectRef, ProviderClass } from '../model/kube-objects.ts';
import type { PodRef } from '../model/mount-spec.ts';
import { problemsError } from '../class/parse-class.ts';
import { parseSecretObjects } from '../class/parse-secret-objects.ts';
import type { SecretSpec } from '../class/secret-spec.ts';
import { secretContent } from './content.ts';
import { fewAtOnce } from '../concurrency/few-at-once.ts';
import { classesOfOthers, isRequested, type StillNeededDeps } from './still-needed.ts';
import { createPaceBySize } from './pace-by-size.ts';
import type { SecretApi, SecretName } from './secret-api.ts';
import { dropOwner, reconcileSecret } from './reconcile-secret.ts';
import { createTlsReader, type TlsReader, type TlsRefusals } from './tls-reader.ts';

/** A mount and the files in its volume. */
export interface SyncedMount {
  readonly targetPath: string;
  readonly pod: PodRef;
  readonly owner: ObjectRef;
  readonly class: ProviderClass;
  /** Wall clock: since when this process knows the mount. */
  readonly since: number;
  /** Wall clock: when AWS confirmed that these values are current. */
  readonly confirmedAt: number;
  /** Version by file. Equal versions mean equal files, which then need not be read. */
  readonly versions: ReadonlyMap<string, string>;
  files(): Promise<readonly PlannedFile[]>;
}

/** Creates, updates and deletes the Kubernetes Secrets of classes. */
export interface SecretSync {
  /**
   * Updates the Secrets of the class from the files of the mount, and adds the owner of the mount to them.
   * @returns false if a Secret keeps other values, because AWS confirmed those to another node later
   * @throws ProviderError with all failures, after everything else is done; or the signal's reason
   */
  sync(mount: SyncedMount, signal: AbortSignal): Promise<boolean>;
  /**
   * Removes the owner of a mount that no longer exists from its Secrets, unless another pod of the owner needs them. A Secret without owners is deleted.
   * @throws ProviderError; call it again then
   */
  drop(targetPath: string, signal: AbortSignal): Promise<void>;
}

export interface SecretSyncDeps extends StillNeededDeps {
  readonly secrets: SecretApi;
  /** For how long a verified Secret is not read again, in milliseconds. */
  readonly verifyMs: number;
  readonly clock: Clock;
}

/** The state of a mount. */
interface Known {
  readonly pod: PodRef;
  readonly className: string;
  readonly owner: ObjectRef;
  /** Names of the Secrets that its owner must own. */
  readonly toOwn: ReadonlySet<string>;
  /** Ownerships that are still to be removed. */
  readonly toRelease: readonly Ownership[];
}

interface Ownership {
  readonly name: string;
  readonly owner: ObjectRef;
}

/** The result of the last verification of a Secret. */
interface Verified {
  readonly at: number;
  /** Digest of the class and the versions that it was compared with. */
  readonly content: string;
  readonly owners: ReadonlySet<string>;
  /** If the Secret has values that AWS confirmed later than ours: when. Infinity if it has ours. */
  readonly newerConfirmedAt: number;
}

/** Secrets that are written at once, for all mounts together. Namespaces take turns. */
const MAX_CONCURRENT = 12;

export function createSecretSync(deps: SecretSyncDeps): SecretSync {
  const { secrets, verifyMs, policy, clock } = deps;
  const mounts = new Map<string, Known>();
  /** By namespace and name. */
  const verified = new Map<string, Verified>();
  const mountLock = createKeyedLock();
  const secretLock = createKeyedLock();
  const limiter = createLimiter(MAX_CONCURRENT);
  const paceBySize = createPaceBySize(clock);
  const refusals: TlsRefusals = new Map();

  return {
    async sync(mount, signal) {
      return await mountLock.withLock(mount.targetPath, () => syncMount(mount, signal));
    },

    async drop(targetPath, signal) {
      await mountLock.withLock(targetPath, () => dropMount(targetPath, signal));
    },
  };

  async function syncMount(mount: SyncedMount, signal: AbortSignal): Promise<boolean> {
    const { targetPath, pod, owner } = mount;
    const { secrets: specs, problems } = parseSecretObjects(mount.class, undefined, policy);
    const before = mounts.get(targetPath);
    if (before === undefined && specs.length === 0 && problems.length === 0) {
      return true;
    }
    const names = new Set(specs.map(({ name }) => name));
    // If an entry is invalid, its Secret may still be wanted, so none is released.
    const toOwn = problems.length > 0 && before?.owner.uid === owner.uid ? names.union(before.toOwn) : names;
    const toRelease = ownerships(before).filter((held) => held.owner.uid !== owner.uid || !toOwn.has(held.name));
    const known: Known = { pod, className: mount.class.name, owner, toOwn, toRelease };
    // Recorded before the write, so that a concurrent drop of another mount sees that this owner is still needed.
    remember(targetPath, known);

    const content = digestOf(mount);
    const files = once(() => mount.files());
    const reader = createTlsReader(refusals);
    const areOurs: boolean[] = [];
    await fewAtOnce(
      [
        ...specs.map((spec) => async () => {
          areOurs.push(await syncSecret(mount, spec, content, files, reader, signal));
        }),
        ...toRelease.map((held) => () => release(pod.namespace, held, signal)),
      ],
      problems.length > 0 ? [problemsError(problems)] : [],
      { clock, signal },
    );
    remember(targetPath, { ...known, toRelease: [] });
    return !areOurs.includes(false);
  }

  async function dropMount(targetPath: string, signal: AbortSignal): Promise<void> {
    const known = mounts.get(targetPath);
    if (known === undefined) {
      return;
    }
    const toRelease = ownerships(known);
    remember(targetPath, { ...known, toOwn: new Set(), toRelease });
    const { pod, owner, className } = known;
    const classes = once(() => classesOfOthers(pod, owner, deps, signal));
    await fewAtOnce(
      toRelease.map(
        (held) => () =>
          release(pod.namespace, held, signal, async () => {
            const others = await classes();
            return others.has(className) || (await isRequested(held.name, pod.namespace, others, deps, signal));
          }),
      ),
      [],
      { clock, signal },
    );
    mounts.delete(targetPath);
  }

  function remember(targetPath: string, known: Known): void {
    if (known.toOwn.size + known.toRelease.length > 0) {
      mounts.set(targetPath, known);
    } else {
      mounts.delete(targetPath);
    }
  }

  /** @returns false if the Secret keeps values that AWS confirmed later than those of the mount */
  function syncSecret(
    mount: SyncedMount,
    spec: SecretSpec,
    content: string,
    files: () => Promise<readonly PlannedFile[]>,
    reader: TlsReader,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { confirmedAt, owner } = mount;
    const secret = { namespace: mount.pod.namespace, name: spec.name };
    const key = keyOf(secret);
    return secretLock.withLock(key, async () => {
      const at = clock.wallNow();
      const found = verified.get(key);
      if (isVerified(found, mount, content, at)) {
        return found.newerConfirmedAt === Infinity;
      }
      verified.delete(key);
      const { owners, newerConfirmedAt = Infinity } = await limiter.run(
        { lane: 'secrets', party: [secret.namespace] },
        async () => {
          const desired = await secretContent(spec, await files(), reader);
          const wanted = { content: desired, confirmedAt, owner };
          return await paceBySize(
            secret.namespace,
            desired,
            () => reconcileSecret(secrets, secret, wanted, clock, signal),
            signal,
          );
        },
        signal,
      );
      verified.set(key, { at, content, owners: new Set(owners.map(({ uid }) => uid)), newerConfirmedAt });
      return newerConfirmedAt === Infinity;
    });
  }

  function isVerified(found: Verified | undefined, mount: SyncedMount, content: string, at: number): found is Verified {
    // The wall clock may have been set back. And a result from before the mount existed may be stale: a deleted Secret may be why the pod is new.
    const isRecent = found !== undefined && at >= found.at && at - found.at < verifyMs && found.at >= mount.since;
    return (
      isRecent &&
      found.content === content &&
      found.owners.has(mount.owner.uid) &&
      mount.confirmedAt < found.newerConfirmedAt
    );
  }

  /** Removes an owner from a Secret, unless another mount of this node or a pod of another node needs it. */
  function release(
    namespace: string,
    { name, owner }: Ownership,
    signal: AbortSignal,
    isNeeded: () => Promise<boolean> = () => Promise.resolve(false),
  ): Promise<void> {
    const secret = { namespace, name };
    return secretLock.withLock(keyOf(secret), async () => {
      if (isWanted(secret, owner)) {
        return;
      }
      verified.delete(keyOf(secret));
      if (!(await isNeeded())) {
        await dropOwner(secrets, secret, owner, signal);
      }
    });
  }

  function isWanted({ namespace, name }: SecretName, owner: ObjectRef): boolean {
    return mounts
      .values()
      .some((known) => known.owner.uid === owner.uid && known.pod.namespace === namespace && known.toOwn.has(name));
  }
}

function keyOf({ namespace, name }: SecretName): string {
  return `${namespace}/${name}`;
}

function ownerships(known: Known | undefined): readonly Ownership[] {
  return known === undefined
    ? []
    : [...known.toRelease, ...Array.from(known.toOwn, (name) => ({ name, owner: known.owner }))];
}

function digestOf({ class: { secretObjects, annotations }, versions }: SyncedMount): string {
  const content = JSON.stringify([secretObjects, [...annotations], [...versions]]);
  return createHash('sha256').update(content).digest('base64');
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= work());
}
