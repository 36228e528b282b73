import type { Party } from '../concurrency/fair-queue.ts';
import { createLimiter } from '../concurrency/limiter.ts';
import { createWorkQueue } from '../concurrency/work-queue.ts';
import { ProviderError, stackOf } from '../model/errors.ts';
import { type MountSpec, type ObjectSpec, partyOf } from '../model/mount-spec.ts';
import type { ServedMount } from '../mount/serve.ts';
import type { MountCall } from '../request/parse-request.ts';
import { createCircuitBreaker } from './circuit-breaker.ts';
import { createDiscovery, type DiscoveryDeps } from './discovery.ts';
import { afterMountCall } from './mount-call.ts';
import { createNodeMounts, type NodeMount } from './node-mounts.ts';
import { type Outcome, pollGroup, type PollDeps } from './poll-group.ts';
import { ageOf, createReport, type ReportDeps } from './report.ts';
import { eventPollAt, firstPollIn, groupOf, nextPollAt, retryIn } from './schedule.ts';

export interface ReconcilerDeps extends PollDeps, Omit<DiscoveryDeps, 'discoverEveryMs'>, ReportDeps {
  /** Milliseconds from one poll of a mount to the next, for classes without `rotationPollInterval`. */
  readonly intervalMs: number;
}

/** How long ago the files of a pod were confirmed. */
export interface Staleness {
  readonly namespace: string;
  readonly pod: string;
  readonly className: string;
  /** Milliseconds since AWS last confirmed the files; undefined if it has not confirmed them to this process yet. */
  readonly ageMs: number | undefined;
}

/** Keeps the node's mounts, and what depends on them, up to date. Stops when disposed of. */
export interface Reconciler extends AsyncDisposable {
  /** As `afterMountCall`. */
  mounted(call: MountCall, served: ServedMount, signal: AbortSignal): Promise<ServedMount>;
  /** Polls the mounts that use these objects now, or in a few seconds if a change event has just caused a poll. */
  onChangeEvents(concerns: (object: ObjectSpec, region: string) => boolean): void;
  staleness(): readonly Staleness[];
}

/** Groups that are polled at once. */
const GROUPS_AT_ONCE = 16;
const LONGEST_DISCOVERY_MS = 60_000;

/** Level-based, as Kubernetes controllers are: whatever made a mount due, a poll compares the actual with the desired state. */
export function startReconciler(given: ReconcilerDeps): Reconciler {
  const { clock, log, intervalMs } = given;
  const failFastWhileDown = createCircuitBreaker(clock);
  const deps = { ...given, classOf: failFastWhileDown(given.classOf), podOf: failFastWhileDown(given.podOf) };
  const closing = new AbortController();
  const mounts = createNodeMounts(deps.kubeletDir, clock);
  const report = createReport(deps);
  const limiter = createLimiter(GROUPS_AT_ONCE);
  const running = new Set<Promise<void>>();
  const queue = createWorkQueue<NodeMount>(clock, pollDue);
  const discovery = createDiscovery(mounts, {
    ...deps,
    discoverEveryMs: Math.min(intervalMs, LONGEST_DISCOVERY_MS),
  });

  function intervalOf({ spec }: NodeMount): number {
    return spec?.pollIntervalMs ?? intervalMs;
  }

  /** Mounts of one group are polled together: the same calls to AWS serve all of them. */
  function groupKey(mount: NodeMount): string {
    const { spec, pod } = mount;
    // Before the first poll of a mount its role is unknown. Pods of one service account most likely have the same one.
    return spec === undefined ? partyOf(pod).join('/') : groupOf(spec, intervalOf(mount));
  }

  function jitterKey(mount: NodeMount): string {
    return `${deps.nodeName} ${groupKey(mount)}`;
  }

  /** Runs work in the background; disposing of the reconciler waits for it. */
  function start(work: () => Promise<void>): void {
    const task = work()
      .catch((error: unknown) => {
        if (!closing.signal.aborted) {
          log.error({ stack: stackOf(error) }, 'bug in rotation');
        }
      })
      .finally(() => running.delete(task));
    running.add(task);
  }

  async function discover(): Promise<void> {
    while (!closing.signal.aborted) {
      const waitMs = await discovery.run((mount) => {
        queue.add(mount, clock.now() + firstPollIn(jitterKey(mount), intervalMs));
      }, closing.signal);
      await clock.sleep(waitMs, closing.signal).catch(() => undefined);
    }
  }

  /** Also takes mounts that no longer exist, or that another pod has replaced, out of the queue. */
  function isKnown(mount: NodeMount): boolean {
    const isCurrent = mounts.get(mount.targetPath) === mount;
    if (!isCurrent) {
      queue.remove(mount);
    }
    return isCurrent;
  }

  function pollDue(isDue: (mount: NodeMount) => boolean): void {
    for (const group of Map.groupBy(queue.idle().filter(isKnown), groupKey).values()) {
      if (group.some(isDue)) {
        // Healthy mounts join early, as the calls to AWS are the same. A failing mount waits until its retry is due.
        const members = group.filter((mount) => isDue(mount) || mount.failures === 0);
        members.forEach(queue.begin);
        start(() => poll(members));
      }
    }
  }

  async function poll(members: readonly NodeMount[]): Promise<void> {
    let outcomes: ReadonlyMap<NodeMount, Outcome> = new Map();
    let startedAt = clock.now();
    try {
      outcomes = await limiter.run(
        { lane: '', party: partyOfGroup(members) },
        () => {
          startedAt = clock.now();
          return pollGroup(members, deps, closing.signal);
        },
        closing.signal,
      );
    } finally {
      await Promise.all(members.map((mount) => end(mount, outcomes.get(mount), startedAt)));
    }
  }

  /** Puts a mount back into the queue, and reports. @param outcome absent if the poll itself threw */
  async function end(mount: NodeMount, outcome: Outcome | undefined, startedAt: number): Promise<void> {
    const wasFailing = mount.failures > 0;
    if (outcome?.isGone === true) {
      mounts.forget(mount.targetPath);
    }
    // Discovery may have removed the mount, and released its Secrets before this poll wrote them again.
    if (mounts.get(mount.targetPath) !== mount) {
      queue.remove(mount);
      discovery.enqueueRemoval(mount.targetPath);
      return;
    }
    const { rotated = [], error, isServed = false } = outcome ?? {};
    const isFailed = outcome === undefined || error !== undefined;
    mount.failures = isFailed ? mount.failures + 1 : 0;
    queue.end(mount, isFailed ? retryAt(mount) : nextPollOf(mount, startedAt, outcome.dueInMs), startedAt);
    // A failure caused by the shutdown is not the fault of the mount.
    if (closing.signal.aborted) {
      return;
    }
    if (rotated.length > 0) {
      await report.rotated(mount, rotated, closing.signal);
    }
    if (error !== undefined) {
      await report.failed(mount, error, isServed, closing.signal);
    } else if (wasFailing) {
      await report.recovered(mount, closing.signal);
    }
  }

  function retryAt(mount: NodeMount): number {
    return clock.now() + retryIn(mount.failures, jitterKey(mount), intervalOf(mount));
  }

  function nextPollOf(mount: NodeMount, startedAt: number, dueInMs = Number.POSITIVE_INFINITY): number {
    // Without rotation no poll confirms anything: counted from the Mount call, each poll would be overdue.
    const confirmedAt = deps.rotates ? mount.current?.confirmedAt : undefined;
    const at = nextPollAt({ startedAt, confirmedAt }, jitterKey(mount), intervalOf(mount));
    return Math.min(at, clock.now() + dueInMs);
  }

  const callDeps = {
    ...deps,
    mounts,
    queue,
    nextPollOf,
    closing: closing.signal,
    finish: (mount: NodeMount, outcome: Promise<Outcome>, startedAt: number) =>
      start(async () => end(mount, await outcome, startedAt)),
  };
  start(discover);
  return {
    mounted: (call, served, signal) => afterMountCall(call, served, callDeps, signal),
    onChangeEvents(concerns) {
      const now = clock.now();
      for (const group of Map.groupBy(mounts.all(), groupKey).values()) {
        const lastAt = Math.max(...group.map(({ eventAt }) => eventAt));
        const at = eventPollAt(lastAt, now);
        for (const mount of group.filter(({ spec }) => isConcerned(spec, concerns))) {
          mount.eventAt = at;
          queue.add(mount, at);
        }
      }
    },
    staleness: () =>
      [...mounts.all()].map((mount) => ({
        namespace: mount.pod.namespace,
        pod: mount.pod.name,
        className: mount.className,
        ageMs: ageOf(mount, clock),
      })),
    async [Symbol.asyncDispose]() {
      closing.abort(new ProviderError('Cancelled', 'the provider is stopping'));
      queue.stop();
      await Promise.all(running);
    },
  };
}

function isConcerned(spec: MountSpec | undefined, concerns: (object: ObjectSpec, region: string) => boolean): boolean {
  return spec?.regions.some((region) => spec.objects.some((object) => concerns(object, region))) === true;
}

/** All mounts of a group belong to one service account. */
function partyOfGroup([mount]: readonly NodeMount[]): Party {
  return mount === undefined ? [] : partyOf(mount.pod);
}
