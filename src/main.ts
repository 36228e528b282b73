import { SYSTEM_CLOCK } from './concurrency/clock.ts';
import { run } from './cli/commands.ts';
import { stackOf } from './model/errors.ts';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** Milliseconds for output that is still being written. */
const FLUSH_MS = 1_000;

const stopping = new AbortController();

function stop(): void {
  // Node then handles a second signal itself, and exits at once.
  for (const signal of STOP_SIGNALS) {
    process.off(signal, stop);
  }
  stopping.abort();
}

for (const signal of STOP_SIGNALS) {
  process.on(signal, stop);
}

// A bug in one call must not end the mounts of all other pods: it is logged, and the process continues.
process.on('unhandledRejection', (reason) => {
  process.stderr.write(`${JSON.stringify({ level: 'error', msg: 'unhandled rejection', stack: stackOf(reason) })}\n`);
});

// Not `await`: the bundle is CommonJS, which has no top-level await.
void run(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  signal: stopping.signal,
  env: process.env,
}).then(end, (thrown: unknown) => {
  process.stderr.write(`${JSON.stringify({ level: 'error', msg: 'failed', stack: stackOf(thrown) })}\n`);
  end(1);
});

/** Ends with the code, even if something that was opened still listens or waits. */
function end(code: number): void {
  process.exitCode = code;
  SYSTEM_CLOCK.timeout(FLUSH_MS).addEventListener('abort', () => exit(code));
}

/**
 * `process.exit` joins the threads of file operations, and one may be blocked forever by a file system that hangs. Replacing the program ends all threads.
 * A signal would not help: the kernel ignores SIGKILL that process 1 of a container sends itself.
 */
function exit(code: number): void {
  if (process.getActiveResourcesInfo().some((kind) => kind.startsWith('FSReq'))) {
    process.execve?.(process.execPath, [process.execPath, '--eval', `process.exit(${code})`], {});
  }
  process.exit(code);
}
