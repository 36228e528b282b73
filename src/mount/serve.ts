import type { Clock } from '../concurrency/clock.ts';
import { type MountSpec, partyOf, type PodRef } from '../model/mount-spec.ts';
import { problemsError } from '../class/parse-class.ts';
import type { MountCall } from '../request/parse-request.ts';
import { unlessAborted } from '../concurrency/cancellation.ts';
import type { ClassReader } from './class-reader.ts';
import { mount, type MountDeps } from './mount.ts';
import type { PlannedFile } from '../model/mount-plan.ts';
import { freshTokens, type RequestToken } from './fresh-tokens.ts';
import type { Volumes } from './volume/volumes.ts';

export interface SpecDeps {
  readonly clock: Clock;
  readonly readClass: ClassReader;
  /** Region of classes that name none. */
  defaultRegion(pod: PodRef, signal: AbortSignal): Promise<string>;
  /** Absent where the provider may not ask for tokens. */
  readonly requestToken?: RequestToken;
}

export interface ServeDeps extends MountDeps {
  /**
   * As of when the stores hold these versions (by file), in milliseconds on the monotonic clock.
   * @returns undefined where one has changed, or versions do not tell
   * @throws ProviderError
   */
  confirmVersions(
    spec: MountSpec,
    versions: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<number | undefined>;
  /** Where the files go; absent where the driver writes them. */
  readonly volumes?: Volumes;
}

export interface ServedMount {
  readonly spec: MountSpec;
  readonly versions: ReadonlyMap<string, string>;
  /** When AWS said so, in milliseconds on the monotonic clock. */
  readonly confirmedAt: number;
  /** What the driver is to write; absent where the volume is filled already. */
  readonly files?: readonly PlannedFile[];
  /** Whether the volume holds anything else than before; unknown where the driver writes. */
  readonly changed?: boolean;
}

/**
 * What a call asks for, with nothing left to look up.
 * @throws ProviderError with all that is wrong in the class
 */
export async function specFor(call: MountCall, deps: SpecDeps, signal: AbortSignal): Promise<MountSpec> {
  const { pod, targetPath, parameters, mode } = call;
  const region = parameters.get('region') || (await deps.defaultRegion(pod, signal));
  const parsed = await deps.readClass(parameters, { region, mode }, partyOf(pod), signal);
  if (!parsed.ok) {
    throw problemsError(parsed.problems);
  }
  const { authentication } = parsed.spec;
  const tokens = await freshTokens({ pod, tokens: call.tokens, authentication }, deps, signal);
  return { ...parsed.spec, targetPath, pod, tokens };
}

/**
 * A spec to the files in the volume: nothing is written before everything is there.
 * @throws ProviderError
 */
export async function serveSpec(spec: MountSpec, deps: ServeDeps, signal: AbortSignal): Promise<ServedMount> {
  // The driver must get its answer in time, whatever heeds the signal or does not.
  if (deps.volumes === undefined) {
    const { versions, files, confirmedAt } = await unlessAborted(mount(spec, deps, signal), signal);
    return { spec, versions, files, confirmedAt };
  }
  const held = await deps.volumes.versionsIn(spec);
  if (held !== undefined) {
    const confirmedAt = await unlessAborted(deps.confirmVersions(spec, held, signal), signal);
    if (confirmedAt !== undefined) {
      return { spec, versions: held, confirmedAt, changed: false };
    }
  }
  const plan = await unlessAborted(mount(spec, deps, signal), signal);
  const changed = await deps.volumes.publish(spec, plan, signal);
  return { spec, versions: plan.versions, confirmedAt: plan.confirmedAt, changed };
}

/** A Mount call to the files in the volume. @throws ProviderError */
export async function serveMount(
  call: MountCall,
  deps: SpecDeps & ServeDeps,
  signal: AbortSignal,
): Promise<ServedMount> {
  return await serveSpec(await specFor(call, deps, signal), deps, signal);
}
