import { endsWithin, unlessAborted } from '../concurrency/cancellation.ts';
import type { WorkQueue } from '../concurrency/work-queue.ts';
import { ProviderError } from '../model/errors.ts';
import { areEqualVersions } from '../model/equal-versions.ts';
import { type ServedMount, serveSpec } from '../mount/serve.ts';
import type { MountCall } from '../request/parse-request.ts';
import { updateDownstream } from './downstream.ts';
import type { NodeMount, NodeMounts } from './node-mounts.ts';
import type { Outcome, PollDeps } from './poll-group.ts';
import { presentCall } from './present-call.ts';

export interface MountCallDeps extends PollDeps {
  readonly mounts: NodeMounts;
  readonly queue: WorkQueue<NodeMount>;
  /** Aborts when the process ends. */
  readonly closing: AbortSignal;
  /** @returns when to poll the mount next */
  nextPollOf(mount: NodeMount, startedAt: number): number;
  /** Lets the work finish in the background, even if the call has ended, and then puts the mount back into the queue. */
  finish(mount: NodeMount, outcome: Promise<Outcome>, startedAt: number): void;
}

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
  deps: MountCallDeps,
  signal: AbortSignal,
): Promise<ServedMount> {
  const { mounts, queue, clock, closing } = deps;
  const mount = mounts.learnCall(call);
  if (mount === undefined || closing.aborted) {
    return served;
  }
  mount.spec = served.spec;
  mount.noted = served.versions;
  mount.current = { versions: served.versions, confirmedAt: served.confirmedAt };
  if (!isDownstreamCurrent(mount, served) && queue.isBusy(mount)) {
    // The poll under way may have begun before there were files, for example right after a start. Then this call has to make the Secrets.
    queue.add(mount, clock.now());
    await unlessAborted(endsWithin(queue.whenIdle(mount), DOWNSTREAM_WAIT_MS, clock), signal);
  }
  if (!isDownstreamCurrent(mount, served) && !queue.isBusy(mount) && deps.downstream.length > 0) {
    queue.begin(mount);
    const startedAt = clock.now();
    const updating = updateAfterCall(mount, served, deps);
    deps.finish(mount, updating, startedAt);
    if (await unlessAborted(endsWithin(updating, DOWNSTREAM_WAIT_MS, clock), signal)) {
      const { latest } = await updating;
      mount.noted = latest.versions;
      return latest;
    }
  } else if (!queue.has(mount)) {
    queue.add(mount, deps.nextPollOf(mount, clock.now()));
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
  deps: MountCallDeps,
): Promise<Outcome & { readonly latest: ServedMount }> {
  let [latest, isServed] = [served, true];
  try {
    const ends = AbortSignal.any([deps.closing, deps.clock.timeout(deps.mountTimeoutMs)]);
    const present = await presentCall(mount, deps, ends);
    if (present === undefined) {
      return { rotated: [], latest };
    }
    let result = await updateDownstream(mount, present, served, deps, ends);
    if (result.isNewerElsewhere === true) {
      isServed = false;
      await deps.refresh([served.spec], ends);
      latest = await serveSpec(served.spec, deps, ends);
      isServed = true;
      // Without the files: the driver gets them, and secrets are not kept longer than needed.
      mount.current = { versions: latest.versions, confirmedAt: latest.confirmedAt };
      result = await updateDownstream(mount, present, latest, deps, ends);
    }
    return { rotated: [], latest, ...(result.dueInMs !== undefined && { dueInMs: result.dueInMs }) };
  } catch (error) {
    return { isServed, rotated: [], latest, error: ProviderError.from(error) };
  }
}

function isDownstreamCurrent({ downstreamVersions }: NodeMount, { versions }: ServedMount): boolean {
  return downstreamVersions !== undefined && areEqualVersions(downstreamVersions, versions);
}
