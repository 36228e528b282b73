import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type ProviderClient } from '../../src/grpc/client.ts';
import { inCgroup, makeDisk } from './launch.ts';
import { type CgroupReading, makeMemoryCgroup } from './memory-cgroup.ts';
import type { ProviderProgram } from './provider-program.ts';
import { newName, type Surroundings } from './surroundings.ts';

/** A provider that answers, ours or another. */
export interface Provider extends AsyncDisposable {
  readonly client: ProviderClient;
  readonly pid: number;
  /** From the start of the process to its first answer; absent where somebody else started it. */
  readonly startMs?: number;
  /** What its memory cgroup says; absent without one. */
  cgroup?(): CgroupReading;
  /** Set once the process has ended without being told to. */
  readonly ended: () => string | undefined;
}

export interface StartOptions {
  readonly program: ProviderProgram;
  readonly surroundings: Surroundings;
  /** Flags of `serve` beyond those that name the stand-ins. */
  readonly flags: readonly string[];
  /** Bytes; absent means no limit. */
  readonly memoryLimit?: number;
}

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 15_000;

/** The kubelet gives a volume two minutes. */
const CALL_TIMEOUT_MS = 120_000;

/** Starts our provider in a process of its own and waits until it answers. */
export async function startProvider(options: StartOptions, signal: AbortSignal): Promise<Provider> {
  const { program, surroundings, flags, memoryLimit } = options;
  await using opening = new AsyncDisposableStack();
  const folder = mkdtempSync(join(surroundings.runFolder, 'provider-'));
  const socketFolder = join(folder, 'sockets');
  const { access, diskFolder } = surroundings;
  const where = volumeFlags(program, surroundings);
  let command = [...program.command, 'serve', ...access.flags, ...where, ...flags, `--provider-volume=${socketFolder}`];
  const group = memoryLimit === undefined ? undefined : opening.use(makeMemoryCgroup(newName(), memoryLimit));
  if (group !== undefined) {
    command = [...inCgroup(group.joinFile, await makeDisk(join(diskFolder, 'program.ext4')), command)];
  }
  const [file = '', ...rest] = access.wrap(command);
  const logFile = openSync(surroundings.providerLog, 'a');
  const started = performance.now();
  const child = spawn(file, rest, { env: access.env, stdio: ['ignore', logFile, logFile] });
  closeSync(logFile);
  let stopping = false;
  let ended: string | undefined;
  const exited = once(child, 'exit');
  child.on('exit', (code, killer) => {
    if (!stopping) {
      ended = `the provider has ended (${killer ?? `exit code ${code}`}); the end of its log:\n${tail(surroundings.providerLog)}`;
    }
  });
  opening.defer(async () => {
    stopping = true;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  });
  await untilThere(join(socketFolder, 'aws.sock'), () => ended, signal);
  const client = opening.use(connect(join(socketFolder, 'aws.sock'), CALL_TIMEOUT_MS));
  await client.version(signal);
  const startMs = performance.now() - started;
  const opened = opening.move();
  return {
    client,
    pid: child.pid ?? 0,
    startMs,
    ...(group !== undefined && { cgroup: () => group.read() }),
    ended: () => ended,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Our volumes are directories of one tmpfs, and no mounts of their own. */
function volumeFlags(program: ProviderProgram, { runFolder }: Surroundings): readonly string[] {
  return program.knowsFlag('kubelet-dir') ? [`--kubelet-dir=${runFolder}`, '--require-mounted-volumes=false'] : [];
}

/** A provider that somebody else has started against our stand-ins. */
export async function attachProvider(socket: string, pid: number, signal: AbortSignal): Promise<Provider> {
  const client = connect(socket, CALL_TIMEOUT_MS);
  await client.version(signal);
  return {
    client,
    pid,
    ended: () => (existsSync(`/proc/${pid}`) ? undefined : `process ${pid} has ended`),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
    },
  };
}

async function untilThere(socket: string, ended: () => string | undefined, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!existsSync(socket)) {
    const end = ended();
    if (end !== undefined) {
      throw new Error(end);
    }
    if (performance.now() > deadline) {
      throw new Error(`the provider made no socket within ${START_TIMEOUT_MS / 1_000} s`);
    }
    await sleep(1, undefined, { signal });
  }
}

function tail(log: string): string {
  return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-10).join('\n');
}
