import { withTimeout } from '../concurrency/cancellation.ts';
import { createLimiter } from '../concurrency/limiter.ts';
import { areEqualVersions } from '../model/equal-versions.ts';
import { ProviderError } from '../model/errors.ts';
import type { MountSpec } from '../model/mount-spec.ts';
import { type ServedMount, specFor } from '../mount/serve.ts';
import { updateDownstream } from './downstream.ts';
import type { NodeMount } from './node-mounts.ts';
import type { Outcome } from './outcome.ts';
import { type PresentCall, presentCall } from './present-call.ts';
import type { PollDeps } from './rotation-deps.ts';
import { serveAgain } from './serve-again.ts';

interface PreparedPoll {
  readonly mount: NodeMount;
  readonly present: PresentCall;
  /** Absent if AWS is not to be asked. */
  readonly spec?: MountSpec;
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
  const prepared = new Map<NodeMount, PreparedPoll>();
  const limiter = createLimiter(AT_ONCE);

  async function each(of: Iterable<NodeMount>, step: (mount: NodeMount, ends: AbortSignal) => Promise<unknown>) {
    await Promise.all(
      Array.from(of, (mount) =>
        limiter
          .run({ lane: '', party: [] }, () => step(mount, withTimeout(deps.clock, deps.mountTimeoutMs, signal)), signal)
          .catch((error: unknown) => outcomes.set(mount, { error: ProviderError.from(error) })),
      ),
    );
  }

  await each(mounts, async (mount, ends) => {
    const poll = await prepare(mount, deps, ends);
    return poll === undefined ? outcomes.set(mount, { isGone: true }) : prepared.set(mount, poll);
  });
  const askedAt = deps.clock.now();
  const specs = [...prepared.values()].flatMap(({ spec }) => spec ?? []);
  await deps.refresh(specs, signal);
  await each(prepared.keys(), async (mount, ends) => {
    const poll = prepared.get(mount);
    return poll && outcomes.set(mount, await complete(poll, askedAt, deps, ends));
  });
  return outcomes;
}

/** @returns undefined if the mount no longer exists, or if its class now names another provider */
async function prepare(mount: NodeMount, deps: PollDeps, signal: AbortSignal): Promise<PreparedPoll | undefined> {
  const present = await presentCall(mount, deps, signal);
  if (present === undefined || (await deps.volumes?.isFilled(mount.targetPath)) === false) {
    return undefined;
  }
  if (mount.current === undefined && mount.noted === undefined) {
    const noted = await deps.notedVersions(mount, signal);
    // If the driver writes the files, only its pod status says whether it has done so.
    if (noted === undefined && deps.volumes === undefined) {
      return undefined;
    }
    mount.versionsNoted(noted ?? new Map());
  }
  if (!deps.rotates) {
    return { mount, present };
  }
  const spec = await specFor(present.call, deps, signal);
  mount.classParsed(spec);
  return { mount, present, spec };
}

async function complete(
  { mount, spec, present }: PreparedPoll,
  askedAt: number,
  deps: PollDeps,
  signal: AbortSignal,
): Promise<Outcome> {
  const { noted = new Map<string, string>() } = mount;
  const before = lastServed(mount, deps);
  const served =
    spec === undefined
      ? before
      : await serveAgain(spec, { ...before, keepUnlessConfirmedSince: askedAt }, deps, signal);
  if (served === undefined) {
    return { isGone: true };
  }
  mount.confirmed(served);
  const { error, dueInMs } = await updateDownstream({ mount, present, served }, deps, signal);
  const failures = error === undefined ? [] : [error];
  // If the driver writes the files, it records their versions itself.
  if (spec !== undefined && deps.volumes !== undefined && !areEqualVersions(noted, served.versions)) {
    // Comes last, so that a crash before it leaves the old versions. A downstream step that failed does not prevent it, because each poll runs the steps again.
    await noteVersions({ mount, present }, served.versions, deps, signal).catch((thrown: unknown) =>
      failures.push(ProviderError.from(thrown)),
    );
  }
  return {
    isServed: true,
    rotated: served.changed === true ? changesOf(before.versions, served.versions) : [],
    ...(dueInMs !== undefined && { dueInMs }),
    ...(failures.length > 0 && { error: ProviderError.all(failures) }),
  };
}

/** Versions that this process has not confirmed with AWS count as the oldest possible, so that they never replace newer ones. */
function lastServed({ current, noted = new Map() }: NodeMount, { clock }: PollDeps): Omit<ServedMount, 'spec'> {
  return current ?? { versions: noted, confirmedAt: clock.now() - clock.wallNow() };
}

async function noteVersions(
  { mount, present }: PreparedPoll,
  versions: ReadonlyMap<string, string>,
  deps: PollDeps,
  signal: AbortSignal,
): Promise<void> {
  // An API server that could not return the class will not take the write either.
  if (present.class instanceof ProviderError) {
    throw present.class;
  }
  await deps.noteVersions(mount, versions, signal);
  mount.versionsNoted(versions);
}

/** Files that were changed, added or removed. */
function changesOf(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): readonly string[] {
  return [...new Set([...before.keys(), ...now.keys()])]
    .filter((file) => before.get(file) !== now.get(file))
    .toSorted();
}
