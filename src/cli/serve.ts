import { once } from 'node:events';
import { SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { type Config, ConfigError, readConfig } from '../config/config.ts';
import { type Daemon, startDaemon } from '../daemon/daemon.ts';
import { createLogger } from '../observability/logger.ts';
import { NAME, VERSION } from '../model/version.ts';
import { endsWithin } from '../concurrency/cancellation.ts';
import type { ExitCode, Terminal } from './terminal.ts';

/** Longest time that a start may still take after the process received the signal to stop, in milliseconds. */
const LAST_START_MS = 5_000;

/** Serves the driver until the signal aborts. */
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
    log.info('stopping: mounts in progress may finish');
  } catch (error) {
    log.error({ err: error }, 'failed');
    return 1;
  }
  log.info('stopped');
  return 0;
}

/** Waits for a start, but not forever after a stop, because the start may hang. @throws Error, or what the start throws */
async function startedOrStopped(starting: Promise<Daemon>, signal: AbortSignal): Promise<Daemon> {
  const ended = starting.then(
    () => undefined,
    () => undefined,
  );
  const stopped = signal.aborted ? Promise.resolve() : once(signal, 'abort');
  await Promise.race([ended, stopped]);
  if (signal.aborted && !(await endsWithin(ended, LAST_START_MS, SYSTEM_CLOCK))) {
    throw new Error('stopped before it had started');
  }
  return await starting;
}
