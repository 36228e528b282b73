import pino from 'pino';

export interface LogSettings {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** json: a line an event; text: for reading at a terminal. */
  readonly format: 'json' | 'text';
}

export type Logger = pino.Logger;

/** pino's standard destination writes synchronously: nothing is lost when the process ends. */
export function createLogger(settings: LogSettings): Logger {
  return pino(
    {
      level: settings.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    settings.format === 'json' ? pino.destination(1) : { write: (line: string) => process.stdout.write(asText(line)) },
  );
}

/** `2026-01-31T12:00:00.000Z info  mount served  pod=web files=3` */
function asText(line: string): string {
  const { time, level, msg, ...fields }: Record<string, unknown> = JSON.parse(line);
  const details = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${String(time)} ${String(level).padEnd(5)} ${String(msg)}${details.length > 0 ? `  ${details.join(' ')}` : ''}\n`;
}
