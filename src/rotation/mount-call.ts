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
  /** When a mount is polled next that AWS confirmed then. */
  nextPollOf(mount: NodeMount, startedAt: number): number;
  /** Does work that goes on though nobody waits for it, and puts the mount back into the queue. */
  finish(mount: NodeMount, outcome: Promise<Outcome>, startedAt: number): void;
}

/** Longest time that a Mount call waits for what depends on its files. */
const DOWNSTREAM_WAIT_MS = 5_000;

/**
 * After a Mount call was served: from now on the mount is polled. Waits, but not for long, until its Kubernetes Secrets are there: a container
 * that takes a variable from one starts next.
 * @returns what the volume holds then: newer values, where another node knew of newer ones
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
    // The poll under way may have begun before there were files, as right after a start, and leave the Secrets to this call.
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
 * The call may have been served from the cache, and its pod be new because another node has restarted its workload for values that the cache does
 * not hold: then AWS is asked now, since a program that reads its files once does so next.
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
      // Not its files: they are for the driver, and nothing to keep.
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
