import type { Clock } from '../concurrency/clock.ts';
import { ProviderError } from '../model/errors.ts';
import { createLimiter } from '../concurrency/limiter.ts';
import { type ServeDeps, specFor, type SpecDeps } from '../mount/serve.ts';
import { areEqualVersions } from '../model/equal-versions.ts';
import type { MountSpec } from '../model/mount-spec.ts';
import { type DownstreamDeps, type DownstreamResult, updateDownstream } from './downstream.ts';
import type { NodeMount } from './node-mounts.ts';
import { type PresentCall, presentCall, type PresentCallDeps } from './present-call.ts';
import { serveAgain, type ServedAgain } from './serve-again.ts';

export interface PollDeps extends SpecDeps, ServeDeps, PresentCallDeps, DownstreamDeps {
  readonly providerName: string;
  /** Whether to ask AWS for new versions. If false, only the downstream steps run, for what was mounted last. */
  readonly rotates: boolean;
  /** Fetches everything that the specs ask for from AWS now, each object once. Does not throw: the failures surface when a mount is served. */
  refresh(specs: readonly MountSpec[], signal: AbortSignal): Promise<void>;
  /** Writes the versions into the SecretProviderClassPodStatus, which the driver reads too. @throws ProviderError */
  noteVersions(mount: NodeMount, versions: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void>;
  /**
   * Reads the versions by file from there: what the pod was last given, for mounts that are older than this process.
   * @returns undefined if there are none. @throws ProviderError
   */
  notedVersions(mount: NodeMount, signal: AbortSignal): Promise<ReadonlyMap<string, string> | undefined>;
  /** Longest time for one mount, in milliseconds. */
  readonly mountTimeoutMs: number;
}

/** The result of polling one mount. */
export interface Outcome {
  /** The mount no longer exists, or its class now names another provider. */
  readonly isGone?: boolean;
  /** Files of which the pod has new versions. */
  readonly rotated: readonly string[];
  /** Why the poll failed; if `isServed`, only a downstream step or the pod status failed. */
  readonly error?: ProviderError;
  readonly isServed?: boolean;
  /** Milliseconds until a downstream step that had to wait can be done. */
  readonly dueInMs?: number;
}

interface PreparedPoll {
  readonly mount: NodeMount;
  /** Absent if AWS is not to be asked. */
  readonly spec?: MountSpec;
  readonly present: PresentCall;
}

/** Mounts that are processed at once. They wait for the API server only, as the values were fetched before. */
const AT_ONCE = 8;

/**
 * Polls AWS once for all mounts of a group. Then, mount by mount, publishes what has changed, runs the downstream steps and records the versions.
 * A mount that fails does not affect the others.
 */
export async function pollGroup(
  mounts: readonly NodeMount[],
  deps: PollDeps,
  signal: AbortSignal,
): Promise<ReadonlyMap<NodeMount, Outcome>> {
  const outcomes = new Map<NodeMount, Outcome>();
  const limiter = createLimiter(AT_ONCE);

  async function each<Item>(
    items: readonly Item[],
    mountOf: (item: Item) => NodeMount,
    work: (item: Item, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    await Promise.all(
      items.map((item) =>
        limiter
          .run(
            { lane: '', party: [mountOf(item).pod.uid] },
            () => work(item, AbortSignal.any([signal, deps.clock.timeout(deps.mountTimeoutMs)])),
            signal,
          )
          .catch((error: unknown) => outcomes.set(mountOf(item), { rotated: [], error: failureOf(error, deps) })),
      ),
    );
  }

  const prepared: PreparedPoll[] = [];
  await each(
    mounts,
    (mount) => mount,
    async (mount, ends) => {
      const poll = await prepare(mount, deps, ends);
      if (poll === undefined) {
        outcomes.set(mount, { isGone: true, rotated: [] });
      } else {
        prepared.push(poll);
      }
    },
  );
  const askedAt = deps.clock.now();
  await deps.refresh(
    prepared.flatMap(({ spec }) => spec ?? []),
    signal,
  );
  await each(
    prepared,
    ({ mount }) => mount,
    async (poll, ends) => {
      outcomes.set(poll.mount, await complete(poll, askedAt, deps, ends));
    },
  );
  return outcomes;
}

/** @returns undefined if the mount no longer exists, or if its class now names another provider */
async function prepare(mount: NodeMount, deps: PollDeps, signal: AbortSignal): Promise<PreparedPoll | undefined> {
  const present = await presentCall(mount, deps, signal);
  if (
    present === undefined ||
    namesOtherProvider(present, deps) ||
    (await deps.volumes?.isFilled(mount.targetPath)) === false
  ) {
    return undefined;
  }
  if (mount.current === undefined && mount.noted === undefined) {
    const noted = await deps.notedVersions(mount, signal);
    // If the driver writes the files, only its pod status says whether it has done so.
    if (noted === undefined && deps.volumes === undefined) {
      return undefined;
    }
    mount.noted = noted ?? new Map();
  }
  const poll = { mount, present };
  if (!deps.rotates) {
    return poll;
  }
  mount.spec = await specFor(present.call, deps, signal);
  return { ...poll, spec: mount.spec };
}

function namesOtherProvider({ class: providerClass }: PresentCall, { providerName }: PollDeps): boolean {
  return !(providerClass instanceof ProviderError) && providerClass.provider !== providerName;
}

async function complete(
  { mount, spec, present }: PreparedPoll,
  askedAt: number,
  deps: PollDeps,
  signal: AbortSignal,
): Promise<Outcome> {
  const { noted = new Map<string, string>() } = mount;
  const before = mount.current?.versions ?? noted;
  const served =
    spec === undefined ? lastServed(mount, deps.clock) : await serveAgain({ spec, before, askedAt }, deps, signal);
  if (served === undefined) {
    return { isGone: true, rotated: [] };
  }
  mount.current = { versions: served.versions, confirmedAt: served.confirmedAt };
  const failures: ProviderError[] = [];
  const { dueInMs } = await updateDownstream(mount, present, served, deps, signal).catch(
    (error: unknown): DownstreamResult => {
      failures.push(failureOf(error, deps));
      return {};
    },
  );
  // If the driver writes the files, it records their versions itself.
  if (spec !== undefined && deps.volumes !== undefined && !areEqualVersions(noted, served.versions)) {
    await note(mount, present, served.versions, deps, signal).catch((error: unknown) =>
      failures.push(failureOf(error, deps)),
    );
  }
  return {
    isServed: true,
    rotated: served.changed === true ? changesOf(before, served.versions) : [],
    ...(dueInMs !== undefined && { dueInMs }),
    ...(failures.length > 0 && { error: ProviderError.all(failures) }),
  };
}

/** Versions that this process has not confirmed with AWS count as the oldest possible, so that they never replace newer ones. */
function lastServed({ current, noted = new Map() }: NodeMount, clock: Clock): ServedAgain {
  return current ?? { versions: noted, confirmedAt: clock.now() - clock.wallNow() };
}

/** Comes last, so that a crash before it leaves the old versions. A downstream step that fails does not prevent it, because each poll runs the steps again. */
async function note(
  mount: NodeMount,
  { class: providerClass }: PresentCall,
  versions: ReadonlyMap<string, string>,
  deps: PollDeps,
  signal: AbortSignal,
): Promise<void> {
  // An API server that could not return the class will not take the write either.
  if (providerClass instanceof ProviderError) {
    throw providerClass;
  }
  await deps.noteVersions(mount, versions, signal);
  mount.noted = versions;
}

/** Files that were changed, added or removed. */
function changesOf(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): readonly string[] {
  return [...new Set([...before.keys(), ...now.keys()])]
    .filter((file) => before.get(file) !== now.get(file))
    .toSorted();
}

function failureOf(error: unknown, { mountTimeoutMs }: PollDeps): ProviderError {
  return error instanceof DOMException && error.name === 'TimeoutError'
    ? new ProviderError('DeadlineExceeded', `not done within ${mountTimeoutMs} ms`, { cause: error })
    : ProviderError.from(error);
}
