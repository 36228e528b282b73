import type { Clock } from '../concurrency/clock.ts';
import { ProviderError } from '../model/errors.ts';
import type { Steps, TimeSlices } from '../concurrency/time-slices.ts';
import type { SecretBytes } from '../model/secret-bytes.ts';
import { type MountSpec, type ObjectSpec, partyOf } from '../model/mount-spec.ts';
import { createJmesPath } from '../class/jmespath/jmespath.ts';
import { extract } from './extract.ts';
import type { MountPlan, VersionedFile } from '../model/mount-plan.ts';
import { checkSize, planMount } from './plan-mount.ts';

/** An object as a store returned it. */
export interface FetchedObject {
  readonly object: ObjectSpec;
  /** Region that returned it. */
  readonly region: string;
  /** VersionId, or a parameter's version number in decimal. */
  readonly version: string;
  readonly value: SecretBytes;
  /** Milliseconds on the monotonic clock: when the request was sent. */
  readonly confirmedAt: number;
}

/** An object, or why it could not be fetched. */
export type FetchOutcome = FetchedObject | ProviderError;

export interface MountDeps {
  readonly slices: TimeSlices;
  readonly clock: Clock;
  /**
   * Fetches all objects of the spec with the pod's identity.
   * @returns one outcome per object, in the order of the spec
   * @throws ProviderError if all objects fail for one reason (no token, no role, no credentials)
   */
  fetchAll(spec: MountSpec, signal: AbortSignal): Promise<readonly FetchOutcome[]>;
}

/**
 * Plans the files of a volume. It succeeds as a whole or fails as a whole: a new user name with an old password is worse than an old pair.
 * @throws ProviderError naming every object that failed
 */
export async function mount(spec: MountSpec, deps: MountDeps, signal: AbortSignal): Promise<MountPlan> {
  const outcomes = await deps.fetchAll(spec, signal);
  const files = await deps.slices.run(partyOf(spec.pod), filesOf(outcomes), signal);
  const confirmedAt = outcomes.reduce(
    (least, outcome) => (outcome instanceof ProviderError ? least : Math.min(least, outcome.confirmedAt)),
    deps.clock.now(),
  );
  return planMount(files, confirmedAt);
}

/** Failures of a mount that are listed; the others are only counted. */
const MAX_FAILURES = 100;

/** @throws ProviderError naming the objects that failed */
function* filesOf(outcomes: readonly FetchOutcome[]): Steps<readonly VersionedFile[]> {
  const jmesPath = createJmesPath();
  const files: VersionedFile[] = [];
  const failures: ProviderError[] = [];
  let failed = 0;
  // Every object is written as a whole too, so this detects too large a payload before any extraction.
  let size = outcomes.reduce((sum, outcome) => sum + (outcome instanceof ProviderError ? 0 : outcome.value.size), 0);
  checkSize(size);
  for (const outcome of outcomes) {
    for (const part of outcome instanceof ProviderError ? [outcome] : extract(outcome, jmesPath)) {
      yield;
      if (part instanceof ProviderError) {
        failed += 1;
        if (failed <= MAX_FAILURES) {
          failures.push(part);
        }
        continue;
      }
      size += outcome instanceof ProviderError || part.value === outcome.value ? 0 : part.value.size;
      checkSize(size);
      files.push(part);
    }
  }
  const [first] = failures;
  if (first === undefined) {
    return files;
  }
  const rest = failed - failures.length;
  throw ProviderError.all(rest > 0 ? [...failures, new ProviderError(first.reason, `and ${rest} more`)] : failures);
}
