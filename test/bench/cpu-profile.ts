/** The parts of V8's `.cpuprofile` that we read: https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  /** Microseconds on the system's monotonic clock. */
  readonly startTime: number;
  readonly samples: readonly number[];
  /** Microseconds from one sample to the next. */
  readonly timeDeltas: readonly number[];
}

export interface ProfileSummary {
  /** Milliseconds at work, waiting left out. */
  readonly busyMs: number;
  /** By package, room of ours or part of Node, longest first: milliseconds in its own functions. */
  readonly packages: readonly (readonly [name: string, ms: number])[];
  readonly functions: readonly (readonly [name: string, ms: number])[];
}

/** Own time between two moments on the same clock as the profile's. */
export function summarise(profile: CpuProfile, fromUs: number, toUs: number): ProfileSummary {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const packages = new Map<string, number>();
  const functions = new Map<string, number>();
  let busyMs = 0;
  let time = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    time += profile.timeDeltas[index] ?? 0;
    const frame = frames.get(id);
    if (frame === undefined || time < fromUs || time > toUs || frame.functionName === '(idle)') {
      continue;
    }
    // A sample stands for the time until the next one.
    const ms = (profile.timeDeltas[index + 1] ?? 0) / 1_000;
    const place = placeOf(frame.url) ?? frame.functionName;
    const name =
      frame.url === ''
        ? frame.functionName
        : `${frame.functionName || '(anonymous)'}  ${place}:${frame.lineNumber + 1}`;
    busyMs += ms;
    add(packages, packageOf(place), ms);
    add(functions, name, ms);
  }
  return { busyMs, packages: descending(packages), functions: descending(functions) };
}

/** A file's path from its package or the checkout on. */
function placeOf(url: string): string | undefined {
  return /(?:.*\/node_modules\/|.*\/(?=(?:src|dist)\/))(.+)$/.exec(url)?.[1] ?? (url === '' ? undefined : url);
}

function packageOf(place: string): string {
  return /^(?:@[^/]+\/[^/]+|node:[^/]+(?:\/[^/]+)?|[^/]+\/[^/]+(?=\/)|[^/]+)/.exec(place)?.[0] ?? place;
}

function add(sums: Map<string, number>, key: string, ms: number): void {
  sums.set(key, (sums.get(key) ?? 0) + ms);
}

function descending(sums: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...sums].toSorted(([, one], [, other]) => other - one);
}
