import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { LOGS, PROCESSES } from './layout.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { childrenOf, identify, isAlive } from './process-identity.ts';
import { waitFor } from './wait.ts';

export interface ProcessSpec {
  /** Names its log and its record. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Enter the mount and process namespaces of this process first. */
  readonly inside?: number;
}

/** Starts a program that outlives this process and can be stopped by name from any other. Its log goes on after a restart. */
export async function startProcess(spec: ProcessSpec): Promise<ProcessIdentity> {
  await mkdir(PROCESSES, { recursive: true });
  const log = await open(path.join(LOGS, `${spec.name}.log`), 'a');
  const enter = spec.inside === undefined ? [] : ['nsenter', '--target', `${spec.inside}`, '--mount', '--pid', '--'];
  const [file = '', ...args] = [...enter, ...spec.command];
  const child = spawn(file, args, {
    env: { ...process.env, ...spec.env },
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  await once(child, 'spawn');
  await log.close();
  child.unref();
  // Only a child of nsenter is in the process namespace it has entered.
  const found = await waitFor(
    `${spec.name} has started`,
    () => identify((spec.inside === undefined ? child.pid : childrenOf(child.pid ?? 0)[0]) ?? 0),
    { timeoutMs: 10_000, everyMs: 5 },
  );
  await writeFile(recordOf(spec.name), JSON.stringify(found));
  return found;
}

/** Asks a process to stop, makes it stop after a while, and returns when it is gone. Does nothing if it does not run. */
export async function stopProcess(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const running = await runningProcess(name);
  if (running !== undefined) {
    process.kill(running.pid, signal);
    await isGone(name, running).catch(() => {
      process.kill(running.pid, 'SIGKILL');
      return isGone(name, running);
    });
  }
  await rm(recordOf(name), { force: true });
}

export async function runningProcess(name: string): Promise<ProcessIdentity | undefined> {
  if (!existsSync(recordOf(name))) {
    return undefined;
  }
  const recorded: ProcessIdentity = JSON.parse(await readFile(recordOf(name), 'utf8'));
  return isAlive(recorded) ? recorded : undefined;
}

/** Waits until a started program answers; says why from its log when it ends before. */
export async function waitUntilReady(name: string, ask: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  let died = false;
  async function endedOrReady(): Promise<boolean> {
    died = (await runningProcess(name)) === undefined;
    return died || (await ask());
  }
  const wait = waitFor(`${name} answers`, endedOrReady, { timeoutMs, everyMs: 50 });
  const failed = await wait.catch((error: unknown) => error);
  if (died || failed instanceof Error) {
    const log = await readFile(path.join(LOGS, `${name}.log`), 'utf8');
    const why = died ? `${name} has ended` : `${name} did not get ready in ${timeoutMs / 1000} s`;
    throw new Error(`${why}; the end of its log:\n${log.trimEnd().split('\n').slice(-15).join('\n')}`, {
      cause: failed,
    });
  }
}

function isGone(name: string, running: ProcessIdentity): Promise<true> {
  return waitFor(`${name} has stopped`, () => !isAlive(running), { timeoutMs: 10_000, everyMs: 20 });
}

function recordOf(name: string): string {
  return path.join(PROCESSES, `${name}.json`);
}
