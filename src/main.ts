import { SYSTEM_CLOCK } from './concurrency/clock.ts';
import { run } from './cli/commands.ts';
import { stackOf } from './model/errors.ts';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** Milliseconds for what is still being written. */
const LAST_WORDS_MS = 1_000;

const stopping = new AbortController();

function stop(): void {
  // A second signal meets Node's own handling, which kills.
  for (const signal of STOP_SIGNALS) {
    process.off(signal, stop);
  }
  stopping.abort();
}

for (const signal of STOP_SIGNALS) {
  process.on(signal, stop);
}

// A bug in one call must not end the mounts of every other pod: it is written down, and the process goes on.
process.on('unhandledRejection', (reason) => {
  process.stderr.write(`${JSON.stringify({ level: 'error', msg: 'unhandled rejection', stack: stackOf(reason) })}\n`);
});

// Not `await`: the bundle is CommonJS, which has none at the top.
void run(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  signal: stopping.signal,
  env: process.env,
}).then(end, (thrown: unknown) => {
  process.stderr.write(`${JSON.stringify({ level: 'error', msg: 'failed', stack: stackOf(thrown) })}\n`);
  end(1);
});

/** Ends with the code, also where something that was opened half way still listens or waits. */
function end(code: number): void {
  process.exitCode = code;
  SYSTEM_CLOCK.timeout(LAST_WORDS_MS).addEventListener('abort', () => exit(code));
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
