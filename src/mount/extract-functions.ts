import { type GoJson, type GoJsonObject, compareText, formatGoJson, isGoJsonObject } from '../spec/go-json.ts';
import {
  isEqual,
  isList,
  isReference,
  type Machine,
  plain,
  type Reference,
  SearchFailure,
  sortedValues,
  type Value,
} from './extract-value.ts';

interface JmesFunction {
  /** Number of arguments; the least number where it takes any. */
  readonly takes: number;
  readonly variadic?: true;
  apply(machine: Machine, ...given: readonly Value[]): GoJson;
}

/** The functions of the JMESPath specification, with the arguments and results of go-jmespath 0.4.0. */
const FUNCTIONS: ReadonlyMap<string, JmesFunction> = new Map<string, JmesFunction>([
  ['abs', { takes: 1, apply: (_, value) => Math.abs(asNumber(value)) }],
  ['avg', { takes: 1, apply: (machine, list) => sum(asNumbers(list), machine) / asNumbers(list).length }],
  ['ceil', { takes: 1, apply: (_, value) => Math.ceil(asNumber(value)) }],
  ['contains', { takes: 2, apply: contains }],
  ['ends_with', { takes: 2, apply: (_, subject, end) => asText(subject).endsWith(asText(end)) }],
  ['floor', { takes: 1, apply: (_, value) => Math.floor(asNumber(value)) }],
  ['join', { takes: 2, apply: join }],
  ['keys', { takes: 1, apply: (machine, value) => copied([...asObject(value).keys()].toSorted(compareText), machine) }],
  ['length', { takes: 1, apply: (_, value) => lengthOf(value) }],
  ['map', { takes: 2, apply: mapEach }],
  ['max', { takes: 1, apply: (machine, list) => extreme(asComparables(list), 1, machine) }],
  ['max_by', { takes: 2, apply: (machine, list, by) => extremeBy(list, by, 1, machine) }],
  ['merge', { takes: 1, variadic: true, apply: merge }],
  ['min', { takes: 1, apply: (machine, list) => extreme(asComparables(list), -1, machine) }],
  ['min_by', { takes: 2, apply: (machine, list, by) => extremeBy(list, by, -1, machine) }],
  [
    'not_null',
    { takes: 1, variadic: true, apply: (_, ...values) => plain(values.find((value) => value !== null) ?? null) },
  ],
  ['reverse', { takes: 1, apply: reverse }],
  ['sort', { takes: 1, apply: (machine, list) => copied(asComparables(list).toSorted(order), machine) }],
  ['sort_by', { takes: 2, apply: sortBy }],
  ['starts_with', { takes: 2, apply: (_, subject, start) => asText(subject).startsWith(asText(start)) }],
  ['sum', { takes: 1, apply: (machine, list) => sum(asNumbers(list), machine) }],
  ['to_array', { takes: 1, apply: (_, value) => (isList(value) ? value : [plain(value)]) }],
  ['to_number', { takes: 1, apply: (_, value) => toNumber(value) }],
  ['to_string', { takes: 1, apply: toText }],
  ['type', { takes: 1, apply: (_, value) => typeName(plain(value)) }],
  ['values', { takes: 1, apply: (machine, value) => copied(sortedValues(asObject(value)), machine) }],
]);

/** @throws SearchFailure for an unknown function, or arguments it does not take */
export function callFunction(name: string, given: readonly Value[], machine: Machine): GoJson {
  const known = FUNCTIONS.get(name);
  if (known === undefined) {
    throw new SearchFailure(`there is no function ${name}(): there are ${[...FUNCTIONS.keys()].join(', ')}`);
  }
  if (known.variadic ? given.length < known.takes : given.length !== known.takes) {
    const atLeast = known.variadic ? 'at least ' : '';
    throw new SearchFailure(`${name}() takes ${atLeast}${known.takes} arguments, not ${given.length}`);
  }
  try {
    const result = known.apply(machine, ...given);
    if (typeof result === 'number' && !Number.isFinite(result)) {
      throw new WrongArgument('gives no finite number');
    }
    return result;
  } catch (error) {
    throw error instanceof WrongArgument ? new SearchFailure(`${name}() ${error.message}`) : error;
  }
}

class WrongArgument extends Error {}

function asNumber(value: Value | undefined): number {
  if (typeof value !== 'number') {
    throw new WrongArgument('wants a number');
  }
  return value;
}

function asText(value: Value | undefined): string {
  if (typeof value !== 'string') {
    throw new WrongArgument('wants a string');
  }
  return value;
}

function asList(value: Value | undefined): readonly GoJson[] {
  if (!isList(value)) {
    throw new WrongArgument('wants an array');
  }
  return value;
}

function asObject(value: Value | undefined): GoJsonObject {
  if (!isGoJsonObject(value)) {
    throw new WrongArgument('wants an object');
  }
  return value;
}

function asReference(value: Value | undefined): Reference {
  if (!isReference(value)) {
    throw new WrongArgument('wants an expression with "&" before it');
  }
  return value;
}

function isNumbers(items: readonly Value[]): items is readonly number[] {
  return items.every((item) => typeof item === 'number');
}

function isTexts(items: readonly Value[]): items is readonly string[] {
  return items.every((item) => typeof item === 'string');
}

function asNumbers(value: Value | undefined): readonly number[] {
  const items = asList(value);
  if (!isNumbers(items)) {
    throw new WrongArgument('wants an array of numbers');
  }
  return items;
}

/** Either all numbers or all strings. */
function asComparables(items: Value | undefined): readonly (number | string)[] {
  const all = asList(items);
  if (isNumbers(all) || isTexts(all)) {
    return all;
  }
  throw new WrongArgument('wants numbers only, or strings only');
}

function order(left: number | string, right: number | string): number {
  return typeof left === 'number' && typeof right === 'number'
    ? left - right
    : compareText(String(left), String(right));
}

function copied(items: readonly GoJson[], machine: Machine): readonly GoJson[] {
  machine.spend(items.length);
  return items;
}

function sum(items: readonly number[], machine: Machine): number {
  machine.spend(items.length);
  return items.reduce((total, item) => total + item, 0);
}

function contains(machine: Machine, subject: Value | undefined, wanted: Value | undefined): boolean {
  if (typeof subject === 'string') {
    return typeof wanted === 'string' && subject.includes(wanted);
  }
  return asList(subject).some((item) => isEqual(item, wanted ?? null, machine));
}

function join(machine: Machine, glue: Value | undefined, items: Value | undefined): string {
  const texts = asList(items);
  if (!isTexts(texts)) {
    throw new WrongArgument('wants an array of strings');
  }
  const separator = asText(glue);
  for (const item of texts) {
    machine.spend(item.length + separator.length);
  }
  return texts.join(separator);
}

/** Of a string its code points. */
function lengthOf(value: Value | undefined): number {
  if (typeof value === 'string') {
    return Array.from(value).length;
  }
  return isGoJsonObject(value) ? value.size : asList(value).length;
}

function mapEach(machine: Machine, each: Value | undefined, items: Value | undefined): readonly GoJson[] {
  const { to } = asReference(each);
  return asList(items).map((item) => plain(machine.evaluate(to, item)));
}

function merge(machine: Machine, ...objects: readonly Value[]): GoJsonObject {
  const merged = new Map<string, GoJson>();
  for (const part of objects.map(asObject)) {
    machine.spend(part.size);
    for (const [key, item] of part) {
      merged.set(key, item);
    }
  }
  return merged;
}

function extreme(items: readonly (number | string)[], sign: 1 | -1, machine: Machine): number | string | null {
  machine.spend(items.length);
  const [first, ...rest] = items;
  return first === undefined ? null : rest.reduce((best, item) => (order(item, best) * sign > 0 ? item : best), first);
}

function extremeBy(items: Value | undefined, by: Value | undefined, sign: 1 | -1, machine: Machine): GoJson {
  const [first, ...rest] = keyed(items, by, machine);
  if (first === undefined) {
    return null;
  }
  return rest.reduce((best, next) => (order(next.key, best.key) * sign > 0 ? next : best), first).item;
}

function sortBy(machine: Machine, items: Value | undefined, by: Value | undefined): readonly GoJson[] {
  return keyed(items, by, machine)
    .toSorted((left, right) => order(left.key, right.key))
    .map(({ item }) => item);
}

/** Items with what they are compared by; a single one is compared with nothing, so anything goes. */
function keyed(
  items: Value | undefined,
  by: Value | undefined,
  machine: Machine,
): readonly { readonly item: GoJson; readonly key: number | string }[] {
  const all = asList(items);
  const { to } = asReference(by);
  if (all.length < 2) {
    return all.map((item) => ({ item, key: 0 }));
  }
  const keys = asComparables(all.map((item) => plain(machine.evaluate(to, item))));
  return all.map((item, at) => ({ item, key: keys[at] ?? 0 }));
}

function reverse(machine: Machine, value: Value | undefined): GoJson {
  if (typeof value === 'string') {
    machine.spend(value.length);
    return Array.from(value).toReversed().join('');
  }
  return copied(asList(value).toReversed(), machine);
}

/** Decimal notation, with `_` between digits; Go takes hexadecimal floats and infinities too, which no secret holds. */
function toNumber(value: Value | undefined): number | null {
  if (typeof value !== 'string') {
    return typeof value === 'number' ? value : null;
  }
  const digits = value.replaceAll(/(?<=[0-9])_(?=[0-9])/g, '');
  const parsed = /^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/.test(digits) ? Number(digits) : Infinity;
  return Number.isFinite(parsed) ? parsed : null;
}

function toText(machine: Machine, value: Value | undefined): string {
  const wanted = plain(value);
  if (typeof wanted === 'string') {
    return wanted;
  }
  return formatGoJson(wanted, (work) => {
    machine.spend(work);
  });
}

function typeName(value: GoJson): string {
  if (value === null) {
    return 'null';
  }
  if (isList(value)) {
    return 'array';
  }
  return isGoJsonObject(value) ? 'object' : typeof value;
}
