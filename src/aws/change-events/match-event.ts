import type { ObjectSource, ObjectSpec, Store } from '../../model/mount-spec.ts';
import { parameterName } from '../stores/parameter-name.ts';
import type { ChangeEvent } from './parse-event.ts';

/** A parameter whose name begins so stands for a secret. */
const SECRET_REFERENCE = '/aws/reference/secretsmanager/';

/** Whether notices may be of an object. @param region one that is asked for it */
export type Concerns = (object: ObjectSpec, region: string) => boolean;

/** Of an object: they are asked for with every batch of notices. */
const keysOf = new WeakMap<ObjectSpec, readonly string[]>();

/**
 * An index of these notices. Names and ARNs leave some room for doubt: then it says yes, as to look once too often costs a question, and to
 * miss a change would cost an interval.
 */
export function indexChangeEvents(notices: readonly ChangeEvent[]): Concerns {
  const changed = new Map<string, Set<string>>();
  for (const notice of notices) {
    const keys = changed.get(notice.region) ?? new Set();
    changed.set(notice.region, keys);
    for (const name of namesOf(notice)) {
      keys.add(keyOf(notice.store, name));
    }
  }
  return (object, region) => {
    const keys = changed.get(region);
    return keys !== undefined && namesAskedFor(object).some((key) => keys.has(key));
  };
}

function namesAskedFor(object: ObjectSpec): readonly string[] {
  const known = keysOf.get(object);
  if (known !== undefined) {
    return known;
  }
  const keys = [object.primary, object.failover].flatMap((source) => {
    const wanted = askedFor(object.store, source);
    return namesOf(wanted).map((name) => keyOf(wanted.store, name));
  });
  keysOf.set(object, keys);
  return keys;
}

function keyOf(store: Store, name: string): string {
  return `${store} ${name}`;
}

function askedFor(store: Store, source: ObjectSource): Pick<ChangeEvent, 'store' | 'id'> {
  if (store === 'secretsmanager') {
    return { store, id: source.name };
  }
  const { base } = parameterName(source);
  return base.startsWith(SECRET_REFERENCE)
    ? { store: 'secretsmanager', id: base.slice(SECRET_REFERENCE.length) }
    : { store, id: base };
}

/** The names that a name or an ARN may mean: an ARN in full ends in six characters of AWS's, one in part does not. */
function namesOf({ store, id }: Pick<ChangeEvent, 'store' | 'id'>): readonly string[] {
  const [, resource] = /^arn:(?:[^:]*:){4}(.*)$/s.exec(id) ?? [];
  if (store === 'ssmparameter') {
    return [(resource?.replace(/^parameter/, '') ?? id).replace(/^\//, '')];
  }
  const name = resource?.replace(/^secret:/, '');
  return name === undefined ? [id] : [name, name.replace(/-[A-Za-z0-9]{6}$/, '')];
}
