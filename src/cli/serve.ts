import { once } from 'node:events';
import { type Config, ConfigError, readConfig } from '../config/config.ts';
import { startDaemon } from '../daemon.ts';
import { createLogger } from '../observability/logger.ts';
import { NAME, VERSION } from '../version.ts';
import type { ExitCode, Terminal } from './terminal.ts';

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
    await using daemon = await startDaemon(config, log);
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
