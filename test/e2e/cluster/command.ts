import { execFile } from 'node:child_process';
import path from 'node:path';

export interface CommandOptions {
  /** Written to the standard input. */
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The command is killed after this many milliseconds; default: one minute. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end and returns what it printed. Throws with what it said when it fails or takes too long. */
export function runCommand(file: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = execFile(
    file,
    args,
    {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      timeout: options.timeoutMs ?? 60_000,
      killSignal: 'SIGKILL',
      maxBuffer: 64 * 1024 * 1024,
    },
    (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
        return;
      }
      const outcome =
        error.killed === true ? 'took too long' : `failed (${error.code ?? error.signal ?? error.message})`;
      const command = [path.basename(file), ...args].join(' ').slice(0, 300);
      reject(new Error(`${command} ${outcome}: ${stderr.trim() || stdout.trim()}`));
    },
  );
  // A command that ends before it has read its input is judged by its exit code, not by the broken pipe.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  return promise;
}
