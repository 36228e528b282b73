import { endsWithin, unlessAborted, withTimeout } from '../concurrency/cancellation.ts';
import { areEqualVersions } from '../model/equal-versions.ts';
import { ProviderError } from '../model/errors.ts';
import { type ServedMount, serveSpec } from '../mount/serve.ts';
import type { MountCall } from '../request/parse-request.ts';
import { updateDownstream } from './downstream.ts';
import { finishPoll, type ReconcilerParts } from './finish-poll.ts';
import type { NodeMount } from './node-mounts.ts';
import type { Outcome } from './outcome.ts';
import { presentCall } from './present-call.ts';

/** Longest time that a Mount call waits for the downstream steps. */
const DOWNSTREAM_WAIT_MS = 5_000;

/**
 * Starts to poll a mount after its Mount call was served. Waits a few seconds for its Kubernetes Secrets, because the container that starts next may
 * take environment variables from them.
 * @returns what the volume holds in the end: newer values, if another node had confirmed newer ones
 */
export async function afterMountCall(
  call: MountCall,
  served: ServedMount,
  deps: ReconcilerParts,
  signal: AbortSignal,
): Promise<ServedMount> {
  const { mounts, queue, clock, closing } = deps;
  const mount = mounts.learnCall(call);
  if (mount === undefined || closing.aborted) {
    return served;
  }
  mount.mounted(served);
  if (!isDownstreamCurrent(mount, served) && queue.isBusy(mount)) {
    // The poll under way may have begun before there were files, for example right after a start. Then this call has to make the Secrets.
    queue.add(mount, clock.now());
    await unlessAborted(endsWithin(queue.whenIdle(mount), DOWNSTREAM_WAIT_MS, clock), signal);
  }
  if (!isDownstreamCurrent(mount, served) && !queue.isBusy(mount) && deps.downstream.length > 0) {
    queue.begin(mount);
    const updating = updateAfterCall(mount, served, deps);
    const startedAt = clock.now();
    deps.tasks.start(async () => finishPoll(mount, await updating, startedAt, deps));
    if (await unlessAborted(endsWithin(updating, DOWNSTREAM_WAIT_MS, clock), signal)) {
      const { latest } = await updating;
      mount.versionsNoted(latest.versions);
      return latest;
    }
  } else if (!queue.has(mount)) {
    queue.add(mount, deps.schedule.next(mount, clock.now()));
  }
  return served;
}

/**
 * Runs the downstream steps. If the call was served from the cache, another node may have restarted the pod's workload for values that the cache does not
 * hold. Then the values are fetched now, because a program that reads its files only once is about to do so.
 */
async function updateAfterCall(
  mount: NodeMount,
  served: ServedMount,
  deps: ReconcilerParts,
): Promise<Outcome & { readonly latest: ServedMount }> {
  let [latest, isServed] = [served, true];
  try {
    const ends = withTimeout(deps.clock, deps.mountTimeoutMs, deps.closing);
    const present = await presentCall(mount, deps, ends);
    if (present === undefined) {
      return { latest };
    }
    let outcome = await updateDownstream({ mount, present, served }, deps, ends);
    if (outcome.newerConfirmedAt !== undefined) {
      isServed = false;
      await deps.refresh([served.spec], ends);
      latest = await serveSpec(served.spec, deps, ends);
      isServed = true;
      mount.confirmed(latest);
      outcome = await updateDownstream({ mount, present, served: latest }, deps, ends);
    }
    return { ...outcome, isServed, latest };
  } catch (error) {
    return { isServed, latest, error: ProviderError.from(error) };
  }
}

function isDownstreamCurrent({ downstreamVersions }: NodeMount, { versions }: ServedMount): boolean {
  return downstreamVersions !== undefined && areEqualVersions(downstreamVersions, versions);
}
