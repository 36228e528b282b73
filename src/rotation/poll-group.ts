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
  /** Whether to ask AWS; otherwise what was mounted last is followed, and no more. */
  readonly rotates: boolean;
  /** Has everything that the specs ask for asked of AWS now, each thing once. Tells of no failures: who is served next hears of them. */
  refresh(specs: readonly MountSpec[], signal: AbortSignal): Promise<void>;
  /** Writes the versions into the pod's status, where the driver and others look. @throws ProviderError */
  noteVersions(mount: NodeMount, versions: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void>;
  /**
   * The versions by file that are noted there: what the pod was last given, for a process that is younger than the mount.
   * @returns undefined where nothing is noted. @throws ProviderError
   */
  notedVersions(mount: NodeMount, signal: AbortSignal): Promise<ReadonlyMap<string, string> | undefined>;
  /** Milliseconds for one mount. */
  readonly mountTimeoutMs: number;
}

/** How a mount's turn came out. */
export interface Outcome {
  /** No longer there, or another provider's by now. */
  readonly isGone?: boolean;
  /** Files that the pod has in new versions. */
  readonly rotated: readonly string[];
  /** What failed: all, or where files are served, what was to follow them. */
  readonly error?: ProviderError;
  readonly isServed?: boolean;
  /** Something that depends on the files can be brought to them after so many milliseconds. */
  readonly dueInMs?: number;
}

interface Asked {
  readonly mount: NodeMount;
  /** Absent where AWS is not to be asked. */
  readonly spec?: MountSpec;
  readonly present: PresentCall;
}

/** Mounts that are worked on at once: what they wait for is the disk and the API server, as AWS was asked before. */
const AT_ONCE = 8;

/**
 * Looks at the mounts of a group: AWS is asked once for all of them, and what has changed is published, followed and noted, mount by mount.
 * The failure of one is its own.
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
            { lane: '', party: mountOf(item).pod.uid },
            () => work(item, AbortSignal.any([signal, deps.clock.timeout(deps.mountTimeoutMs)])),
            signal,
          )
          .catch((error: unknown) => outcomes.set(mountOf(item), { rotated: [], error: failureOf(error, deps) })),
      ),
    );
  }

  const asked: Asked[] = [];
  await each(
    mounts,
    (mount) => mount,
    async (mount, ends) => {
      const question = await ask(mount, deps, ends);
      if (question === undefined) {
        outcomes.set(mount, { isGone: true, rotated: [] });
      } else {
        asked.push(question);
      }
    },
  );
  const askedAt = deps.clock.now();
  await deps.refresh(
    asked.flatMap(({ spec }) => spec ?? []),
    signal,
  );
  await each(
    asked,
    ({ mount }) => mount,
    async (question, ends) => {
      outcomes.set(question.mount, await answer(question, askedAt, deps, ends));
    },
  );
  return outcomes;
}

/** @returns undefined for a mount that is gone, or another provider's by now */
async function ask(mount: NodeMount, deps: PollDeps, signal: AbortSignal): Promise<Asked | undefined> {
  const present = await presentCall(mount, deps, signal);
  if (
    present === undefined ||
    isAnothers(present, deps) ||
    (await deps.volumes?.isFilled(mount.targetPath)) === false
  ) {
    return undefined;
  }
  if (mount.current === undefined && mount.noted === undefined) {
    const noted = await deps.notedVersions(mount, signal);
    // Where the driver writes, its note says whether it has.
    if (noted === undefined && deps.volumes === undefined) {
      return undefined;
    }
    mount.noted = noted ?? new Map();
  }
  const question = { mount, present };
  if (!deps.rotates) {
    return question;
  }
  mount.spec = await specFor(present.call, deps, signal);
  return { ...question, spec: mount.spec };
}

function isAnothers({ class: providerClass }: PresentCall, { providerName }: PollDeps): boolean {
  return !(providerClass instanceof ProviderError) && providerClass.provider !== providerName;
}

async function answer(
  { mount, spec, present }: Asked,
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
  // Where the driver writes, it notes what it has written itself.
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

/** What nobody has asked AWS about is as old as can be: it takes no newer one's place. */
function lastServed({ current, noted = new Map() }: NodeMount, clock: Clock): ServedAgain {
  return current ?? { versions: noted, confirmedAt: clock.now() - clock.wallNow() };
}

/** Last of all: a version that is noted is one that everything follows. */
async function note(
  mount: NodeMount,
  { class: providerClass }: PresentCall,
  versions: ReadonlyMap<string, string>,
  deps: PollDeps,
  signal: AbortSignal,
): Promise<void> {
  // Who cannot be asked for a class need not be waited for a second time.
  if (providerClass instanceof ProviderError) {
    throw providerClass;
  }
  await deps.noteVersions(mount, versions, signal);
  mount.noted = versions;
}

/** Files that have another version than before, are new, or are gone. */
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
