import { JMESPathError, JMESPathTypeError, search as apply } from '@aws-lambda-powertools/jmespath';
import type { GoJson } from '../go/go-json.ts';
import { FUNCTION_NAMES, goFunctions } from './jmespath-functions.ts';
import { JmesPathFailure, scanJmesPath, type ScannedJmesPath } from './jmespath-scan.ts';
import { createWorkBudget, type WorkBudget, WorkExceeded } from './work-budget.ts';

/**
 * Units that one search may take: less than 100 ms, and 30 MiB of lists. One for each step over a value, and for each character that a
 * function is given or makes. Secrets Manager's largest value has 65,536 characters.
 */
const MAX_SEARCH = 400_000;
/** What an expression costs that does nothing, and its text by the character: it is read and taken apart. */
const UNITS_PER_SEARCH = 200;
const UNITS_PER_CHARACTER = 4;

export type JmesPathResult =
  | { readonly ok: true; readonly value: GoJson }
  /** `always`: whatever it is applied to. */
  | { readonly ok: false; readonly reason: string; readonly always: boolean };

/** A JSON value that expressions are applied to. */
export interface JsonDocument {
  readonly json: GoJson;
  /** Number of values, including itself. */
  readonly values: number;
}

/** JMESPath for one class or one mount, with a shared budget. */
export interface JmesPath {
  /**
   * Applies an expression as go-jmespath 0.4.0 does; objects' values come sorted by key, where its order is random. No reason holds
   * a part of the value.
   * @throws WorkExceeded
   */
  search(expression: string, document: JsonDocument): JmesPathResult;
  /** @returns why an expression is invalid for every document, if it is */
  problemOf(expression: string): string | undefined;
}

export function documentOf(json: GoJson): JsonDocument {
  return { json, values: countValues(json) };
}

export function createJmesPath(budget: WorkBudget = createWorkBudget()): JmesPath {
  /** Parsed expressions, or errors. */
  const scanned = new Map<string, ScannedJmesPath | JmesPathFailure>();
  const problems = new Map<string, string | undefined>();

  function scan(expression: string): ScannedJmesPath {
    let found = scanned.get(expression);
    if (found === undefined) {
      budget.spend(expression.length * UNITS_PER_CHARACTER);
      found = scanOrFail(expression);
      scanned.set(expression, found);
    }
    if (found instanceof JmesPathFailure) {
      throw found;
    }
    return found;
  }

  function search(expression: string, { json, values }: JsonDocument): JmesPathResult {
    const failures: unknown[] = [];
    let left = MAX_SEARCH;
    function spend(units: number): void {
      left -= units;
      if (left < 0) {
        throw new JmesPathFailure('it takes too much work');
      }
      budget.spend(units);
    }

    try {
      const { text, stepsPerValue } = scan(expression);
      budget.spend(UNITS_PER_SEARCH + text.length);
      if (stepsPerValue > 0) {
        spend(stepsPerValue * values);
      }
      // Among the expressions that the library has read it would find "constructor", but not " constructor".
      const value = apply(` ${text}`, json, { customFunctions: goFunctions(failures, spend) });
      if (failures.length > 0) {
        throw failures[0];
      }
      return { ok: true, value: (value ?? null) as GoJson };
    } catch (error) {
      if (error instanceof WorkExceeded) {
        throw error;
      }
      return { ok: false, reason: reasonOf(error), always: !(error instanceof JMESPathTypeError) };
    }
  }

  return {
    search,
    problemOf(expression) {
      if (!problems.has(expression)) {
        const result = searchOrExceed(() => search(expression, documentOf(null)));
        problems.set(expression, result.ok || !result.always ? undefined : result.reason);
      }
      return problems.get(expression);
    },
  };
}

function scanOrFail(expression: string): ScannedJmesPath | JmesPathFailure {
  try {
    return scanJmesPath(expression, FUNCTION_NAMES);
  } catch (error) {
    if (error instanceof JmesPathFailure) {
      return error;
    }
    throw error;
  }
}

function searchOrExceed(search: () => JmesPathResult): JmesPathResult {
  try {
    return search();
  } catch (error) {
    return {
      ok: false,
      reason: error instanceof WorkExceeded ? error.message : 'it cannot be evaluated',
      always: true,
    };
  }
}

function countValues(value: GoJson): number {
  const items: readonly GoJson[] = typeof value === 'object' ? Object.values(value ?? {}) : [];
  return items.reduce((count: number, item) => count + countValues(item), 1);
}

function reasonOf(error: unknown): string {
  if (error instanceof JmesPathFailure) {
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
  const hint = `a name that holds anything but letters, digits and "_" must be quoted, as in '"a-b"'`;
  return / token /.test(reason) ? `${reason}: ${hint}` : reason;
}
