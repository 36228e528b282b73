import type { ObjectSource } from '../../model/mount-spec.ts';

/** A parameter as GetParameters is asked for it. */
export interface ParameterName {
  /** Name or ARN. */
  readonly base: string;
  /** Version number or label; empty for the latest. */
  readonly selector: string;
}

/** The fields of SSM's `Parameter` that tell which one it is. */
export interface ParameterEcho {
  readonly Name?: string | undefined;
  readonly ARN?: string | undefined;
  readonly Selector?: string | undefined;
  readonly Version?: number | undefined;
}

export function parameterName({ name, version, label }: ObjectSource): ParameterName {
  // A name may be written with its selector; neither it nor the last part of an ARN holds another colon.
  const [, base = name, written = ''] = /^((?:arn:(?:[^:]*:){4})?[^:]*)(?::(.*))?$/s.exec(name) ?? [];
  return { base, selector: version ?? label ?? written };
}

export function requestedName({ base, selector }: ParameterName): string {
  return selector === '' ? base : `${base}:${selector}`;
}

/**
 * The parameter of an answer that was asked for by this name. Answers come in an order of their own, and one name may be asked for by several
 * selectors. Emulators leave the selector out: then the name alone tells, where it was asked for but once.
 * @param asked everything that the answer is for
 * @returns undefined where there is none, or where nobody can tell which it is
 */
export function findParameter<Echo extends ParameterEcho>(
  answer: readonly Echo[],
  wanted: ParameterName,
  asked: readonly ParameterName[],
): Echo | undefined {
  const named = answer.filter((echo) => isNamed(echo, wanted));
  const selected = named.filter((echo) => selectorOf(echo) === wanted.selector);
  const found = selected.length > 0 ? selected : named.filter((echo) => isOnlyOne(echo, wanted, asked));
  return found.every(({ Version }) => Version === found[0]?.Version) ? found[0] : undefined;
}

function isNamed({ Name, ARN }: ParameterEcho, { base }: ParameterName): boolean {
  return Name === base || ARN === base;
}

/** Seen as `:3`; documented as `name:3`. */
function selectorOf({ Selector }: ParameterEcho): string {
  return Selector?.split(':').at(-1) ?? '';
}

function isOnlyOne(echo: ParameterEcho, { selector }: ParameterName, asked: readonly ParameterName[]): boolean {
  const isOtherVersion = /^\d+$/.test(selector) && String(echo.Version) !== selector;
  return selectorOf(echo) === '' && !isOtherVersion && asked.filter((name) => isNamed(echo, name)).length === 1;
}
