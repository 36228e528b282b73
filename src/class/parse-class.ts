import { ProviderError } from '../model/errors.ts';
import { finish, type Steps } from '../concurrency/time-slices.ts';
import type { Translation } from './file-path.ts';
import { parseGoBool } from './go/go-bool.ts';
import { parseGoDuration } from './go/go-duration.ts';
import { CLASS_ATTRIBUTE } from '../model/kube-objects.ts';
import type { AddressType, Authentication, ClassSpec, Problem } from '../model/mount-spec.ts';
import { isRegion } from './region.ts';
import { parseObjects } from './parse-objects.ts';
import { newProblemList } from './problem-list.ts';
import { bare, quote } from '../text/quote.ts';

export interface ClassContext {
  /** Region of a class that names none. Undefined if it is not known, as for `check`: then ARNs are not compared with it. */
  readonly region: string | undefined;
  /** Permission bits of files without `filePermission`, 0 to 0o777. */
  readonly mode: number;
}

/** Warnings about ignored parts of a class, valid or not. */
interface Remarks {
  readonly warnings: readonly Problem[];
}

export type ClassResult = Remarks &
  (
    | { readonly ok: true; readonly spec: ClassSpec }
    /** All problems, at least one. The first is the one that AWS's provider would report. */
    | { readonly ok: false; readonly problems: readonly Problem[] }
  );

/** Placeholder for an unknown primary region. No AWS endpoint has this name. */
const UNKNOWN_REGION = 'unknown';

type Parameters = ReadonlyMap<string, string>;
type Refuse = (parameter: string, message: string) => void;

const KNOWN_PARAMETERS = [
  'objects',
  'region',
  'failoverRegion',
  'pathTranslation',
  'usePodIdentity',
  'preferredAddressType',
  'rotationPollInterval',
];
/** The author of a pod may set the interval too, and must not be able to make the provider call AWS continuously. */
const MIN_POLL_INTERVAL_MS = 10_000;
/** Node's timers support at most 24 days. */
const MAX_POLL_INTERVAL_MS = 24 * 3_600_000;
/** More would not be read, not even in the log. */
const MAX_REPORTED = 50;

/** Parses the parameters of a SecretProviderClass, with the overrides of a pod. Never throws. */
export function parseClass(parameters: Parameters, context: ClassContext): ClassResult {
  return finish(parseClassSteps(parameters, context));
}

/** `parseClass` in steps, because a very large class takes some tenths of a second. */
export function* parseClassSteps(parameters: Parameters, context: ClassContext): Steps<ClassResult> {
  const refusals: Problem[] = [];

  function refuse(parameter: string, message: string): void {
    refusals.push({ message, parameter });
  }

  const region = parseRegion(parameters, 'region', refuse) ?? context.region;
  const failoverRegion = parseRegion(parameters, 'failoverRegion', refuse);
  if (failoverRegion !== undefined && failoverRegion === region) {
    refuse('failoverRegion', `${bare(region)}: failoverRegion cannot be the same as the primary region: leave it out`);
  }
  const authentication = parseAuthentication(parameters, refuse);
  const translation = parseTranslation(parameters, refuse);
  const pollIntervalMs = parsePollInterval(parameters, refuse);
  const { mode } = context;
  const objectContext = { region, failoverRegion, translation, mode };
  const reading = yield* parseObjects(parameters.get('objects') ?? '', objectContext);
  const problems = [...refusals, ...reading.problems];
  const warnings = [...parameterWarnings(parameters), ...reading.warnings];
  if (problems.length > 0) {
    return { ok: false, problems, warnings };
  }
  const primary = region ?? UNKNOWN_REGION;
  const regions = failoverRegion === undefined ? ([primary] as const) : ([primary, failoverRegion] as const);
  const spec = {
    regions,
    authentication,
    objects: reading.objects,
    ...(pollIntervalMs !== undefined && { pollIntervalMs }),
  };
  return { ok: true, spec, warnings };
}

/** @param problems at least one */
export function problemsError(problems: readonly Problem[]): ProviderError {
  const errors = problems
    .slice(0, MAX_REPORTED)
    .map(
      ({ message, object }) => new ProviderError('InvalidParameters', message, object === undefined ? {} : { object }),
    );
  const rest = problems.slice(errors.length).reduce((sum, { count = 1 }) => sum + count, 0);
  return ProviderError.all(errors, rest);
}

/** @returns undefined if it is absent or empty */
function parseRegion(parameters: Parameters, parameter: string, refuse: Refuse): string | undefined {
  const region = parameters.get(parameter) || undefined;
  if (region !== undefined && !isRegion(region)) {
    refuse(parameter, `${parameter} ${quote(region)} is not the name of a region, such as "eu-central-1"`);
  }
  return region;
}

function parseAuthentication(parameters: Parameters, refuse: Refuse): Authentication {
  const given = parameters.get('usePodIdentity') || 'false';
  const podIdentity = parseGoBool(given);
  if (podIdentity === undefined) {
    refuse('usePodIdentity', `failed to parse usePodIdentity ${quote(given)}: write "true" or "false"`);
  }
  return podIdentity === true
    ? { kind: 'pod-identity', addressType: parseAddressType(parameters) ?? 'auto' }
    : { kind: 'irsa' };
}

/** @returns undefined for an unknown value, which counts as auto */
function parseAddressType(parameters: Parameters): AddressType | undefined {
  const wanted = (parameters.get('preferredAddressType') || 'auto').toLowerCase();
  return (['ipv4', 'ipv6', 'auto'] as const).find((known) => known === wanted);
}

/** The character must also be a single byte. */
function parseTranslation(parameters: Parameters, refuse: Refuse): Translation {
  const wanted = parameters.get('pathTranslation') || '_';
  if (wanted.toLowerCase() === 'false') {
    return '';
  }
  if (wanted.length !== 1 || wanted > '\u007f') {
    refuse('pathTranslation', `pathTranslation must be either 'False' or a single character, not ${quote(wanted)}`);
    return '_';
  }
  return wanted;
}

/** @returns undefined if it is absent or empty */
function parsePollInterval(parameters: Parameters, refuse: Refuse): number | undefined {
  const parameter = 'rotationPollInterval';
  const given = parameters.get(parameter) || undefined;
  if (given === undefined) {
    return undefined;
  }
  const interval = parseGoDuration(given) ?? 0;
  if (interval < MIN_POLL_INTERVAL_MS || interval > MAX_POLL_INTERVAL_MS) {
    refuse(parameter, `${parameter} ${quote(given)} is not a duration from 10s to 24h, such as "30s" or "5m"`);
  }
  return interval;
}

function parameterWarnings(parameters: Parameters): readonly Problem[] {
  const warnings = newProblemList();
  for (const parameter of parameters.keys()) {
    if (parameter !== CLASS_ATTRIBUTE && !KNOWN_PARAMETERS.includes(parameter)) {
      const message = `the parameter ${quote(parameter)} is ignored: known are ${KNOWN_PARAMETERS.join(', ')}`;
      warnings.add({ message, parameter });
    }
  }
  const parameter = 'preferredAddressType';
  if (parseAddressType(parameters) === undefined) {
    warnings.add({ message: `${parameter} ${quote(parameters.get(parameter) ?? '')} counts as auto`, parameter });
  }
  return warnings.all();
}
