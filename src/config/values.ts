import type { Address } from '../observability/http.ts';
import { parseGoBool } from '../class/go/go-bool.ts';
import { parseGoDuration } from '../class/go/go-duration.ts';
import { isRegion } from '../class/region.ts';

/** Readers of flag values: text in, value out, or a RangeError that says what was expected. */

/**
 * A reader of Go durations ("1.5s", "2m30s", "100ms") above zero, in whole milliseconds, rounded up. Node's timers take no fractions, and
 * take more than 24 days for one millisecond.
 * @param longest the greatest that makes sense, as a Go duration
 */
export function durationUpTo(longest: string): (text: string) => number {
  const maxMs = parseGoDuration(longest) ?? 0;
  return function readDuration(text) {
    const value = Math.ceil(parseGoDuration(text) ?? 0);
    if (!(value > 0 && value <= maxMs)) {
      throw new RangeError(`expected a duration above zero and up to ${longest}, such as "500ms", "30s" or "2m"`);
    }
    return value;
  };
}

/** What may hold a password, so that no message quotes it. */
export class SecretRangeError extends RangeError {
  override readonly name = 'SecretRangeError';
}

/** As `url`, which may hold a user and his password. */
export function proxyUrl(text: string): string {
  try {
    return url(text);
  } catch {
    throw new SecretRangeError(
      'expected a URL that begins with http:// or https:// (not shown, as it may hold a password)',
    );
  }
}

export function region(text: string): string {
  if (!isRegion(text)) {
    throw new RangeError('expected the name of a region, such as "eu-central-1"');
  }
  return text;
}

/** The words that Go takes. */
export function bool(text: string): boolean {
  const value = parseGoBool(text);
  if (value === undefined) {
    throw new RangeError('expected "true" or "false"');
  }
  return value;
}

export function integer(text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new RangeError('expected a whole number');
  }
  return Number(text);
}

export function absolutePath(text: string): string {
  if (!text.startsWith('/')) {
    throw new RangeError('expected an absolute path');
  }
  return text;
}

export function url(text: string): string {
  const parsed = URL.parse(text);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new RangeError('expected a URL that begins with http:// or https://');
  }
  return text.replace(/\/+$/, '');
}

/** "127.0.0.1:8989", "[::1]:8989" or ":8989" for every address of the pod. */
export function address(text: string): Address {
  const [, bracketed, plain, portText] = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(portText);
  if (portText === undefined || port > 65_535) {
    throw new RangeError('expected "host:port", an IPv6 address in brackets');
  }
  return { host: bracketed ?? (plain || '::'), port };
}

/** A reader of one of a closed set of words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): (text: string) => Word {
  return function readWord(text) {
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) {
      throw new RangeError(`expected one of ${words.join(', ')}`);
    }
    return word;
  };
}

/** The driver looks for `<provider>.sock` by this pattern: secrets-store-csi-driver, provider_client.go. */
export function socketName(text: string): string {
  if (!/^[a-zA-Z0-9_-]{1,30}$/.test(text)) {
    throw new RangeError('expected 1 to 30 letters, digits, "_" or "-"');
  }
  return text;
}

/** Types of Secrets, separated by commas. */
export function secretTypes(text: string): readonly string[] {
  return listed(text);
}

/** Domains, separated by commas, each possibly after a "!", or with a "*." that says nothing more; "none" for none. */
export function domains(text: string): readonly string[] {
  const read = listed(text).map((word) => word.replace(/^(!?)\*\./, '$1').toLowerCase());
  const wrong = read.find((word) => !/^!?[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(word));
  if (wrong !== undefined) {
    throw new RangeError('expected domains such as "example.com", separated by commas, or "none"');
  }
  return read.filter((word) => word !== 'none');
}

function listed(text: string): readonly string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

export function anyText(text: string): string {
  return text;
}
