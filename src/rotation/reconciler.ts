import { endsWithin, unlessAborted } from '../concurrency/cancellation.ts';
import { ProviderError, stackOf } from '../model/errors.ts';
import { createLimiter } from '../concurrency/limiter.ts';
import { type ServedMount, serveSpec } from '../mount/serve.ts';
import { areEqualVersions } from '../model/equal-versions.ts';
import { type MountSpec, type ObjectSpec, partyOf } from '../model/mount-spec.ts';
import type { MountCall } from '../request/parse-request.ts';
import { createCircuitBreaker } from './circuit-breaker.ts';
import { updateDownstream } from './downstream.ts';
import { createNodeMounts, type NodeMount } from './node-mounts.ts';
import { presentCall } from './present-call.ts';
import { ageOf, createReport, type ReportDeps } from './report.ts';
import { firstPollIn, groupOf, nextPollAt, eventPollAt, retryIn } from './schedule.ts';
import { createDiscovery, type DiscoveryDeps } from './discovery.ts';
import { type Outcome, pollGroup, type PollDeps } from './poll-group.ts';

export interface ReconcilerDeps extends PollDeps, Omit<DiscoveryDeps, 'discoverEveryMs'>, ReportDeps {
  /** Milliseconds from one look at a mount to the next, for classes that do not say. */
  readonly intervalMs: number;
}

/** How old what a pod holds may be. */
export interface Staleness {
  readonly namespace: string;
  readonly pod: string;
  readonly className: string;
  /** Milliseconds since AWS last said that its files are current; undefined where this process has not heard so yet. */
  readonly ageMs: number | undefined;
}

/** Sees to it that the node's mounts, and what goes by them, hold the latest values. Stops when disposed of. */
export interface Reconciler extends AsyncDisposable {
  /**
   * A Mount call was served: from now on the mount is looked after. Waits, but not for long, until Secrets have followed: a container that
   * takes a variable from one starts next.
   * @returns what the volume holds then: it is newer where another node knew of newer
   */
  mounted(call: MountCall, served: ServedMount, signal: AbortSignal): Promise<ServedMount>;
  /** Something is said to have changed: mounts that ask for it are looked at now, or soon where they just were for the same reason. */
  notice(concerns: (object: ObjectSpec, region: string) => boolean): void;
  staleness(): readonly Staleness[];
}

/** Longest time that a Mount call waits for what follows it. */
const FOLLOW_WAIT_MS = 5_000;
/** Groups that are looked at at once; each asks AWS a question or two. */
const GROUPS_AT_ONCE = 16;
const LONGEST_DISCOVERY_MS = 60_000;
/** Node takes no longer ones. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Keys are mounts, reasons are none: whatever woke it, a turn looks at what is there and at what should be. */
export function startReconciler(given: ReconcilerDeps): Reconciler {
  const { clock } = given;
  const failFastWhileDown = createCircuitBreaker(clock);
  const deps = { ...given, classOf: failFastWhileDown(given.classOf), podOf: failFastWhileDown(given.podOf) };
  const closing = new AbortController();
  const mounts = createNodeMounts(deps.kubeletDir, clock);
  const report = createReport(deps);
  const limiter = createLimiter(GROUPS_AT_ONCE);
  const surveys = createDiscovery(mounts, {
    ...deps,
    discoverEveryMs: Math.min(deps.intervalMs, LONGEST_DISCOVERY_MS),
  });
  const running = new Set<Promise<void>>();
  let discoverAt = clock.now();
  let timer = new AbortController();

  function intervalOf({ spec }: NodeMount): number {
    return spec?.pollIntervalMs ?? deps.intervalMs;
  }

  function groupKey(mount: NodeMount): string {
    const { spec, pod } = mount;
    // Mounts that only the API server told of are most likely of one identity where their pods are of one service account.
    return spec === undefined ? partyOf(pod) : groupOf(spec, intervalOf(mount));
  }

  function jitterKey(mount: NodeMount): string {
    return `${deps.nodeName} ${groupKey(mount)}`;
  }

  function idle(): readonly NodeMount[] {
    return [...mounts.all()].filter(({ isBusy }) => !isBusy);
  }

  /** Work that ends by itself, and at the latest with the process. */
  function start(work: () => Promise<void>): Promise<void> {
    const task = work()
      .catch((error: unknown) => {
        if (!closing.signal.aborted) {
          deps.log.error({ stack: stackOf(error) }, 'bug in rotation');
        }
      })
      .finally(() => {
        running.delete(task);
        arm();
      });
    running.add(task);
    return task;
  }

  function arm(): void {
    timer.abort();
    if (!closing.signal.aborted) {
      const nextAt = Math.min(discoverAt, ...idle().map(({ dueAt }) => dueAt));
      timer = new AbortController();
      clock
        .sleep(Math.min(Math.max(nextAt - clock.now(), 0), MAX_TIMEOUT_MS), timer.signal)
        .then(wake, () => undefined);
    }
  }

  function wake(): void {
    const now = clock.now();
    if (discoverAt <= now) {
      discoverAt = Number.POSITIVE_INFINITY;
      void start(async () => {
        discoverAt = clock.now() + (await surveys.run(scheduleFirstPoll, closing.signal));
      });
    }
    for (const group of Map.groupBy(idle(), groupKey).values()) {
      if (group.some(({ dueAt }) => dueAt <= now)) {
        // Who is well goes along, as the question is the same; who is not waits until it is time to try again.
        const members = group.filter(({ dueAt, failures }) => dueAt <= now || failures === 0);
        members.forEach(begin);
        void start(() => look(members));
      }
    }
    arm();
  }

  function scheduleFirstPoll(mount: NodeMount): void {
    mount.dueAt = clock.now() + firstPollIn(jitterKey(mount), deps.intervalMs);
  }

  async function look(members: readonly NodeMount[]): Promise<void> {
    let outcomes: ReadonlyMap<NodeMount, Outcome> = new Map();
    let startedAt = clock.now();
    async function turn(): Promise<ReadonlyMap<NodeMount, Outcome>> {
      startedAt = clock.now();
      return await pollGroup(members, deps, closing.signal);
    }
    try {
      outcomes = await limiter.run({ lane: '', party: partyOfGroup(members) }, turn, closing.signal);
    } finally {
      const told = members.map((mount) => end(mount, outcomes.get(mount), startedAt));
      await Promise.all(told);
    }
  }

  /** @param outcome absent where the turn itself broke down */
  async function end(mount: NodeMount, outcome: Outcome | undefined, startedAt: number): Promise<void> {
    const { isGone = false, isServed = false, rotated = [], error } = outcome ?? {};
    const wasFailing = mount.failures > 0;
    mount.isBusy = false;
    mount.idle.resolve();
    // How a process ends says nothing of its mounts.
    if (closing.signal.aborted) {
      return;
    }
    if (isGone) {
      mounts.forget(mount.targetPath);
    }
    // A survey may have found it gone, and had dropped what this look then followed once more.
    if (mounts.get(mount.targetPath) !== mount) {
      surveys.gone(mount.targetPath);
      return;
    }
    if (outcome === undefined || error !== undefined) {
      mount.failures += 1;
      mount.dueAt = clock.now() + retryIn(mount.failures, jitterKey(mount), intervalOf(mount));
    } else {
      mount.failures = 0;
      mount.dueAt = nextPollAt(
        { startedAt, confirmedAt: mount.current?.confirmedAt },
        jitterKey(mount),
        intervalOf(mount),
      );
    }
    if (mount.isWanted) {
      mount.dueAt = clock.now();
    } else if (mount.eventAt >= startedAt) {
      mount.dueAt = Math.min(mount.dueAt, mount.eventAt);
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

  /**
   * What follows a Mount call. It may have been served from memory, and its pod be new because another node has rolled its workload for
   * what memory does not know: then AWS is asked now, since a program that reads its files once does so next.
   * @returns how it came out; telling of it is nothing to wait for
   */
  async function follow(mount: NodeMount, served: ServedMount): Promise<Outcome & { readonly latest: ServedMount }> {
    let [latest, isServed] = [served, true];
    try {
      const ends = AbortSignal.any([closing.signal, clock.timeout(deps.mountTimeoutMs)]);
      const present = await presentCall(mount, deps, ends);
      if (present !== undefined && (await updateDownstream(mount, present, served, deps, ends)) === 'newer elsewhere') {
        isServed = false;
        await deps.refresh([served.spec], ends);
        latest = await serveSpec(served.spec, deps, ends);
        isServed = true;
        // Not its files: they are for the driver, and nothing to keep.
        mount.current = { versions: latest.versions, confirmedAt: latest.confirmedAt };
        await updateDownstream(mount, present, latest, deps, ends);
      }
      return { rotated: [], latest };
    } catch (error) {
      return { isServed, rotated: [], latest, error: ProviderError.from(error) };
    }
  }

  arm();
  return {
    async mounted(call, served, signal) {
      const mount = mounts.learnCall(call);
      if (mount === undefined || closing.signal.aborted) {
        return served;
      }
      mount.spec = served.spec;
      mount.noted = served.versions;
      mount.current = { versions: served.versions, confirmedAt: served.confirmedAt };
      if (!isFollowedBy(mount, served) && mount.isBusy) {
        mount.isWanted = true;
        // What is under way may have begun before there were files, as right after a start, and leave the Secrets to us.
        await unlessAborted(endsWithin(mount.idle.promise, FOLLOW_WAIT_MS, clock), signal);
      }
      const isFollowed = isFollowedBy(mount, served);
      if (!isFollowed && !mount.isBusy && deps.downstream.length > 0) {
        begin(mount);
        const startedAt = clock.now();
        const following = follow(mount, served);
        void start(async () => end(mount, await following, startedAt));
        if (await unlessAborted(endsWithin(following, FOLLOW_WAIT_MS, clock), signal)) {
          const { latest } = await following;
          mount.noted = latest.versions;
          return latest;
        }
      } else if (mount.dueAt === Number.POSITIVE_INFINITY) {
        mount.dueAt = nextPollAt(
          { startedAt: clock.now(), confirmedAt: served.confirmedAt },
          jitterKey(mount),
          intervalOf(mount),
        );
      }
      arm();
      return served;
    },
    notice(concerns) {
      const now = clock.now();
      for (const group of Map.groupBy(mounts.all(), groupKey).values()) {
        const lastAt = Math.max(...group.map(({ eventAt }) => eventAt));
        const at = eventPollAt(lastAt, now);
        for (const mount of group.filter(({ spec }) => isConcerned(spec, concerns))) {
          mount.eventAt = at;
          mount.dueAt = Math.min(mount.dueAt, at);
        }
      }
      arm();
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
      timer.abort();
      await Promise.all(running);
    },
  };
}

function isConcerned(spec: MountSpec | undefined, concerns: (object: ObjectSpec, region: string) => boolean): boolean {
  return spec?.regions.some((region) => spec.objects.some((object) => concerns(object, region))) === true;
}

/** Mounts of one group are of one service account. */
function partyOfGroup([mount]: readonly NodeMount[]): string {
  return mount === undefined ? '' : partyOf(mount.pod);
}

function begin(mount: NodeMount): void {
  mount.isBusy = true;
  mount.isWanted = false;
  mount.idle = Promise.withResolvers();
}

function isFollowedBy({ followed }: NodeMount, { versions }: ServedMount): boolean {
  return followed !== undefined && areEqualVersions(followed, versions);
}
