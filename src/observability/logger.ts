import pino from 'pino';
import type { PodRef } from '../model/mount-spec.ts';
import { cutText, visible } from '../text/visible-text.ts';

export interface LogSettings {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** json: one object per line; text: for a terminal. */
  readonly format: 'json' | 'text';
}

export type Logger = pino.Logger;

/** Longest value of one field, and longest line, in UTF-16 units. containerd splits lines of more than 16 KiB. */
const MAX_FIELD = 16 * 1024;
const MAX_LINE = 4 * MAX_FIELD;

/** pino's default destination writes synchronously, so nothing is lost when the process ends. */
export function createLogger(settings: LogSettings): Logger {
  return pino(
    {
      level: settings.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    settings.format === 'json'
      ? jsonLines(pino.destination(1))
      : { write: (line: string) => process.stdout.write(asText(line)) },
  );
}

/** What lines about a mount say of it. */
export function mountFields(pod: PodRef, className?: string): Record<string, unknown> {
  return { namespace: pod.namespace, pod: pod.name, serviceAccount: pod.serviceAccount, class: className };
}

/** JSON escapes control characters. This escapes the other characters that some readers treat as line ends, in the same way. */
function jsonLines(destination: { write(line: string): unknown }): pino.DestinationStream {
  return {
    write(line) {
      const whole = line.length > MAX_FIELD ? JSON.stringify(bounded(line)) : line.trimEnd();
      destination.write(`${visible(whole)}\n`);
    },
  };
}

/** The fields of a line, each shortened if it is too long, and as many as fit into the line. */
function bounded(line: string): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  let left = MAX_LINE;
  for (const [name, value] of Object.entries(JSON.parse(line) as Record<string, unknown>)) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const fits = text.length <= MAX_FIELD;
    left -= name.length + Math.min(text.length, MAX_FIELD);
    if (left < 0) {
      fields['cut'] = true;
      break;
    }
    fields[name] = fits ? value : cutText(text, MAX_FIELD);
  }
  return fields;
}

/** `2026-01-31T12:00:00.000Z info  mount served  pod=web files=3` */
function asText(line: string): string {
  const { time, level, msg, ...fields } = bounded(line);
  const details = Object.entries(fields).map(([name, value]) => `${inText(name)}=${inText(value)}`);
  return `${String(time)} ${String(level).padEnd(5)} ${visible(String(msg))}${details.length > 0 ? `  ${details.join(' ')}` : ''}\n`;
}

/** Everything but plain words is quoted, so that no value can imitate another field or line. */
function inText(value: unknown): string {
  return visible(typeof value === 'string' && /^[\w/+.@:,-]+$/.test(value) ? value : JSON.stringify(value));
}
