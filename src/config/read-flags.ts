import { parseArgs } from 'node:util';
import { quote } from '../text/quote.ts';
import { FLAGS, type Flag, type FlagName } from './flags.ts';
import { SecretRangeError } from './values.ts';

/** What each flag came to; undefined where it has neither value nor default. */
export type FlagValues = {
  readonly [Name in FlagName]:
    | ReturnType<(typeof FLAGS)[Name]['parse']>
    | ((typeof FLAGS)[Name] extends { readonly default: string } ? never : undefined);
};

export interface FlagReading {
  readonly values: FlagValues;
  /** Everything wrong, a sentence each; `values` counts only where this is empty. */
  readonly problems: readonly string[];
}

const NAMES = Object.keys(FLAGS) as FlagName[];

/**
 * Reads flags in Go's style (`-x`, `--x`, with `=v` or a space) over environment variables over defaults. Empty means not set, as
 * templates write it.
 */
export function readFlags(args: readonly string[], env: Readonly<Record<string, string | undefined>>): FlagReading {
  const problems: string[] = [];
  const given = readArguments(args, problems);
  const values: Partial<Record<FlagName, unknown>> = {};
  for (const name of NAMES) {
    const { env: variable, default: fallback, parse }: Flag<unknown> = FLAGS[name];
    const [text, origin] =
      [
        [given.get(name), `--${name}`] as const,
        [env[variable], `environment variable ${variable}`] as const,
        [fallback, 'default'] as const,
      ].find(([candidate]) => candidate !== undefined && candidate !== '') ?? [];
    if (text === undefined) {
      continue;
    }
    try {
      values[name] = parse(text);
    } catch (error) {
      if (!(error instanceof RangeError)) {
        throw error;
      }
      const got = error instanceof SecretRangeError ? '' : `, got ${quote(withoutPassword(text))}`;
      problems.push(`${origin}: ${error.message}${got}`);
    }
  }
  return { values: values as FlagValues, problems };
}

function readArguments(args: readonly string[], problems: string[]): ReadonlyMap<string, string> {
  // Go takes one dash for two; parseArgs would read "-kubeconfig" as eleven letters.
  const { tokens } = parseArgs({
    args: args.map((arg) => arg.replace(/^-(?=[^-])/, '--')),
    options: Object.fromEntries(NAMES.map((name) => [name, { type: isSwitch(name) ? 'boolean' : 'string' }])),
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'positional') {
      problems.push(`unexpected argument ${quote(withoutPassword(token.value))}`);
    } else if (token.kind === 'option') {
      if (!Object.hasOwn(FLAGS, token.name)) {
        problems.push(`unknown flag ${quote(`--${token.name}`)}: see "aws-secrets-csi help"`);
      } else if (token.value === undefined && !isSwitch(token.name as FlagName)) {
        problems.push(`--${token.name}: needs a value`);
      } else {
        given.set(token.name, token.value ?? 'true');
      }
    }
  }
  return given;
}

/** Of a URL, or of what was meant as one. */
function withoutPassword(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:?\/\/)?.*@/is, '$1***@');
}

function isSwitch(name: FlagName): boolean {
  return !('value' in FLAGS[name]);
}
