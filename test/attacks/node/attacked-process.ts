import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { imageSettings } from '../../fakes/image-settings.ts';
import { type CgroupReading, makeMemoryCgroup } from '../../bench/memory-cgroup.ts';

const CHECKOUT = join(import.meta.dirname, '..', '..', '..');
const BUNDLE = join(CHECKOUT, 'dist', 'aws-secrets-csi.cjs');
const PROBE = join(import.meta.dirname, 'event-loop-probe.cjs');
const IMAGE = imageSettings();

/** The limit of `workMs` in tests. The goal is 100; a processor whose core is shared is slower. */
export const LONGEST_WORK_MS = 250;

interface Condition {
  /** Longest time since the last query during which the process's only thread was blocked, in milliseconds. */
  readonly maxMs: number;
  /** Longest uninterrupted work of that thread; waiting for a processor, as on a busy machine, does not count. */
  readonly workMs: number;
  readonly rssMiB: number;
}

/** The bundle as a separate process, with the image's flags. */
export interface AttackedProcess extends AsyncDisposable {
  readonly pid: number;
  readonly log: readonly string[];
  /** Set once the process has ended: exit code or signal. */
  readonly ended: () => string | undefined;
  /** @throws Error if it has ended, or does not respond within ten seconds */
  condition(): Promise<Condition>;
  /** Only with a memory limit. */
  cgroup(): CgroupReading | undefined;
  stop(signal?: NodeJS.Signals): Promise<string | undefined>;
}

export interface ProcessOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** MiB of a memory cgroup to run in, as a container's limit; needs root. */
  readonly memoryMiB?: number;
  /** Waits for "ready" in the log, unless false. */
  readonly waits?: boolean;
}

let groups = 0;

/** Needs `dist/`, which the project's global set-up creates. @throws Error with the process's output if it ends before it is ready */
export async function startProcess({
  args,
  env = {},
  memoryMiB,
  waits = true,
}: ProcessOptions): Promise<AttackedProcess> {
  await using opening = new AsyncDisposableStack();
  groups += 1;
  const group =
    memoryMiB === undefined
      ? undefined
      : opening.use(makeMemoryCgroup(`attack-${process.pid}-${groups}`, memoryMiB * 2 ** 20));
  const program = [process.execPath, ...IMAGE.nodeFlags, '--require', PROBE, BUNDLE, 'serve', ...args];
  const [file = '', ...rest] =
    group === undefined ? program : ['sh', '-c', 'echo $$ > "$0"; exec "$@"', group.joinFile, ...program];
  const child = spawn(file, rest, {
    env: { ...IMAGE.env, PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const log: string[] = [];
  const ready = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream as NodeJS.ReadableStream).on('line', (line) => {
      log.push(line);
      if (/"msg":"ready"|\bready\b {2}/.test(line)) {
        ready.resolve();
      }
    });
  }
  let ended: string | undefined;
  const exited = once(child, 'exit').then(([code, signal]) => {
    ended = String(signal ?? code);
  });

  async function stop(signal: NodeJS.Signals): Promise<string | undefined> {
    if (ended === undefined) {
      child.kill(signal);
      await exited;
    }
    return ended;
  }
  opening.defer(async () => {
    await stop('SIGKILL');
  });
  if (waits) {
    const failed = exited.then(() => Promise.reject(new Error(`the provider ended (${ended}):\n${log.join('\n')}`)));
    await Promise.race([ready.promise, failed]);
    failed.catch(() => undefined);
  }
  const opened = opening.move();
  return {
    pid: child.pid ?? 0,
    log,
    ended: () => ended,
    condition: () => ask(child, () => ended),
    cgroup: () => group?.read(),
    stop: (signal = 'SIGTERM') => stop(signal),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function ask(child: ChildProcess, ended: () => string | undefined): Promise<Condition> {
  if (ended() !== undefined) {
    throw new Error(`the provider has ended: ${ended()}`);
  }
  const unsent = new AbortController();
  const answer = once(child, 'message', { signal: AbortSignal.any([unsent.signal, AbortSignal.timeout(10_000)]) });
  // Without a callback, a message to a process that is just ending would throw an uncaught error.
  child.send('condition', (error) => error && unsent.abort(error));
  const [condition] = (await answer) as [Condition];
  return condition;
}
