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
}

export function parameterName({ name, version, label }: ObjectSource): ParameterName {
  // A name may be written with its selector; neither it nor the last part of an ARN holds another colon.
  const [, base = name, written = ''] = /^((?:arn:(?:[^:]*:){4})?[^:]*)(?::(.*))?$/s.exec(name) ?? [];
  return { base, selector: version ?? label ?? written };
}

export function requestedName({ base, selector }: ParameterName): string {
  return selector === '' ? base : `${base}:${selector}`;
}

/** Whether a parameter of an answer is the one asked for: answers come in an order of their own, and one name may be asked for by several selectors. */
export function isParameter(echo: ParameterEcho, { base, selector }: ParameterName): boolean {
  // Seen as `:3`; documented as `name:3`.
  const echoed = echo.Selector?.split(':').at(-1) ?? '';
  return (echo.Name === base || echo.ARN === base) && echoed === selector;
}
