import type { MountSpec, PodRef } from '../spec/mount-spec.ts';
import { problemsError } from '../spec/parse-class.ts';
import type { MountCall } from '../spec/parse-request.ts';
import { unlessAborted } from '../unless-aborted.ts';
import type { ClassReader } from './class-reader.ts';
import { mount, type MountDeps } from './mount.ts';
import type { PlannedFile } from './plan.ts';
import type { HeldVolumes } from './volume/held-volumes.ts';

export interface ServeDeps extends MountDeps {
  readonly readClass: ClassReader;
  /** Region of classes that name none. */
  defaultRegion(pod: PodRef, signal: AbortSignal): Promise<string>;
  /** Whether the stores still hold these versions (by file). @throws ProviderError */
  areCurrent(spec: MountSpec, versions: ReadonlyMap<string, string>, signal: AbortSignal): Promise<boolean>;
  /** Where the files go; absent where the driver writes them. */
  readonly volumes?: HeldVolumes;
}

export interface ServedMount {
  readonly spec: MountSpec;
  readonly versions: ReadonlyMap<string, string>;
  /** What the driver is to write; absent where the volume is filled already. */
  readonly files?: readonly PlannedFile[];
  /** Whether the volume holds anything else than before; unknown where the driver writes. */
  readonly changed?: boolean;
}

/**
 * A Mount call to the files in the volume: nothing is written before everything is there.
 * @throws ProviderError
 */
export async function serveMount(call: MountCall, deps: ServeDeps, signal: AbortSignal): Promise<ServedMount> {
  const region = call.parameters.get('region') || (await deps.defaultRegion(call.pod, signal));
  const parsed = deps.readClass(call.parameters, { region, mode: call.mode });
  if (!parsed.ok) {
    throw problemsError(parsed.problems);
  }
  const spec: MountSpec = { ...parsed.spec, targetPath: call.targetPath, pod: call.pod, tokens: call.tokens };
  // The driver must get its answer in time, whatever heeds the signal or does not.
  if (deps.volumes === undefined) {
    const { versions, files } = await unlessAborted(mount(spec, deps, signal), signal);
    return { spec, versions, files };
  }
  const held = await deps.volumes.versionsIn(spec);
  if (held !== undefined && (await unlessAborted(deps.areCurrent(spec, held, signal), signal))) {
    return { spec, versions: held, changed: false };
  }
  const plan = await unlessAborted(mount(spec, deps, signal), signal);
  const changed = await deps.volumes.publish(spec, plan, signal);
  return { spec, versions: plan.versions, changed };
}
