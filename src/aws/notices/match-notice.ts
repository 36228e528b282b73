import type { ObjectSource, ObjectSpec, Store } from '../../spec/mount-spec.ts';
import { parameterName } from '../stores/parameter-name.ts';
import type { Notice } from './parse-notice.ts';

/** A parameter whose name begins so stands for a secret. */
const SECRET_REFERENCE = '/aws/reference/secretsmanager/';

/**
 * Whether a notice may be of this object.
 * @param region one that is asked for it. Names and ARNs leave some room for doubt: then it may, as to look once too often costs a question,
 * and to miss a change would cost an interval
 */
export function matchesObject(notice: Notice, { store, primary, failover }: ObjectSpec, region: string): boolean {
  if (notice.region !== region) {
    return false;
  }
  const changed = namesOf(notice);
  return [primary, failover].some((source) => {
    const wanted = askedFor(store, source);
    return wanted.store === notice.store && namesOf(wanted).some((name) => changed.includes(name));
  });
}

function askedFor(store: Store, source: ObjectSource): Pick<Notice, 'store' | 'id'> {
  if (store === 'secretsmanager') {
    return { store, id: source.name };
  }
  const { base } = parameterName(source);
  return base.startsWith(SECRET_REFERENCE)
    ? { store: 'secretsmanager', id: base.slice(SECRET_REFERENCE.length) }
    : { store, id: base };
}

/** The names that a name or an ARN may mean: an ARN in full ends in six characters of AWS's, one in part does not. */
function namesOf({ store, id }: Pick<Notice, 'store' | 'id'>): readonly string[] {
  const [, resource] = /^arn:(?:[^:]*:){4}(.*)$/s.exec(id) ?? [];
  if (store === 'ssmparameter') {
    return [(resource?.replace(/^parameter/, '') ?? id).replace(/^\//, '')];
  }
  const name = resource?.replace(/^secret:/, '');
  return name === undefined ? [id] : [name, name.replace(/-[A-Za-z0-9]{6}$/, '')];
}
