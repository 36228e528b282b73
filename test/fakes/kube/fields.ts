/** Steps from the object's root to a field, as JSON. */
export type FieldPath = string;

/** An object as its fields that have an owner each: scalars, lists, empty maps, and single owner references. */
export type Fields = ReadonlyMap<FieldPath, unknown>;

/** Lists that are merged by a key; all others are replaced as a whole. */
const LIST_KEYS: Readonly<Record<string, string>> = { 'metadata.ownerReferences': 'uid' };

type Json = Readonly<Record<string, unknown>>;

export function fieldsOf(object: Json): Fields {
  const fields = new Map<FieldPath, unknown>();
  function walk(value: unknown, steps: readonly string[]): void {
    const key = LIST_KEYS[steps.join('.')];
    if (key !== undefined && Array.isArray(value)) {
      for (const entry of value as readonly Json[]) {
        fields.set(JSON.stringify([...steps, String(entry[key])]), entry);
      }
    } else if (isMap(value) && Object.keys(value).length > 0) {
      for (const [step, child] of Object.entries(value)) {
        walk(child, [...steps, step]);
      }
    } else {
      fields.set(JSON.stringify(steps), value);
    }
  }
  for (const [step, child] of Object.entries(object)) {
    walk(child, [step]);
  }
  return fields;
}

export function objectOf(fields: Fields): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, value] of fields) {
    const steps = JSON.parse(path) as readonly string[];
    const parents = steps.slice(0, -1);
    const last = steps.at(-1) ?? '';
    let place = root;
    for (const step of LIST_KEYS[parents.join('.')] === undefined ? parents : parents.slice(0, -1)) {
      place = (place[step] ??= {}) as Record<string, unknown>;
    }
    if (LIST_KEYS[parents.join('.')] !== undefined) {
      ((place[parents.at(-1) ?? ''] ??= []) as unknown[]).push(value);
    } else if (!isEmptyMap(value) || place[last] === undefined) {
      place[last] = value;
    }
  }
  return root;
}

/** As people write it, such as `.data.x`. */
export function showPath(path: FieldPath): string {
  return (JSON.parse(path) as readonly string[]).map((step) => `.${step}`).join('');
}

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmptyMap(value: unknown): boolean {
  return isMap(value) && Object.keys(value).length === 0;
}
