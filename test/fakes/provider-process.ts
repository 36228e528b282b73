import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The provider as a separate process. */
export interface ProviderProcess extends AsyncDisposable {
  readonly pid: number;
  /** Its log so far, one entry per line. */
  readonly log: readonly string[];
  /** Sends a signal and waits for the end. @returns exit code, or null after a signal that kills */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const BUNDLE = fileURLToPath(new URL('../../dist/aws-secrets-csi.cjs', import.meta.url));

/**
 * Starts `serve` of the bundle, which must exist, and waits until it is ready.
 * @throws Error with the process's output if it ends first
 */
export async function startProvider(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<ProviderProcess> {
  const child = spawn(process.execPath, [BUNDLE, 'serve', ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const log: string[] = [];
  const ready = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => {
      log.push(line);
      if (/"msg":"ready"|\bready\b {2}/.test(line)) {
        ready.resolve();
      }
    });
  }
  const aborted = signal === undefined ? [] : [once(signal, 'abort').then(() => Promise.reject(new Error('stopped')))];
  const ended = exited.then(() => Promise.reject(new Error(`the provider ended:\n${log.join('\n')}`)));
  try {
    await Promise.race([ready.promise, ended, ...aborted]);
  } catch (error) {
    await stop(child, exited, 'SIGKILL');
    throw error;
  }
  // From here on its end is handled by the caller that stops it.
  ended.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    log,
    stop: (name = 'SIGTERM') => stop(child, exited, name),
    async [Symbol.asyncDispose]() {
      await stop(child, exited, 'SIGTERM');
    },
  };
}

async function stop(child: ChildProcess, exited: Promise<unknown>, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal);
    await exited;
  }
  return child.exitCode;
}
