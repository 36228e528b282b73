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
  /** Looks up the region of classes that name none. */
  defaultRegion(pod: PodRef, signal: AbortSignal): Promise<string>;
  /** Absent if the provider may not request tokens. */
  readonly requestToken?: RequestToken;
}

export interface ServeDeps extends MountDeps {
  /**
   * Checks that the stores still have these versions (by file).
   * @returns when AWS confirmed them, in milliseconds on the monotonic clock; undefined if one has changed, or if versions are not reliable
   * @throws ProviderError
   */
  confirmVersions(
    spec: MountSpec,
    versions: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<number | undefined>;
  /** The volumes to write to; absent if the driver writes the files. */
  readonly volumes?: Volumes;
}

export interface ServedMount {
  readonly spec: MountSpec;
  readonly versions: ReadonlyMap<string, string>;
  /** When AWS confirmed the versions, in milliseconds on the monotonic clock. */
  readonly confirmedAt: number;
  /** Files that the driver has to write; absent if the provider writes them. */
  readonly files?: readonly PlannedFile[];
  /** Whether the files in the volume have changed; absent if the driver writes them. */
  readonly changed?: boolean;
}

/**
 * Parses a call into a spec, with region and tokens.
 * @throws ProviderError with all problems of the class
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
 * Fetches the values of a spec and writes its files. Nothing is written before all values are there.
 * @throws ProviderError
 */
export async function serveSpec(spec: MountSpec, deps: ServeDeps, signal: AbortSignal): Promise<ServedMount> {
  // The driver must get its response in time, even if some work ignores the signal.
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

/** Parses a Mount call and serves its spec. @throws ProviderError */
export async function serveMount(
  call: MountCall,
  deps: SpecDeps & ServeDeps,
  signal: AbortSignal,
): Promise<ServedMount> {
  return await serveSpec(await specFor(call, deps, signal), deps, signal);
}
