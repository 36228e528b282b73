import pino from 'pino';
import type { Clock } from '../../../src/concurrency/clock.ts';
import { readConfig } from '../../../src/config/config.ts';
import { startDaemon } from '../../../src/daemon/daemon.ts';
import { startProvider } from '../../fakes/provider-process.ts';

/** The running provider of a node. */
export interface Provider {
  /** Lines of its log so far. */
  readonly log: readonly string[];
  readonly pid: number;
  /** @param signal that ends a provider in a separate process */
  stop(signal?: NodeJS.Signals): Promise<unknown>;
}

export type Start = (args: readonly string[], env: Readonly<Record<string, string>>) => Promise<Provider>;

/** In this process. */
export function insideAt(clock: Clock): Start {
  return async (args, env) => {
    const log: string[] = [];
    const daemon = await startDaemon(
      readConfig(args, env),
      pino({ level: 'debug' }, { write: (line: string) => log.push(line) }),
      clock,
    );
    return {
      log,
      pid: process.pid,
      async stop() {
        await daemon[Symbol.asyncDispose]();
      },
    };
  };
}

/** As a separate process, which can be killed and measured. */
export async function startAside(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Provider> {
  const provider = await startProvider(args, { LOG_LEVEL: 'debug', ...env });
  return {
    log: provider.log,
    pid: provider.pid,
    stop: (signal) => provider.stop(signal),
  };
}
