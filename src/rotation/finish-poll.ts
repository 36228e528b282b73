import type { BackgroundTasks } from '../concurrency/background-tasks.ts';
import type { WorkQueue } from '../concurrency/work-queue.ts';
import type { Discovery } from './discovery.ts';
import type { NodeMount, NodeMounts } from './node-mounts.ts';
import type { Outcome } from './outcome.ts';
import { reportPoll } from './report.ts';
import type { RotationDeps } from './rotation-deps.ts';
import type { Schedule } from './schedule.ts';

/** What the parts of the reconciler share. */
export interface ReconcilerParts extends RotationDeps {
  readonly mounts: NodeMounts;
  readonly queue: WorkQueue<NodeMount>;
  readonly schedule: Schedule;
  readonly discovery: Discovery;
  readonly tasks: BackgroundTasks;
  /** Aborts when the process ends. */
  readonly closing: AbortSignal;
}

/** Puts a mount back into the queue, and reports. @param outcome absent if the poll itself threw */
export async function finishPoll(
  mount: NodeMount,
  outcome: Outcome | undefined,
  startedAt: number,
  parts: ReconcilerParts,
): Promise<void> {
  const { mounts, queue, schedule, closing } = parts;
  if (outcome?.isGone === true) {
    mounts.forget(mount.targetPath);
  }
  // Discovery may have removed the mount, and released its Secrets before this poll wrote them again.
  if (mounts.get(mount.targetPath) !== mount) {
    queue.remove(mount);
    parts.discovery.enqueueRemoval(mount.targetPath);
    return;
  }
  const isFailed = outcome === undefined || outcome.error !== undefined;
  const wasFailing = mount.pollEnded(isFailed);
  queue.end(mount, isFailed ? schedule.retry(mount) : schedule.next(mount, startedAt, outcome.dueInMs), startedAt);
  // A failure caused by the shutdown is not the fault of the mount. A bug is reported by what started the poll.
  if (!closing.aborted && outcome !== undefined) {
    await reportPoll(mount, { ...outcome, wasFailing }, parts, closing);
  }
}
