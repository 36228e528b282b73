import { JMESPathTypeError } from '@aws-lambda-powertools/jmespath';
import { Functions } from '@aws-lambda-powertools/jmespath/functions';
import { compareText, formatGoJson, type GoJson, type GoJsonObject } from '../go/go-json.ts';

type List = readonly GoJson[];
/** `&expression`. */
interface Reference {
  visit(item: GoJson): GoJson | undefined;
}
/** Types of the arguments in the library's terms, and the implementation; `more`: the last argument may repeat. */
type GoFunction = readonly [takes: readonly string[][], apply: (...given: readonly never[]) => GoJson, more?: 'more'];

/** Names of the library's methods by those of its functions: `to_string` → `funcToString`. */
const METHODS: ReadonlyMap<string, string> = new Map(
  Object.getOwnPropertyNames(Functions.prototype)
    .filter((method) => method.startsWith('func'))
    .map((method) => [
      method
        .slice(4)
        .replaceAll(/\B[A-Z]/g, '_$&')
        .toLowerCase(),
      method,
    ]),
);
export const FUNCTION_NAMES: ReadonlySet<string> = new Set(METHODS.keys());

/**
 * The library's functions, with the results of go-jmespath 0.4.0 where the two differ.
 * @param failures collects each error, because the library continues after most of them
 * @param spend called with the number of characters that functions read and write, where a value counts as eight characters; may throw to stop
 */
export function goFunctions(failures: unknown[], spend: (work: number) => void): Functions {
  const functions = new Functions();
  const own = ownFunctions(spend);
  for (const [name, method] of METHODS) {
    const call = own[name] === undefined ? Reflect.get(functions, method) : checked(own[name]);
    Reflect.defineProperty(functions, method, {
      value(given: readonly (GoJson | undefined)[]) {
        if (failures.length > 0) {
          return null;
        }
        try {
          // The library's comparison of values that are not numbers gives undefined.
          const values = given.map((argument) => argument ?? null);
          for (const argument of values) {
            spend(sizeOf(argument));
          }
          const result = call(values);
          return typeof result === 'number' && !Number.isFinite(result)
            ? refuse('numbers with a finite result')
            : result;
        } catch (error) {
          failures.push(error);
          throw error;
        }
      },
    });
  }
  return functions;
}

function checked([takes, apply, more]: GoFunction): (given: List) => unknown {
  const descriptor = { value: apply as (given: List) => unknown };
  Functions.signature({ argumentsSpecs: [...takes], variadic: more === 'more' })(Functions, '', descriptor);
  return descriptor.value;
}

function refuse(expected: string): never {
  throw new JMESPathTypeError({ currentValue: null, expectedTypes: [expected], actualType: 'others' });
}

function sizeOf(value: GoJson): number {
  return typeof value === 'string'
    ? value.length
    : Object.values(value ?? {}).reduce<number>(
        (sum, item) => sum + 8 + (typeof item === 'string' ? item.length : 0),
        1,
      );
}

function ownFunctions(spend: (work: number) => void): { readonly [name: string]: GoFunction } {
  /** In ascending (1) or descending (-1) order. A single item may have any type, because it is not compared. */
  function sorted(items: List, sign: 1 | -1, by?: Reference): List {
    if (by !== undefined && items.length < 2) {
      return items;
    }
    const keys = by === undefined ? items : items.map((item) => by.visit(item) ?? null);
    spend(sizeOf(keys));
    const type = typeof keys[0];
    if (keys.some((key) => typeof key !== type) || !['number', 'string', 'undefined'].includes(type)) {
      return refuse('numbers only, or strings only');
    }
    return items
      .map((item, at) => ({ item, key: keys[at] as number | string }))
      .toSorted(({ key: a }, { key: b }) => sign * (typeof a === 'string' ? compareText(a, String(b)) : a - Number(b)))
      .map(({ item }) => item);
  }

  const listBy = [['array'], ['expression']];
  return {
    contains: [
      [['array', 'string'], ['any']],
      (whole: List | string, part: GoJson) =>
        typeof whole === 'string' ? typeof part === 'string' && whole.includes(part) : whole.includes(part),
    ],
    join: [
      [['string'], ['array-string']],
      (glue: string, items: readonly string[]) => {
        spend(glue.length * items.length);
        return items.join(glue);
      },
    ],
    length: [
      [['array', 'string', 'object']],
      (value: List | string | GoJsonObject) =>
        Array.from(typeof value === 'string' ? value : Object.keys(value)).length,
    ],
    map: [[['expression'], ['array']], (each: Reference, items: List) => items.map((item) => each.visit(item) ?? null)],
    max: [[['array']], (items: List) => sorted(items, -1)[0] ?? null],
    max_by: [listBy, (items: List, by: Reference) => sorted(items, -1, by)[0] ?? null],
    min: [[['array']], (items: List) => sorted(items, 1)[0] ?? null],
    min_by: [listBy, (items: List, by: Reference) => sorted(items, 1, by)[0] ?? null],
    not_null: [[['any']], (...values: List) => values.find((value) => value !== null) ?? null, 'more'],
    reverse: [
      [['string', 'array']],
      (value: List | string) =>
        typeof value === 'string' ? Array.from(value).toReversed().join('') : value.toReversed(),
    ],
    sort: [[['array']], (items: List) => sorted(items, 1)],
    sort_by: [listBy, (items: List, by: Reference) => sorted(items, 1, by)],
    to_number: [[['any']], toNumber],
    to_string: [[['any']], (value: GoJson) => (typeof value === 'string' ? value : formatGoJson(value, spend))],
  };
}

/** Decimal notation, with `_` between digits; Go also accepts hexadecimal floats and infinities, which do not occur in secrets. */
function toNumber(value: GoJson): number | null {
  const text = typeof value === 'string' ? value.replaceAll(/(?<=[0-9])_(?=[0-9])/g, '') : JSON.stringify(value);
  const readable = /^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/.test(text);
  return readable && Number.isFinite(Number(text)) ? Number(text) : null;
}
