import { JMESPathError, JMESPathTypeError, search } from '@aws-lambda-powertools/jmespath';
import type { GoJson } from '../go/go-json.ts';
import { FUNCTION_NAMES, goFunctions } from './jmespath-functions.ts';
import { JmesPathFailure, scanJmesPath } from './jmespath-scan.ts';

/** Steps that one search may take: some 50 ms, and 30 MiB of lists. Secrets Manager's largest value has 65,536 characters. */
const MAX_STEPS = 250_000;

export type JmesPathResult =
  | { readonly ok: true; readonly value: GoJson }
  /** `always`: whatever it is applied to. */
  | { readonly ok: false; readonly reason: string; readonly always: boolean };

/**
 * Applies a JMESPath expression as go-jmespath 0.4.0 does; objects' values come sorted by key, where its order is random.
 * Never throws. No reason holds a part of the value.
 */
export function searchJson(expression: string, json: GoJson): JmesPathResult {
  const failures: unknown[] = [];
  try {
    const { text, stepsPerValue } = scanJmesPath(expression, FUNCTION_NAMES);
    if (stepsPerValue > 0 && stepsPerValue * countValues(json) > MAX_STEPS) {
      throw new JmesPathFailure('it takes too much work');
    }
    // Among the expressions that the library has read it would find "constructor", but not " constructor".
    const value = search(` ${text}`, json, { customFunctions: goFunctions(failures) });
    if (failures.length > 0) {
      throw failures[0];
    }
    return { ok: true, value: (value ?? null) as GoJson };
  } catch (error) {
    return { ok: false, reason: reasonOf(error), always: !(error instanceof JMESPathTypeError) };
  }
}

/** @returns what is wrong with an expression whatever it is applied to, if anything is */
export function jmesPathProblem(expression: string): string | undefined {
  const result = searchJson(expression, null);
  return result.ok || !result.always ? undefined : result.reason;
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
