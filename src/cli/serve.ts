import { once } from 'node:events';
import { SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { type Config, ConfigError, readConfig } from '../config/config.ts';
import { type Daemon, startDaemon } from '../daemon/daemon.ts';
import { createLogger } from '../observability/logger.ts';
import { NAME, VERSION } from '../model/version.ts';
import { endsWithin } from '../concurrency/cancellation.ts';
import type { ExitCode, Terminal } from './terminal.ts';

/** Milliseconds that a start gets to come to its end once the process is told to stop. */
const LAST_START_MS = 5_000;

/** Answers the driver until told to stop. */
export async function serve(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let config: Config;
  try {
    config = readConfig(args, terminal.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) {
      throw error;
    }
    for (const problem of error.problems) {
      terminal.err(`${NAME}: ${problem}`);
    }
    return 2;
  }
  const log = createLogger(config.log);
  log.info({ version: VERSION, node: process.version, socket: config.socketPath }, 'starting');
  try {
    await using daemon = await startedOrStopped(startDaemon(config, log), terminal.signal);
    log.info({ socket: config.socketPath, healthPort: daemon.healthPort }, 'ready');
    if (!terminal.signal.aborted) {
      await once(terminal.signal, 'abort');
    }
    log.info('stopping: mounts under way may finish');
  } catch (error) {
    log.error({ err: error }, 'failed');
    return 1;
  }
  log.info('stopped');
  return 0;
}

/** What is being started, once it is: a stop must not wait for a start that hangs. @throws Error, or as the start does */
async function startedOrStopped(starting: Promise<Daemon>, signal: AbortSignal): Promise<Daemon> {
  const ended = starting.then(
    () => undefined,
    () => undefined,
  );
  const told = signal.aborted ? Promise.resolve() : once(signal, 'abort');
  await Promise.race([ended, told]);
  if (signal.aborted && !(await endsWithin(ended, LAST_START_MS, SYSTEM_CLOCK))) {
    throw new Error('told to stop before it had started');
  }
  return await starting;
}
