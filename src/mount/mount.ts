import { ProviderError } from '../errors.ts';
import type { SecretBytes } from '../secret-bytes.ts';
import type { MountSpec, ObjectSpec } from '../spec/mount-spec.ts';
import { extract } from './extract.ts';
import { type MountPlan, planMount, type VersionedFile } from './plan.ts';

/** An object as a store gave it. */
export interface FetchedObject {
  readonly object: ObjectSpec;
  /** Region that answered. */
  readonly region: string;
  /** VersionId, or a parameter's version number in decimal. */
  readonly version: string;
  readonly value: SecretBytes;
  /** Milliseconds on the monotonic clock (`performance.now`): when AWS was asked the question that this answers. */
  readonly asOf: number;
}

/** An object, or why it could not be had. */
export type FetchOutcome = FetchedObject | ProviderError;

export interface MountDeps {
  /**
   * Asks the stores, as the pod's identity, for all objects of the spec.
   * @returns an outcome an object, in the spec's order
   * @throws ProviderError for what fails every object alike (no token, no role, no credentials)
   */
  fetchAll(spec: MountSpec, signal: AbortSignal): Promise<readonly FetchOutcome[]>;
}

/**
 * From what a pod asks for to the files of its volume. Whole or not at all: a half-new pair of user and password is worse than an old pair.
 * @throws ProviderError naming every object that failed
 */
export async function mount(spec: MountSpec, deps: MountDeps, signal: AbortSignal): Promise<MountPlan> {
  const outcomes = await deps.fetchAll(spec, signal);
  const files: VersionedFile[] = [];
  const failures: ProviderError[] = [];
  for (const part of outcomes.flatMap((outcome) => (outcome instanceof ProviderError ? [outcome] : extract(outcome)))) {
    if (part instanceof ProviderError) {
      failures.push(part);
    } else {
      files.push(part);
    }
  }
  if (failures.length > 0) {
    throw ProviderError.all(failures);
  }
  const asOf = outcomes.reduce(
    (least, outcome) => (outcome instanceof ProviderError ? least : Math.min(least, outcome.asOf)),
    performance.now(),
  );
  return planMount(files, asOf);
}
