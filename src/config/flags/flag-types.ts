import type { Address } from '../../observability/http.ts';
import { parseGoBool } from '../../class/go/go-bool.ts';
import { parseGoDuration } from '../../class/go/go-duration.ts';
import { isRegion } from '../../class/region.ts';

export interface Flag {
  readonly type: FlagType<unknown>;
  /** Absent: the flag has no value by default. */
  readonly default?: string;
  /** Environment variable read where the flag is not given; absent: the flag's name in capitals with underscores. */
  readonly env?: string;
  readonly help: string;
}

/** Flags by name. */
export type FlagTable = Readonly<Record<string, Flag>>;

/** The type of a flag's value. */
export interface FlagType<Value> {
  /** Stands for the value in the help; absent for a switch. */
  readonly placeholder?: string;
  /** What a value must be, for the message about an invalid one. */
  readonly expected: string;
  /** No message quotes the value. */
  readonly mayHoldPassword?: true;
  /** @returns undefined for a text that is not as expected */
  readonly parse: (text: string) => Value | undefined;
}

export const bool: FlagType<boolean> = { expected: '"true" or "false"', parse: parseGoBool };

/** Any text. */
export function text(placeholder: string): FlagType<string> {
  return { placeholder, expected: 'a text', parse: (given) => given };
}

export function integer(placeholder: string): FlagType<number> {
  return {
    placeholder,
    expected: 'a whole number',
    parse: (given) => (/^\d{1,9}$/.test(given) ? Number(given) : undefined),
  };
}

/**
 * A Go duration ("1.5s", "2m30s", "100ms") above zero, in whole milliseconds, rounded up. Node's timers accept no fractions, and
 * fire at once for more than 24 days.
 * @param longest the greatest that makes sense, as a Go duration
 */
export function durationUpTo(longest: string): FlagType<number> {
  const maxMs = parseGoDuration(longest) ?? 0;
  return {
    placeholder: 'DURATION',
    expected: `a duration above zero and up to ${longest}, such as "500ms", "30s" or "2m"`,
    parse(given) {
      const value = Math.ceil(parseGoDuration(given) ?? 0);
      return value > 0 && value <= maxMs ? value : undefined;
    },
  };
}

export function oneOf<const Word extends string>(placeholder: string, ...words: readonly Word[]): FlagType<Word> {
  return {
    placeholder,
    expected: `one of ${words.join(', ')}`,
    parse: (given) => words.find((word) => word === given),
  };
}

export const absolutePath = textLike('DIR', 'an absolute path', (given) => given.startsWith('/'));

export const region = textLike('REGION', 'the name of a region, such as "eu-central-1"', isRegion);

/** The driver looks for `<provider>.sock` by this pattern: secrets-store-csi-driver, provider_client.go. */
export const socketName = textLike('NAME', '1 to 30 letters, digits, "_" or "-"', (given) =>
  /^[a-zA-Z0-9_-]{1,30}$/.test(given),
);

function textLike(placeholder: string, expected: string, matches: (given: string) => boolean): FlagType<string> {
  return { placeholder, expected, parse: (given) => (matches(given) ? given : undefined) };
}

const HTTP_URL = 'a URL that begins with http:// or https://';

export const url: FlagType<string> = {
  placeholder: 'URL',
  expected: HTTP_URL,
  parse(given) {
    const isHttp = /^https?:$/.test(URL.parse(given)?.protocol ?? '');
    return isHttp ? given.replace(/\/+$/, '') : undefined;
  },
};

/** A URL that may hold a user and a password. */
export const proxyUrl: FlagType<string> = {
  ...url,
  expected: `${HTTP_URL} (not shown, as it may hold a password)`,
  mayHoldPassword: true,
};

/** "127.0.0.1:8989", "[::1]:8989" or ":8989" for every address of the pod. */
export const address: FlagType<Address> = {
  placeholder: 'HOST:PORT',
  expected: '"host:port", an IPv6 address in brackets',
  parse(given) {
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(given) ?? [];
    return port === undefined || Number(port) > 65_535
      ? undefined
      : { host: bracketed ?? (plain || '::'), port: Number(port) };
  },
};

/** Types of Secrets, separated by commas. */
export const secretTypes: FlagType<readonly string[]> = {
  placeholder: 'TYPES',
  expected: 'types of Secrets, separated by commas',
  parse: listed,
};

/** Domains, separated by commas, each optionally after a "!"; a leading "*." is ignored; "none" for none. */
export const domains: FlagType<readonly string[]> = {
  placeholder: 'DOMAINS',
  expected: 'domains such as "example.com", separated by commas, or "none"',
  parse(given) {
    const read = listed(given).map((word) => word.replace(/^(!?)\*\./, '$1').toLowerCase());
    const areDomains = read.every((word) => /^!?[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(word));
    return areDomains ? read.filter((word) => word !== 'none') : undefined;
  },
};

function listed(given: string): readonly string[] {
  return given
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
