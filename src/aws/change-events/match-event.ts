import type { ObjectSource, ObjectSpec, Store } from '../../model/mount-spec.ts';
import { parameterName } from '../stores/parameter-name.ts';
import type { ChangeEvent } from './parse-event.ts';

/** Parameters with this prefix refer to secrets of Secrets Manager. */
const SECRET_REFERENCE = '/aws/reference/secretsmanager/';

/** Whether change events may concern an object in a region. */
export type Concerns = (object: ObjectSpec, region: string) => boolean;

/** Cached per object, because every batch of change events is compared with every object. */
const keysOf = new WeakMap<ObjectSpec, readonly string[]>();

/**
 * Indexes change events. If a name and an ARN only may mean the same secret, they match: a needless poll costs one call, but a missed event would delay
 * the change by a poll interval.
 */
export function indexChangeEvents(events: readonly ChangeEvent[]): Concerns {
  const changed = new Map<string, Set<string>>();
  for (const event of events) {
    const keys = changed.get(event.region) ?? new Set();
    changed.set(event.region, keys);
    for (const name of namesOf(event)) {
      keys.add(keyOf(event.store, name));
    }
  }
  return (object, region) => {
    const keys = changed.get(region);
    return keys !== undefined && keysOfObject(object).some((key) => keys.has(key));
  };
}

function keysOfObject(object: ObjectSpec): readonly string[] {
  const known = keysOf.get(object);
  if (known !== undefined) {
    return known;
  }
  const keys = [object.primary, object.failover].flatMap((source) => {
    const wanted = eventIdOf(object.store, source);
    return namesOf(wanted).map((name) => keyOf(wanted.store, name));
  });
  keysOf.set(object, keys);
  return keys;
}

function keyOf(store: Store, name: string): string {
  return `${store} ${name}`;
}

function eventIdOf(store: Store, source: ObjectSource): Pick<ChangeEvent, 'store' | 'id'> {
  if (store === 'secretsmanager') {
    return { store, id: source.name };
  }
  const { base } = parameterName(source);
  return base.startsWith(SECRET_REFERENCE)
    ? { store: 'secretsmanager', id: base.slice(SECRET_REFERENCE.length) }
    : { store, id: base };
}

/** The names that a name or an ARN may mean. A full ARN ends in six characters that AWS adds; a partial ARN does not. */
function namesOf({ store, id }: Pick<ChangeEvent, 'store' | 'id'>): readonly string[] {
  const [, resource] = /^arn:(?:[^:]*:){4}(.*)$/s.exec(id) ?? [];
  if (store === 'ssmparameter') {
    return [(resource?.replace(/^parameter/, '') ?? id).replace(/^\//, '')];
  }
  const name = resource?.replace(/^secret:/, '');
  return name === undefined ? [id] : [name, name.replace(/-[A-Za-z0-9]{6}$/, '')];
}
