import { createBackgroundTasks } from '../concurrency/background-tasks.ts';
import type { Party } from '../concurrency/fair-queue.ts';
import { createLimiter, type Limiter } from '../concurrency/limiter.ts';
import { createWorkQueue } from '../concurrency/work-queue.ts';
import { ProviderError, stackOf } from '../model/errors.ts';
import { type MountSpec, type ObjectSpec, partyOf } from '../model/mount-spec.ts';
import type { ServedMount } from '../mount/serve.ts';
import { mountFields } from '../observability/logger.ts';
import type { MountCall } from '../request/parse-request.ts';
import { createCircuitBreaker } from './circuit-breaker.ts';
import { createDiscovery } from './discovery.ts';
import { finishPoll, type ReconcilerParts } from './finish-poll.ts';
import { dueGroups, groupsOf } from './groups.ts';
import { afterMountCall } from './mount-call.ts';
import { createNodeMounts, type NodeMount } from './node-mounts.ts';
import type { Outcome } from './outcome.ts';
import { pollGroup } from './poll-group.ts';
import type { RotationDeps } from './rotation-deps.ts';
import { createSchedule, eventPollAt } from './schedule.ts';

/** Keeps the node's mounts, and what depends on them, up to date. Stops when disposed of. */
export interface Reconciler extends AsyncDisposable {
  /** As `afterMountCall`. */
  mounted(call: MountCall, served: ServedMount, signal: AbortSignal): Promise<ServedMount>;
  /** Polls the mounts that use these objects now, or in a few seconds if a change event has just caused a poll. */
  onChangeEvents(concerns: Concerns): void;
}

type Concerns = (object: ObjectSpec, region: string) => boolean;

/** Groups that are polled at once. */
const GROUPS_AT_ONCE = 16;

/** Level-based, as Kubernetes controllers are: whatever made a mount due, a poll compares the actual with the desired state. */
export function startReconciler(given: RotationDeps): Reconciler {
  const { clock, log, intervalMs } = given;
  const failFastWhileDown = createCircuitBreaker(clock);
  const deps = { ...given, classOf: failFastWhileDown(given.classOf), podOf: failFastWhileDown(given.podOf) };
  const stopping = new AbortController();
  const closing = stopping.signal;
  const limiter = createLimiter(GROUPS_AT_ONCE);
  const tasks = createBackgroundTasks((error) => {
    if (!closing.aborted) {
      log.error({ stack: stackOf(error) }, 'bug in rotation');
    }
  });
  const queue = createWorkQueue<NodeMount>(clock, (isDue) => {
    for (const group of dueGroups(queue.idle(), isDue, intervalMs)) {
      group.forEach(queue.begin);
      tasks.start(() => poll(group, limiter, parts));
    }
  });
  const mounts = createNodeMounts(clock, deps.kubeletDir, (mount) => {
    queue.remove(mount);
    log.debug(mountFields(mount.pod, mount.className), 'mount is no longer polled');
  });
  const schedule = createSchedule(deps);
  const discovery = createDiscovery(mounts, deps);
  const parts: ReconcilerParts = { ...deps, mounts, queue, schedule, discovery, tasks, closing };
  tasks.start(() => discovery.run((mount) => queue.add(mount, schedule.first(mount)), closing));
  return {
    mounted: (call, served, signal) => afterMountCall(call, served, parts, signal),
    onChangeEvents: (concerns) => requestPolls(concerns, parts),
    async [Symbol.asyncDispose]() {
      stopping.abort(new ProviderError('Cancelled', 'the provider is stopping'));
      queue.stop();
      await tasks.ended();
    },
  };
}

async function poll(group: readonly NodeMount[], limiter: Limiter, parts: ReconcilerParts): Promise<void> {
  const { clock, closing } = parts;
  let outcomes: ReadonlyMap<NodeMount, Outcome> = new Map();
  let startedAt = clock.now();
  try {
    outcomes = await limiter.run(
      { lane: '', party: partyOfGroup(group) },
      () => {
        startedAt = clock.now();
        return pollGroup(group, parts, closing);
      },
      closing,
    );
  } finally {
    await Promise.all(group.map((mount) => finishPoll(mount, outcomes.get(mount), startedAt, parts)));
  }
}

/** All mounts of a group belong to one service account. */
function partyOfGroup([mount]: readonly NodeMount[]): Party {
  return mount === undefined ? [] : partyOf(mount.pod);
}

function requestPolls(concerns: Concerns, { mounts, queue, clock, intervalMs }: ReconcilerParts): void {
  for (const group of groupsOf(mounts.all(), intervalMs)) {
    const at = eventPollAt(Math.max(...group.map(({ eventAt }) => eventAt)), clock.now());
    for (const mount of group.filter(({ spec }) => isConcerned(spec, concerns))) {
      mount.pollRequested(at);
      queue.add(mount, at);
    }
  }
}

function isConcerned(spec: MountSpec | undefined, concerns: Concerns): boolean {
  return spec?.regions.some((region) => spec.objects.some((object) => concerns(object, region))) === true;
}
