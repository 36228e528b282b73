import type { MountSpec, PodRef } from '../spec/mount-spec.ts';
import { parseClass, problemsError } from '../spec/parse-class.ts';
import type { MountCall } from '../spec/parse-request.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { mount, type MountDeps } from './mount.ts';
import type { MountPlan } from './plan.ts';
import type { Volumes } from './volumes.ts';

export interface ServeDeps extends MountDeps {
  /** Region of classes that name none. */
  defaultRegion(pod: PodRef, signal: AbortSignal): Promise<string>;
  /** Where the files go; absent where the driver writes them. */
  readonly volumes?: Volumes;
}

export interface ServedMount {
  readonly spec: MountSpec;
  readonly plan: MountPlan;
  /** Whether the volume holds anything else than before; unknown where the driver writes. */
  readonly changed?: boolean;
}

/**
 * A Mount call to the files in the volume: nothing is written before everything is there.
 * @throws ProviderError
 */
export async function serveMount(call: MountCall, deps: ServeDeps, signal: AbortSignal): Promise<ServedMount> {
  const region = call.parameters.get('region') || (await deps.defaultRegion(call.pod, signal));
  const parsed = parseClass(call.parameters, { region, mode: call.mode });
  if (!parsed.ok) {
    throw problemsError(parsed.problems);
  }
  const spec: MountSpec = { ...parsed.spec, targetPath: call.targetPath, pod: call.pod, tokens: call.tokens };
  // The driver must get its answer in time, whatever heeds the signal or does not.
  const plan = await unlessAborted(mount(spec, deps, signal), signal);
  if (deps.volumes === undefined) {
    return { spec, plan };
  }
  const { changed } = await deps.volumes.publish(spec.targetPath, plan.files, signal);
  return { spec, plan, changed };
}
