import { parseArgs } from 'node:util';
import { quote } from '../text/quote.ts';
import { ALL_FLAGS, type FlagValues, type NamedFlag } from './flags.ts';

interface FlagReading {
  readonly values: FlagValues;
  /** One sentence per problem; use `values` only if this is empty. */
  readonly problems: readonly string[];
}

/**
 * Reads flags in Go's style (`-x`, `--x`, with `=v` or a space). A flag takes precedence over its environment variable, and that over the default. Empty means
 * not set, as templates write it.
 */
export function readFlags(args: readonly string[], env: Readonly<Record<string, string | undefined>>): FlagReading {
  const problems: string[] = [];
  const given = readArguments(args, problems);
  const values: Record<string, unknown> = {};
  for (const { name, env: variable, default: fallback, type } of ALL_FLAGS) {
    const text = given.get(name) || env[variable] || fallback;
    values[name] = text === undefined ? undefined : type.parse(text);
    if (text !== undefined && values[name] === undefined) {
      const origin = given.get(name) ? `--${name}` : `environment variable ${variable}`;
      const got = type.mayHoldPassword === true ? '' : `, got ${quote(withoutPassword(text))}`;
      problems.push(`${origin}: expected ${type.expected}${got}`);
    }
  }
  return { values: values as FlagValues, problems };
}

function readArguments(args: readonly string[], problems: string[]): ReadonlyMap<string, string> {
  const flags: ReadonlyMap<string, NamedFlag> = new Map(ALL_FLAGS.map((flag) => [flag.name, flag]));
  // In Go one dash means the same as two; parseArgs would read "-kubeconfig" as ten short flags.
  const { tokens } = parseArgs({
    args: args.map((arg) => arg.replace(/^-(?=[^-])/, '--')),
    options: Object.fromEntries(ALL_FLAGS.map((flag) => [flag.name, { type: isSwitch(flag) ? 'boolean' : 'string' }])),
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'positional') {
      problems.push(`unexpected argument ${quote(withoutPassword(token.value))}`);
    } else if (token.kind === 'option') {
      const flag = flags.get(token.name);
      if (flag === undefined) {
        problems.push(`unknown flag ${quote(`--${token.name}`)}: see "aws-secrets-csi help"`);
      } else if (token.value === undefined && !isSwitch(flag)) {
        problems.push(`--${token.name}: needs a value`);
      } else {
        given.set(token.name, token.value ?? 'true');
      }
    }
  }
  return given;
}

/** Removes the password of a URL, or of a text that was meant as one. */
function withoutPassword(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:?\/\/)?.*@/is, '$1***@');
}

function isSwitch({ type }: NamedFlag): boolean {
  return type.placeholder === undefined;
}
