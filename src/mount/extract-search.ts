import { type GoJson, isGoJsonObject } from '../spec/go-json.ts';
import type { Expression } from '../spec/jmespath-parser.ts';
import { callFunction } from './extract-functions.ts';
import { isEqual, isList, type Machine, plain, SearchFailure, sortedValues, type Value } from './extract-value.ts';

/**
 * Steps, items copied and characters written that one search may take: some 50 ms. Secrets Manager's largest value has
 * 65,536 characters, and a chain of "[@, @] | [@, @]" doubles its result with each link.
 */
const MAX_WORK = 1_000_000;

/**
 * Applies an expression as go-jmespath 0.4.0 does. Objects' values come sorted by key (there their order is random, with
 * nulls added).
 * @throws SearchFailure
 */
export function search(expression: Expression, value: GoJson): Value {
  let left = MAX_WORK;
  const machine: Machine = {
    evaluate: (inner, current) => evaluate(inner, current, machine),
    spend(work) {
      left -= work;
      if (left < 0) {
        throw new SearchFailure('it takes too much work');
      }
    },
  };
  return machine.evaluate(expression, value);
}

function evaluate(expression: Expression, value: GoJson, machine: Machine): Value {
  machine.spend(1);
  switch (expression.kind) {
    case 'current':
      return value;
    case 'literal':
      return expression.value;
    case 'field':
      return isGoJsonObject(value) ? (value.get(expression.name) ?? null) : null;
    case 'index':
      return isList(value) ? (value.at(expression.at) ?? null) : null;
    case 'slice':
      return isList(value) ? slice(value, expression.parts, machine) : null;
    case 'then':
      return machine.evaluate(expression.right, plain(machine.evaluate(expression.left, value)));
    case 'project': {
      const items = machine.evaluate(expression.left, value);
      return isList(items) ? project(items, expression.right, machine) : null;
    }
    case 'project-values': {
      const object = machine.evaluate(expression.left, value);
      return isGoJsonObject(object) ? project(sortedValues(object), expression.right, machine) : null;
    }
    case 'filter': {
      const items = machine.evaluate(expression.left, value);
      if (!isList(items)) {
        return null;
      }
      const kept = items.filter((item) => !isFalse(machine.evaluate(expression.condition, item)));
      return project(kept, expression.right, machine);
    }
    case 'flatten': {
      const items = machine.evaluate(expression.of, value);
      return isList(items) ? flatten(items, machine) : null;
    }
    case 'list':
      return value === null ? null : expression.items.map((item) => plain(machine.evaluate(item, value)));
    case 'object':
      return value === null
        ? null
        : new Map(expression.entries.map(([key, item]) => [key, plain(machine.evaluate(item, value))]));
    case 'or': {
      const first = machine.evaluate(expression.left, value);
      return isFalse(first) ? machine.evaluate(expression.right, value) : first;
    }
    case 'and': {
      const first = machine.evaluate(expression.left, value);
      return isFalse(first) ? first : machine.evaluate(expression.right, value);
    }
    case 'not':
      return isFalse(machine.evaluate(expression.of, value));
    case 'compare': {
      const first = machine.evaluate(expression.left, value);
      return compare(expression.operator, first, machine.evaluate(expression.right, value), machine);
    }
    case 'reference':
      return expression;
    case 'call':
      return callFunction(
        expression.name,
        expression.arguments.map((argument) => machine.evaluate(argument, value)),
        machine,
      );
    default:
      return expression satisfies never;
  }
}

function project(items: readonly GoJson[], each: Expression, machine: Machine): readonly GoJson[] {
  return items.map((item) => plain(machine.evaluate(each, item))).filter((item) => item !== null);
}

function flatten(items: readonly GoJson[], machine: Machine): readonly GoJson[] {
  for (const item of items) {
    machine.spend(isList(item) ? item.length : 1);
  }
  return items.flatMap((item) => (isList(item) ? item : [item]));
}

/** False are null, false, and what is empty; 0 is not. */
function isFalse(value: Value): boolean {
  if (isGoJsonObject(value)) {
    return value.size === 0;
  }
  return isList(value) ? value.length === 0 : value === null || value === false || value === '';
}

function compare(operator: string, left: Value, right: Value, machine: Machine): GoJson {
  if (operator === '==' || operator === '!=') {
    return isEqual(left, right, machine) === (operator === '==');
  }
  if (typeof left !== 'number' || typeof right !== 'number') {
    return null;
  }
  switch (operator) {
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    default:
      return left >= right;
  }
}

/** Python's slices, without the error for what is out of range. */
function slice(
  items: readonly GoJson[],
  [start, stop, step = 1]: readonly (number | undefined)[],
  machine: Machine,
): readonly GoJson[] {
  if (step === 0) {
    throw new SearchFailure('the step of a slice cannot be 0');
  }
  const forward = step > 0;
  const from = bound(start ?? (forward ? 0 : Infinity), items.length, forward);
  const to = bound(stop ?? (forward ? Infinity : -Infinity), items.length, forward);
  const taken: GoJson[] = [];
  for (let at = from; forward ? at < to : at > to; at += step) {
    taken.push(items[at] ?? null);
  }
  machine.spend(taken.length);
  return taken;
}

/** Negative positions count from the end; what is out of range is moved to the nearest end. */
function bound(at: number, length: number, forward: boolean): number {
  const position = at < 0 ? at + length : at;
  return forward ? Math.min(Math.max(position, 0), length) : Math.min(Math.max(position, -1), length - 1);
}
