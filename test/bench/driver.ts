import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ProviderClient } from '../../src/grpc/client.ts';
import type { MountResponse } from '../../src/grpc/protocol.ts';
import type { Mount } from './load.ts';

export interface Outcome {
  readonly mount: Mount;
  /** Of the last call alone. */
  readonly ms: number;
  /** Absent: every call failed. */
  readonly response?: MountResponse;
  /** Messages of the calls that failed. */
  readonly failures: readonly string[];
}

export interface Storm {
  readonly concurrency: number;
  /** Calls for one mount; more than one waits between them as the kubelet does. */
  readonly attempts: number;
}

/** The kubelet's back-off between attempts at one volume. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 122_000;

/** The driver makes each volume's directory before it asks for its content. */
export async function makeTargets(mounts: readonly Mount[]): Promise<void> {
  for (const { request } of mounts) {
    await mkdir(request.targetPath, { recursive: true, mode: 0o750 });
  }
}

/** Plays the driver: so many Mount calls at once over its one connection, until every volume has had its answer. */
export async function mountAll(
  client: ProviderClient,
  mounts: readonly Mount[],
  { concurrency, attempts }: Storm,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const waiting = mounts.values();
  const outcomes: Outcome[] = [];
  async function work(): Promise<void> {
    for (const mount of waiting) {
      outcomes.push(await mountOne(client, mount, attempts, signal));
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work));
  return outcomes;
}

async function mountOne(client: ProviderClient, mount: Mount, attempts: number, signal: AbortSignal): Promise<Outcome> {
  const failures: string[] = [];
  for (;;) {
    signal.throwIfAborted();
    const started = performance.now();
    try {
      const response = await client.mount(mount.request, signal);
      return { mount, ms: performance.now() - started, response, failures };
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error instanceof Error ? error.message : String(error));
    }
    if (failures.length >= attempts) {
      return { mount, ms: performance.now() - started, failures };
    }
    await sleep(Math.min(FIRST_WAIT_MS * 2 ** (failures.length - 1), LONGEST_WAIT_MS), undefined, { signal });
  }
}
