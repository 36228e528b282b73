import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { removeCgroups } from './cgroups.ts';
import {
  CHECKOUT,
  CLUSTER_FILE,
  CREDENTIALS,
  DISK,
  KUBECONFIG,
  LOGS,
  MEMORY,
  NODE_VAR,
  PROCESSES,
  RUN,
} from './layout.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { identify, isAlive } from './process-identity.ts';
import { progress } from './progress.ts';
import { waitFor } from './wait.ts';

const RECORD = path.join(RUN, 'machine.json');

/** The socket by which the API server is reached from outside; relative to the checkout, as a socket's path may have 107 bytes at most. */
export const API_RELAY = path.relative(CHECKOUT, path.join(RUN, 'api.sock'));

/** The exit code of a machine that was stopped before its scenarios had ended. */
export const INTERRUPTED = 130;

interface MachineRecord {
  /** The `npm run e2e` that started it. */
  readonly owner: ProcessIdentity;
  /** The process that holds the namespaces. */
  readonly machine: ProcessIdentity;
}

/**
 * The cluster runs in network, mount and process namespaces of its own. When their first process ends, the kernel ends
 * all others and takes back every mount, link, route and packet filter rule with them: nothing can be forgotten.
 */
export interface Machine {
  /** The exit code of its first process. */
  readonly ended: Promise<number>;
  /** Ends it. It also ends by itself when this process does, however that happens. */
  stop(): void;
}

/** Starts a program of this checkout as the first process of a new machine. */
export async function startMachine(script: string, args: readonly string[]): Promise<Machine> {
  const unshare = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', process.execPath];
  const child = spawn('unshare', [...unshare, script, ...args], {
    cwd: CHECKOUT,
    // A session of its own, so that Ctrl-C in a terminal reaches only the process that owns the machine.
    detached: true,
    // The first process takes the end of its standard input as the order to stop.
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code]) => (typeof code === 'number' ? code : 1));
  await once(child, 'spawn');
  const record = { owner: identify(process.pid), machine: identify(child.pid ?? 0) };
  await writeFile(RECORD, JSON.stringify(record));
  child.stdin.on('error', () => {});
  return { ended, stop: () => void child.stdin.end() };
}

/** Ends what a killed run may have left, and empties the run folder. Throws when a run is still under way. */
export async function recover(): Promise<void> {
  if (existsSync(RECORD)) {
    const { owner, machine }: Partial<MachineRecord> = JSON.parse(await readFile(RECORD, 'utf8'));
    if (owner !== undefined && isAlive(owner)) {
      throw new Error(`A test cluster of this checkout is already up: stop process ${owner.pid} first.`);
    }
    if (machine !== undefined && isAlive(machine)) {
      progress(`ending the machine of a run that was killed (process ${machine.pid})`);
      process.kill(machine.pid, 'SIGKILL');
      await waitFor('the old machine has ended', () => !isAlive(machine), { timeoutMs: 20_000 });
    }
  }
  await removeCgroups();
  await rm(RUN, { recursive: true, force: true });
  await mkdir(LOGS, { recursive: true });
}

/** After the machine has ended: gives back what the kernel does not, and keeps logs, configuration and results. */
export async function clearMachine(): Promise<void> {
  await removeCgroups();
  const podLogs = path.join(NODE_VAR, 'log/pods');
  if (existsSync(podLogs)) {
    await rename(podLogs, path.join(LOGS, 'pods'));
  }
  for (const used of [DISK, MEMORY, CREDENTIALS, PROCESSES, KUBECONFIG, CLUSTER_FILE, API_RELAY, RECORD]) {
    await rm(used, { recursive: true, force: true });
  }
}
