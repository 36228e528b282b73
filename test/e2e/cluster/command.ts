import { execFile } from 'node:child_process';

export interface CommandOptions {
  /** Written to the standard input. */
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The command is killed after this many milliseconds; one minute unless told. */
  readonly timeoutMs?: number;
}

export class CommandError extends Error {
  readonly stdout: string;
  readonly stderr: string;

  constructor(command: string, stdout: string, stderr: string, cause: unknown) {
    super(`${command} failed: ${stderr.trim() || stdout.trim() || String(cause)}`, { cause });
    this.name = 'CommandError';
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

/** Runs a program to its end and returns what it printed. Throws {@link CommandError} when it fails or takes too long. */
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
      const ended = error.killed === true ? `no answer after ${options.timeoutMs ?? 60_000} ms` : error;
      reject(new CommandError([file, ...args].join(' ').slice(0, 300), stdout, stderr, ended));
    },
  );
  // A command that ends before it has read its input is judged by its exit code, not by the broken pipe.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  return promise;
}
