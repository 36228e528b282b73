import { type GoJson, type GoJsonObject, compareText, isGoJsonObject } from '../spec/go-json.ts';
import type { Expression } from '../spec/jmespath-parser.ts';

/** What an expression gives: JSON, or a `&expression` on its way into a function. */
export type Value = GoJson | Reference;

export interface Reference {
  readonly kind: 'reference';
  readonly to: Expression;
}

/** What evaluates expressions, and counts what that costs. */
export interface Machine {
  /** @throws SearchFailure */
  evaluate(expression: Expression, value: GoJson): Value;
  /** Takes from the work left. @throws SearchFailure when none is */
  spend(work: number): void;
}

/** Thrown where an expression cannot be applied to a value. Its message holds nothing of the value. */
export class SearchFailure extends Error {}

export function isList(value: Value | undefined): value is readonly GoJson[] {
  return Array.isArray(value);
}

export function isReference(value: Value | undefined): value is Reference {
  return typeof value === 'object' && value !== null && !isList(value) && !isGoJsonObject(value);
}

/** @throws SearchFailure for a reference */
export function plain(value: Value | undefined): GoJson {
  if (isReference(value)) {
    throw new SearchFailure('"&" belongs into the arguments of a function');
  }
  return value ?? null;
}

/** In the order of the keys; go-jmespath's own order is random. */
export function sortedValues(object: GoJsonObject): readonly GoJson[] {
  return [...object].toSorted(([left], [right]) => compareText(left, right)).map(([, item]) => item);
}

export function isEqual(left: Value, right: Value, machine: Machine): boolean {
  machine.spend(1);
  if (isList(left)) {
    return (
      isList(right) &&
      left.length === right.length &&
      left.every((item, at) => isEqual(item, right[at] ?? null, machine))
    );
  }
  if (isGoJsonObject(left)) {
    return (
      isGoJsonObject(right) &&
      left.size === right.size &&
      [...left].every(([key, item]) => right.has(key) && isEqual(item, right.get(key) ?? null, machine))
    );
  }
  return left === right;
}
