import * as client from '@kubernetes/client-node';

/** What the generated client says of each field of an API type. */
interface Attribute {
  readonly baseName: string;
  readonly type: string;
}

interface Model {
  getAttributeTypeMap(): readonly Attribute[];
}

const MODELS: Readonly<Record<string, unknown>> = { ...client };

/**
 * Fields that the Kubernetes API does not know, or knows with another type: what a wrong indentation makes, and an API server would
 * drop or refuse.
 * @param type such as `V1DaemonSet`
 */
export function wrongFields(type: string, value: unknown, path = type): readonly string[] {
  const list = /^Array<(.+)>$/.exec(type)?.[1];
  if (list !== undefined) {
    return Array.isArray(value)
      ? value.flatMap((item, index) => wrongFields(list, item, `${path}[${index}]`))
      : [`${path}: not a list`];
  }
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
  if (map !== undefined) {
    return isRecord(value)
      ? Object.entries(value).flatMap(([key, item]) => wrongFields(map, item, `${path}.${key}`))
      : [`${path}: not a map`];
  }
  const model = MODELS[type];
  if (isModel(model)) {
    return isRecord(value) ? wrongFieldsOf(model, value, path) : [`${path}: not an object`];
  }
  return fits(type, value) ? [] : [`${path}: not of type ${type}`];
}

function wrongFieldsOf(model: Model, value: Readonly<Record<string, unknown>>, path: string): readonly string[] {
  const types = new Map(model.getAttributeTypeMap().map(({ baseName, type }) => [baseName, type]));
  return Object.entries(value).flatMap(([name, item]) => {
    const type = types.get(name);
    return type === undefined ? [`${path}.${name}: unknown`] : wrongFields(type, item, `${path}.${name}`);
  });
}

function fits(type: string, value: unknown): boolean {
  switch (type) {
    case 'IntOrString':
      return typeof value === 'string' || typeof value === 'number';
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type;
    default:
      throw new TypeError(`no such API type: ${type}`);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isModel(value: unknown): value is Model {
  return typeof value === 'function' && 'getAttributeTypeMap' in value;
}
