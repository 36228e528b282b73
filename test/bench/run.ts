import type { Bench } from './bench.ts';
import { type Mode, type Options, readOptions } from './options.ts';
import { runProfile, showProfile } from './profile.ts';
import { runRotation, showRotation, staleOf } from './rotation.ts';
import { runScenarios } from './run-scenarios.ts';
import { runScale, showScale } from './scale.ts';
import { showScenarios } from './show-scenarios.ts';
import { runSoak, showSoak } from './soak.ts';
import { measureStarts, showStarts } from './starts.ts';

/** What a run came to, for a reader and for a program. */
export interface Report {
  readonly text: string;
  readonly data: object;
  /** Mounts that failed or came to something else than the stand-in holds. */
  readonly wrong: number;
  readonly firstProblem?: string | undefined;
}

export const RUNS: Readonly<
  Record<Exclude<Mode, 'stand-ins'>, (bench: Bench, signal: AbortSignal) => Promise<Report>>
> = {
  async table(bench, signal) {
    const starts = bench.options.starts > 0 ? await measureStarts(bench, signal) : undefined;
    const results = await runScenarios(bench, signal);
    const scenarios = showScenarios(results, isUsualLoad(bench.options));
    const text = starts === undefined ? scenarios : `${showStarts(starts)}\n\n${scenarios}`;
    return { text, data: { starts, results }, ...wrongOf(results) };
  },
  async scale(bench, signal) {
    const results = await runScale(bench, signal);
    return { text: showScale(results), data: { scale: results }, ...wrongOf(results) };
  },
  async rotation(bench, signal) {
    const results = await runRotation(bench, signal);
    return { text: showRotation(results), data: { rotation: results }, ...staleOf(results) };
  },
  async soak(bench, signal) {
    const soak = await runSoak(bench, signal);
    return { text: showSoak(soak), data: { soak }, wrong: soak.wrong, firstProblem: soak.firstProblem };
  },
  async profile(bench, signal) {
    const profile = await runProfile(bench, signal);
    return { text: showProfile(profile), data: { profile }, wrong: 0 };
  },
};

function wrongOf(
  results: readonly { readonly measured: { readonly wrong: number; readonly firstProblem?: string } }[],
): Pick<Report, 'wrong' | 'firstProblem'> {
  return {
    wrong: results.reduce((sum, { measured }) => sum + measured.wrong, 0),
    firstProblem: results.find(({ measured }) => measured.firstProblem !== undefined)?.measured.firstProblem,
  };
}

/** The targets are for the load of the defaults. */
function isUsualLoad(options: Options): boolean {
  const [given, usual] = [options, readOptions([])].map(({ load, concurrency, latencyMs, rates }) =>
    JSON.stringify({ load, concurrency, latencyMs, rates }),
  );
  return given === usual;
}

/** @param isStandIn whether the API server is one; a real one takes the time it takes, and counts nothing for us */
export function describeLoad(
  { load, concurrency, latencyMs, apiLatencyMs, rates }: Options,
  isStandIn: boolean,
): string {
  const objects = `${load.secretsPerPod} secrets and ${load.parametersPerPod} parameters a pod${load.ownSecrets ? ', shared by nobody' : ''}`;
  const calls = `AWS ${latencyMs} ms, ${isStandIn ? `stand-in for the API server ${apiLatencyMs} ms a call` : 'a real kube-apiserver, whose calls are not counted'}`;
  const throttling = rates === undefined ? '' : `; calls a second let through: ${JSON.stringify(rates)}`;
  return `${load.pods} pods, ${load.accounts} service accounts, ${objects}, ${concurrency} mounts at once, ${load.podIdentity ? 'Pod Identity' : 'IRSA'}; ${calls}${throttling}`;
}
