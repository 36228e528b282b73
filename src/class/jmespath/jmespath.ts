import { JMESPathError, JMESPathTypeError, search as apply } from '@aws-lambda-powertools/jmespath';
import type { GoJson } from '../go/go-json.ts';
import { FUNCTION_NAMES, goFunctions } from './jmespath-functions.ts';
import { JmesPathFailure, scanJmesPath, type ScannedJmesPath } from './jmespath-scan.ts';

/*
 * Units of work, each about 0.2 µs: one for each step over a value, and for each character that a function is given or makes. Secrets Manager's largest value
 * has 65,536 characters.
 */

/** For one class or one mount: about two seconds. Parsing 4 MiB of JSON, the largest payload, takes half of it. */
const SHARED_UNITS = 10_000_000;
/** For one search: less than 100 ms, and 30 MiB of lists. */
const MAX_SEARCH = 400_000;
/** Minimum of a search, and the cost of scanning an expression per character. */
const UNITS_PER_SEARCH = 200;
const UNITS_PER_CHARACTER = 4;

type JmesPathResult =
  | { readonly ok: true; readonly value: GoJson }
  /** `always`: for every document. */
  | { readonly ok: false; readonly reason: string; readonly always: boolean };

/** A JSON value that expressions are applied to. */
export interface JsonDocument {
  readonly json: GoJson;
  /** Number of values, including itself. */
  readonly values: number;
}

/** JMESPath for one class or one mount. All its expressions share a budget; once that is exhausted, all further work fails too. */
export interface JmesPath {
  /** @throws WorkExceeded */
  spend(units: number): void;
  /**
   * Applies an expression as go-jmespath 0.4.0 does, but in a fixed order: values of objects are sorted by key. No reason contains
   * a part of the value.
   * @throws WorkExceeded
   */
  search(expression: string, document: JsonDocument): JmesPathResult;
  /** @returns why an expression is invalid for every document, if it is */
  problemOf(expression: string): string | undefined;
}

export class WorkExceeded extends Error {}

export function documentOf(json: GoJson): JsonDocument {
  return { json, values: countValues(json) };
}

/** @param units work that all expressions may do together */
export function createJmesPath(units: number = SHARED_UNITS): JmesPath {
  const scanned = new Map<string, ScannedJmesPath>();
  const problems = new Map<string, string | undefined>();
  const spend = limited(units, () => new WorkExceeded('the jmesPath entries take too much work together'));

  function scan(expression: string): ScannedJmesPath {
    let found = scanned.get(expression);
    if (found === undefined) {
      spend(expression.length * UNITS_PER_CHARACTER);
      found = scanJmesPath(expression, FUNCTION_NAMES);
      scanned.set(expression, found);
    }
    return found;
  }

  function search(expression: string, { json, values }: JsonDocument): JmesPathResult {
    const spendHere = limited(MAX_SEARCH, () => new JmesPathFailure('it takes too much work'));
    function spendBoth(more: number): void {
      spendHere(more);
      spend(more);
    }

    try {
      const { text, stepsPerValue } = scan(expression);
      spend(UNITS_PER_SEARCH + text.length);
      spendBoth(stepsPerValue * values);
      return { ok: true, value: applyOnce(text, json, spendBoth) };
    } catch (error) {
      if (error instanceof WorkExceeded) {
        throw error;
      }
      return { ok: false, reason: reasonOf(error), always: !(error instanceof JMESPathTypeError) };
    }
  }

  function findProblem(expression: string): string | undefined {
    try {
      const result = search(expression, documentOf(null));
      return result.ok || !result.always ? undefined : result.reason;
    } catch (error) {
      return reasonOf(error);
    }
  }

  return {
    spend,
    search,
    problemOf(expression) {
      if (!problems.has(expression)) {
        problems.set(expression, findProblem(expression));
      }
      return problems.get(expression);
    },
  };
}

/** @returns a function to call with the units of each piece of work before it is done; it throws once they exceed the limit */
function limited(units: number, exceeded: () => Error): (more: number) => void {
  let left = units;
  return function spend(more) {
    left -= more;
    if (left < 0) {
      throw exceeded();
    }
  };
}

function applyOnce(text: string, json: GoJson, spend: (units: number) => void): GoJson {
  const failures: unknown[] = [];
  // The library caches expressions in a plain object, which has a "constructor" but no " constructor".
  const value = apply(` ${text}`, json, { customFunctions: goFunctions(failures, spend) });
  if (failures.length > 0) {
    throw failures[0];
  }
  return (value ?? null) as GoJson;
}

function countValues(value: GoJson): number {
  const items: readonly GoJson[] = typeof value === 'object' ? Object.values(value ?? {}) : [];
  return items.reduce((count: number, item) => count + countValues(item), 1);
}

function reasonOf(error: unknown): string {
  if (error instanceof JmesPathFailure || error instanceof WorkExceeded) {
    return error.message;
  }
  if (!(error instanceof JMESPathError)) {
    return 'it cannot be evaluated';
  }
  // Its columns are those of the rewritten expression.
  const reason = error.message
    .replace(/ in expression: [^]*$/, '')
    .replace(/^(?:Bad|Invalid) jmespath expression: (?:parse error at column \d+, )?/, '')
    .replace(/ at column \d+$/, '');
  const hint = `a name that contains anything but letters, digits and "_" must be quoted, as in '"a-b"'`;
  return / token /.test(reason) ? `${reason}: ${hint}` : reason;
}
