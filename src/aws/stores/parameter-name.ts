import type { ObjectSource } from '../../model/mount-spec.ts';

/** Name of a parameter in a GetParameters request. */
export interface ParameterName {
  /** Name or ARN. */
  readonly base: string;
  /** Version number or label; empty for the latest. */
  readonly selector: string;
}

/** The fields of SSM's `Parameter` that identify it. */
export interface ParameterEcho {
  readonly Name?: string | undefined;
  readonly ARN?: string | undefined;
  readonly Selector?: string | undefined;
  readonly Version?: number | undefined;
}

export function parameterName({ name, version, label }: ObjectSource): ParameterName {
  // A name may include its selector. Neither a name nor the last part of an ARN contains another colon.
  const [, base = name, written = ''] = /^((?:arn:(?:[^:]*:){4})?[^:]*)(?::(.*))?$/s.exec(name) ?? [];
  return { base, selector: version ?? label ?? written };
}

export function requestedName({ base, selector }: ParameterName): string {
  return selector === '' ? base : `${base}:${selector}`;
}

/**
 * Finds the parameter of a response that belongs to this name. The order of a response is not defined, and one name may be requested with several
 * selectors. Emulators omit the selector: then the name decides, if it was requested only once.
 * @param asked all names of the request
 * @returns undefined if there is none, or more than one may be meant
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

/** Observed as `:3`, documented as `name:3`. */
function selectorOf({ Selector }: ParameterEcho): string {
  return Selector?.split(':').at(-1) ?? '';
}

function isOnlyOne(echo: ParameterEcho, { selector }: ParameterName, asked: readonly ParameterName[]): boolean {
  const isOtherVersion = /^\d+$/.test(selector) && String(echo.Version) !== selector;
  return selectorOf(echo) === '' && !isOtherVersion && asked.filter((name) => isNamed(echo, name)).length === 1;
}
