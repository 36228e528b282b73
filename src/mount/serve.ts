import { unlessAborted } from '../concurrency/cancellation.ts';
import type { Clock } from '../concurrency/clock.ts';
import type { TimeSlices } from '../concurrency/time-slices.ts';
import { problemsError } from '../class/parse-class.ts';
import { areEqualVersions } from '../model/equal-versions.ts';
import { ProviderError } from '../model/errors.ts';
import type { FetchedObjects } from '../model/fetched-object.ts';
import type { PlannedFile } from '../model/mount-plan.ts';
import { type MountSpec, partyOf, type PodRef } from '../model/mount-spec.ts';
import type { MountCall } from '../request/parse-request.ts';
import type { ClassReader } from './class-reader.ts';
import { freshTokens, type RequestToken } from './fresh-tokens.ts';
import { planMount } from './plan-mount.ts';
import type { Volumes } from './volume/volumes.ts';

/*
 * The way of a Mount, from top to bottom: call → spec → is the volume still current? → fetch → extract and plan → publish.
 */

export interface SpecDeps {
  readonly clock: Clock;
  readonly readClass: ClassReader;
  /** Looks up the region of classes that name none. */
  defaultRegion(pod: PodRef, signal: AbortSignal): Promise<string>;
  /** Absent if the provider may not request tokens. */
  readonly requestToken?: RequestToken;
}

export interface ServeDeps {
  readonly clock: Clock;
  readonly slices: TimeSlices;
  /**
   * Determines whose permissions the mount uses. Makes no call to AWS.
   * @throws ProviderError if the pod has no token or no role
   */
  authenticate(spec: MountSpec, purpose: Purpose, signal: AbortSignal): Promise<ObjectAccess>;
  /** The volumes to write to; absent if the driver writes the files. */
  readonly volumes?: Volumes;
}

/** A Mount call retries what AWS throttles, as a pod waits for it. A poll does not: it would add to the load, and is repeated anyway. */
export type Purpose = 'mount' | 'poll';

/** The objects of a mount, read with the permissions of its pod. */
export interface ObjectAccess {
  /**
   * Fetches all objects.
   * @returns them in the order of the spec
   * @throws ProviderError if all fail for one reason, such as missing credentials
   */
  fetchAll(signal: AbortSignal): Promise<FetchedObjects>;
  /**
   * Checks that the primary region still has these versions (by file).
   * @returns when AWS confirmed them, in milliseconds on the monotonic clock; undefined if one differs, or if versions are not reliable
   */
  confirmVersions(versions: ReadonlyMap<string, string>, signal: AbortSignal): Promise<number | undefined>;
}

/** Files that a pod has already. */
export interface MountedFiles extends Pick<ServedMount, 'versions' | 'confirmedAt'> {
  /** They are replaced only if AWS has confirmed every new value at this time or later, on the monotonic clock. */
  readonly keepUnlessConfirmedSince: number;
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

/** Parses a Mount call and serves its spec. @throws ProviderError */
export async function serveMount(
  call: MountCall,
  deps: SpecDeps & ServeDeps,
  signal: AbortSignal,
): Promise<ServedMount> {
  return await serveSpec(await specFor(call, deps, signal), deps, signal);
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
 * Fetches the values of a spec and publishes its files. Nothing is written before all values are there.
 * @param mounted for a pod that has files already; absent: the files are written in any case
 * @throws ProviderError
 */
export async function serveSpec(
  spec: MountSpec,
  deps: ServeDeps,
  signal: AbortSignal,
  mounted?: MountedFiles,
): Promise<ServedMount> {
  const held = await deps.volumes?.versionsIn(spec);
  // The driver must get its response in time, even if some work ignores the signal.
  const access = await unlessAborted(deps.authenticate(spec, mounted === undefined ? 'mount' : 'poll', signal), signal);
  const heldSince = held && (await unlessAborted(access.confirmVersions(held, signal), signal));
  if (held !== undefined && heldSince !== undefined) {
    return { spec, versions: held, confirmedAt: heldSince, changed: false };
  }
  const objects = await unlessAborted(access.fetchAll(signal), signal);
  const steps = planMount(objects, deps.clock.now());
  const plan = await unlessAborted(deps.slices.run(partyOf(spec.pod), steps, signal), signal);
  const { versions, confirmedAt } = plan;
  if (mounted !== undefined && (await deps.volumes?.isFilled(spec.targetPath)) === false) {
    throw new ProviderError('VolumeUnwritable', `"${spec.targetPath}" has been emptied`);
  }
  if (mounted !== undefined && confirmedAt < mounted.keepUnlessConfirmedSince) {
    // The cache may hold newer values than the pod: their time is not that of the pod's.
    const isSame = areEqualVersions(versions, mounted.versions);
    return { spec, versions: mounted.versions, confirmedAt: isSame ? confirmedAt : mounted.confirmedAt };
  }
  if (deps.volumes === undefined) {
    return { spec, versions, confirmedAt, files: plan.files };
  }
  const changed = await deps.volumes.publish(spec, plan, signal);
  return { spec, versions, confirmedAt, changed };
}
