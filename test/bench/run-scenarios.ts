import { setTimeout as sleep } from 'node:timers/promises';
import { attachOther, type Bench, makeVolumes, measureOptions, shortInterval, startOurs } from './bench.ts';
import { measure, type Measurement } from './measure.ts';
import type { Provider } from './provider.ts';
import { type Scenario, SCENARIOS, type Step } from './scenarios.ts';

export interface ScenarioResult {
  readonly provider: 'ours' | 'other';
  readonly step: Step & { readonly name: string };
  readonly measured: Measurement;
}

/** Every scenario in a fresh process of ours. The other provider goes on running: for it, cold means names it has not met. */
export async function runScenarios(bench: Bench, signal: AbortSignal): Promise<readonly ScenarioResult[]> {
  const { options, surroundings } = bench;
  const results: ScenarioResult[] = [];
  for (const scenario of SCENARIOS) {
    if (!scenario.steps.some((step) => isWanted(step, options.only))) {
      continue;
    }
    await surroundings.standIns.configure({ denied: scenario.denied });
    const { flags, waitMs } = scenario.shortInterval ? shortInterval(bench) : { flags: [], waitMs: 0 };
    await using ours = await startOurs(bench, flags, signal);
    results.push(...(await runSteps(bench, 'ours', ours, scenario, waitMs, signal)));
    await using other = await attachOther(bench, signal);
    if (other !== undefined) {
      results.push(...(await runSteps(bench, 'other', other, scenario, 0, signal)));
    }
  }
  return results;
}

async function runSteps(
  bench: Bench,
  name: ScenarioResult['provider'],
  provider: Provider,
  { steps, shape }: Scenario,
  waitMs: number,
  signal: AbortSignal,
): Promise<ScenarioResult[]> {
  const { options, surroundings, progress } = bench;
  const { standIns } = surroundings;
  await using volumes = await makeVolumes(bench, shape?.(options.load) ?? options.load);
  const results: ScenarioResult[] = [];
  for (const step of steps) {
    progress(`${name}: ${step.name ?? 'filling the volumes'}`);
    const measured = await measure(
      provider,
      standIns,
      volumes.mounts,
      {
        ...measureOptions(options),
        async before() {
          if (step.after === 'rotation') {
            await standIns.rotate();
          }
          if (step.after !== undefined) {
            await sleep(waitMs, undefined, { signal });
          }
        },
      },
      signal,
    );
    if (isWanted(step, options.only)) {
      results.push({ provider: name, step, measured });
    }
    if (provider.ended() !== undefined) {
      break;
    }
  }
  return results;
}

function isWanted(step: Step, only: string): step is ScenarioResult['step'] {
  return step.name?.includes(only) ?? false;
}
