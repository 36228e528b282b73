import { describe, expect, it } from 'vitest';
import { defaultValues, readChartFile } from './chart.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly const?: unknown;
}

/** Set by Helm, or accepted only to report that it does not belong here. */
const WITHOUT_DEFAULT = ['global', 'secrets-store-csi-driver'];

/** Described in words, because they are too long for a table. */
const IN_WORDS = ['affinity', 'securityContext'];

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Values by dotted path, as far as the schema names them. */
function leaves(schema: Schema, value: unknown, path: readonly string[] = []): readonly [string, unknown][] {
  return schema.properties !== undefined && isMap(value) && Object.keys(value).length > 0
    ? Object.entries(value).flatMap(([name, item]) => leaves(schema.properties?.[name] ?? {}, item, [...path, name]))
    : [[path.join('.'), value]];
}

/** Name to default, from the table of the chart's README. */
function documented(): ReadonlyMap<string, string> {
  // Another table has the driver's values.
  const [, text = ''] = readChartFile('README.md').split('\n## Values\n');
  const rows = text.matchAll(/^\| `([\w.]+)`(?: ᴬ)? \| (.+?) \|/gm);
  return new Map([...rows].map(([, name = '', value = '']) => [name, value]));
}

describe("the chart's values", () => {
  const schema: Schema = JSON.parse(readChartFile('values.schema.json'));
  const values = leaves(schema, defaultValues());

  it('are those of the schema, which allows no others', () => {
    const names = Object.keys(schema.properties ?? {}).filter((name) => !WITHOUT_DEFAULT.includes(name));

    expect(names.toSorted()).toEqual(Object.keys(defaultValues()).toSorted());
    expect(schema.additionalProperties).toBe(false);
  });

  it.for(values)('has %s in the README, with its default', ([name, value]) => {
    const text = documented().get(name);

    expect(text).toBe(IN_WORDS.includes(name) ? text : `\`${JSON.stringify(value)}\``);
    expect(text).toBeDefined();
  });

  it('are the only ones in the README', () => {
    const names = [...documented().keys()];

    expect(names.toSorted()).toEqual(values.map(([name]) => name).toSorted());
  });
});
