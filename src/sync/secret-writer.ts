import { createCache } from '../concurrency/cache.ts';
import type { Clock } from '../concurrency/clock.ts';
import { createKeyedLock } from '../concurrency/keyed-lock.ts';
import { createLimiter } from '../concurrency/limiter.ts';
import type { Verdict } from '../model/downstream.ts';
import { createPaceBySize } from './pace-by-size.ts';
import { dropOwner, type OwnedSecret, reconcileSecret } from './reconcile-secret.ts';
import type { SecretApi, SecretContent, SecretName } from './secret-api.ts';

export interface SecretWriterDeps {
  readonly secrets: SecretApi;
  /** For how long a verified Secret is not read again, in milliseconds. */
  readonly verifyMs: number;
  readonly clock: Clock;
}

/** What a Secret must hold for a mount. */
interface SecretToWrite extends OwnedSecret {
  /** Wall clock: when AWS confirmed the content. */
  readonly confirmedAt: number;
  /** Monotonic clock: since when the mount is known. */
  readonly since: number;
  /** Digest of all that the content is made of. */
  readonly digest: string;
  /** @throws ProviderError */
  content(): Promise<SecretContent>;
}

/** Writes Secrets and their owners, each Secret one write at a time. All: @throws ProviderError, or the signal's reason */
export interface SecretWriter {
  /** Does nothing if the Secret was verified a short while ago. */
  write(secret: SecretToWrite, signal: AbortSignal): Promise<Verdict>;
  /** Removes an owner from a Secret. @param isNeeded asked while nothing else writes the Secret */
  release(secret: OwnedSecret, isNeeded: () => boolean | Promise<boolean>, signal: AbortSignal): Promise<void>;
}

/** The result of the last verification of a Secret. */
interface Verified {
  /** Monotonic clock. */
  readonly at: number;
  readonly digest: string;
  readonly owners: ReadonlySet<string>;
  readonly verdict: Verdict;
}

/** Secrets that are written at once, for all mounts together. Namespaces take turns. */
const MAX_CONCURRENT = 12;
/** More than the mounts of a node name. */
const MAX_VERIFIED = 10_000;

export function createSecretWriter(deps: SecretWriterDeps): SecretWriter {
  const { secrets, verifyMs, clock } = deps;
  const verified = createCache<Verified>(clock, { ttlMs: verifyMs, maxEntries: MAX_VERIFIED });
  const lock = createKeyedLock();
  const limiter = createLimiter(MAX_CONCURRENT);
  const paceBySize = createPaceBySize(clock);

  async function inTurn<Result>(
    { namespace }: SecretName,
    work: () => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    return await limiter.run({ lane: 'secrets', party: [namespace] }, work, signal);
  }

  return {
    write: (secret, signal) =>
      lock.withLock(keyOf(secret), async () => {
        const at = clock.now();
        const known = verified.get(keyOf(secret));
        if (known !== undefined && isVerified(known, secret)) {
          return known.verdict;
        }
        verified.delete(keyOf(secret));
        const { namespace, name, owner, confirmedAt, digest } = secret;
        const { owners, verdict } = await inTurn(
          secret,
          async () => {
            // Content that takes no I/O would otherwise be made without a pause.
            await clock.yield();
            const content = await secret.content();
            const wanted = { namespace, name, owner, confirmedAt, content };
            return await paceBySize(namespace, content, () => reconcileSecret(wanted, deps, signal), signal);
          },
          signal,
        );
        verified.set(keyOf(secret), { at, digest, owners: new Set(owners.map(({ uid }) => uid)), verdict });
        return verdict;
      }),
    release: (secret, isNeeded, signal) =>
      lock.withLock(keyOf(secret), async () => {
        if (!(await isNeeded())) {
          verified.delete(keyOf(secret));
          await inTurn(secret, () => dropOwner(secret, secrets, signal), signal);
        }
      }),
  };
}

function isVerified(known: Verified, { since, digest, owner, confirmedAt }: SecretToWrite): boolean {
  return (
    // A result from before the mount existed may be stale: a deleted Secret may be why the pod is new.
    known.at >= since &&
    known.digest === digest &&
    known.owners.has(owner.uid) &&
    confirmedAt < (known.verdict.newerConfirmedAt ?? Infinity)
  );
}

function keyOf({ namespace, name }: SecretName): string {
  return `${namespace}/${name}`;
}
