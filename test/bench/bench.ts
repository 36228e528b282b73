import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTargets } from './driver.ts';
import { accountsOf, type LoadShape, makeMounts, type Mount } from './load.ts';
import type { MeasureOptions } from './measure.ts';
import type { Options } from './options.ts';
import { attachProvider, type Provider, startProvider } from './provider.ts';
import type { ProviderProgram } from './provider-program.ts';
import { newName, type Surroundings } from './surroundings.ts';

/** What every kind of run needs. */
export interface Bench {
  readonly options: Options;
  readonly program: ProviderProgram;
  readonly surroundings: Surroundings;
  /** Says on stderr what is being done. */
  readonly progress: (text: string) => void;
}

/** A poll interval that a run can wait for. */
const SHORT_INTERVAL_MS = 2_000;

const INTERVAL_FLAG = 'rotation-poll-interval';

/** The flags for such an interval, and how long it then takes until everything is due: nothing where the provider remembers nothing. */
export function shortInterval({ program }: Bench): { readonly flags: readonly string[]; readonly waitMs: number } {
  return program.knowsFlag(INTERVAL_FLAG)
    ? { flags: [`--${INTERVAL_FLAG}=${SHORT_INTERVAL_MS}ms`], waitMs: SHORT_INTERVAL_MS * 1.25 }
    : { flags: [], waitMs: 0 };
}

export async function startOurs(bench: Bench, flags: readonly string[], signal: AbortSignal): Promise<Provider> {
  const { options, program, surroundings } = bench;
  const start = { program, surroundings, flags: [...options.serveFlags, ...flags] };
  return await startProvider(
    options.memoryLimit === undefined ? start : { ...start, memoryLimit: options.memoryLimit },
    signal,
  );
}

/** @returns undefined where there is no other */
export async function attachOther({ options }: Bench, signal: AbortSignal): Promise<Provider | undefined> {
  return options.other && (await attachProvider(options.other.socket, options.other.pid, signal));
}

export function measureOptions({ concurrency, secretBytes, rates }: Options): MeasureOptions {
  // The kubelet comes back to a volume that failed; where nothing is throttled, a failure is one to see.
  return { concurrency, secretBytes, attempts: rates === undefined ? 1 : 20 };
}

/** The volumes of a node's pods, there until disposed. */
export interface Volumes extends AsyncDisposable {
  readonly mounts: readonly Mount[];
}

/** @param namespace a new one means accounts and secrets that no provider has met */
export async function makeVolumes(
  { surroundings }: Bench,
  shape: LoadShape,
  namespace = newName(),
  from = 0,
): Promise<Volumes> {
  const mounts = makeMounts(shape, { namespace, podsFolder: surroundings.podsFolder }, from);
  await surroundings.kubeApi?.createAccounts(accountsOf(shape, namespace, from));
  await makeTargets(mounts);
  return {
    mounts,
    async [Symbol.asyncDispose]() {
      for (const { request } of mounts) {
        await rm(join(request.targetPath, '..', '..', '..', '..'), { recursive: true, force: true });
      }
    },
  };
}
