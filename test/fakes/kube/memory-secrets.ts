import { ProviderError } from '../../../src/model/errors.ts';
import { SecretBytes } from '../../../src/model/secret-bytes.ts';
import type { ObjectRef } from '../../../src/model/kube-objects.ts';
import type { AppliedSecret, SecretApi, SecretName, StoredSecret, Written } from '../../../src/sync/secret-api.ts';

/** A field of a Secret, by its path: `data/<key>`, `owner/<uid>`, `type` … */
type Value = string | Buffer | boolean | ObjectRef;
type Fields = ReadonlyMap<string, Value>;

/** Writes of others. */
export type SecretFields = Omit<AppliedSecret, keyof SecretName>;

interface Kept {
  readonly uid: string;
  resourceVersion: number;
  isTerminating: boolean;
  readonly fields: Map<string, Value>;
  /** The fields of each manager; as in the API server, apply and update are separate. */
  readonly managers: Map<string, Set<string>>;
}

/** Secrets in memory, with server-side apply by field and manager. */
export interface MemorySecrets extends SecretApi {
  /** `<verb> <name>` of every call so far. */
  readonly calls: string[];
  readonly names: readonly string[];
  /** A full update without precondition, like the driver's: it removes all other fields, regardless of their managers. */
  replace(secret: SecretName, manager: string, fields: SecretFields): void;
  /** An update of some fields. */
  patch(secret: SecretName, manager: string, fields: SecretFields): void;
  /** The garbage collector: removes owners that no longer exist, and Secrets that had owners and have none left. */
  collect(isAlive: (uid: string) => boolean): void;
  destroy(secret: SecretName): void;
  markGoing(secret: SecretName): void;
}

export function createMemorySecrets(): MemorySecrets {
  const kept = new Map<string, Kept>();
  const calls: string[] = [];
  let serial = 0;

  return {
    calls,
    get names() {
      return [...kept.keys()];
    },
    async read(secret, signal) {
      await begin('read', secret, signal);
      const found = kept.get(keyOf(secret));
      return found === undefined ? undefined : storedOf(secret, found);
    },
    async create(secret, manager, signal) {
      await begin('create', secret, signal);
      if (kept.has(keyOf(secret))) {
        return 'changed';
      }
      const made = make(secret);
      update(made, manager, fieldsOf(secret), () => false);
      return storedOf(secret, made);
    },
    async claim(read, manager, signal) {
      await begin('claim', read, signal);
      const found = kept.get(keyOf(read));
      if (found === undefined || !isAsRead(found, read)) {
        return 'changed';
      }
      const before = stateOf(found);
      const said = found.managers.get(`${manager} Update`);
      if (said !== undefined) {
        found.managers.delete(`${manager} Update`);
        found.managers.set(`${manager} Apply`, said);
      }
      touch(found, before);
      return storedOf(read, found);
    },
    async apply(secret, manager, signal) {
      await begin('apply', secret, signal);
      return apply(secret, manager);
    },
    async remove(read, signal) {
      await begin('remove', read, signal);
      const found = kept.get(keyOf(read));
      if (found !== undefined && isAsRead(found, read)) {
        kept.delete(keyOf(read));
      }
    },
    replace(secret, manager, fields) {
      const found = kept.get(keyOf(secret)) ?? make(secret);
      update(found, manager, fieldsOf(fields), () => true);
    },
    patch(secret, manager, fields) {
      update(kept.get(keyOf(secret)) ?? make(secret), manager, fieldsOf(fields), () => false);
    },
    collect(isAlive) {
      for (const [key, secret] of kept) {
        const owners = [...secret.fields.keys()].filter((path) => path.startsWith('owner/'));
        const dead = owners.filter((path) => !isAlive(path.slice('owner/'.length)));
        if (owners.length > 0 && dead.length === owners.length) {
          kept.delete(key);
        } else if (dead.length > 0) {
          update(secret, 'gc', new Map(), (path) => dead.includes(path));
        }
      }
    },
    destroy(secret) {
      kept.delete(keyOf(secret));
    },
    markGoing(secret) {
      const found = kept.get(keyOf(secret));
      if (found !== undefined) {
        found.isTerminating = true;
      }
    },
  };

  /** Others continue during a call. */
  async function begin(verb: string, secret: SecretName, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    calls.push(`${verb} ${secret.name}`);
    await Promise.resolve();
  }

  function make(secret: SecretName): Kept {
    serial += 1;
    const made: Kept = {
      uid: `uid-${serial}`,
      resourceVersion: serial,
      isTerminating: false,
      fields: new Map<string, Value>([['type', 'Opaque']]),
      managers: new Map(),
    };
    kept.set(keyOf(secret), made);
    return made;
  }

  function apply(secret: AppliedSecret, manager: string): Written {
    const existing = kept.get(keyOf(secret));
    const wantsExisting = secret.uid !== undefined || secret.resourceVersion !== undefined;
    if (existing === undefined ? wantsExisting : !isAsRead(existing, secret)) {
      return 'changed';
    }
    const fields = fieldsOf(secret);
    if (existing !== undefined) {
      refuseForbidden(secret, existing, fields, manager);
    }
    const before = existing === undefined ? '' : stateOf(existing);
    const target = existing ?? make(secret);
    const held = target.managers.get(`${manager} Apply`) ?? new Set();
    set(target, `${manager} Apply`, fields);
    target.managers.set(`${manager} Apply`, new Set(fields.keys()));
    for (const path of held) {
      if (!fields.has(path) && ![...target.managers.values()].some((said) => said.has(path))) {
        target.fields.delete(path);
      }
    }
    touch(target, before);
    return storedOf(secret, target);
  }

  function update(target: Kept, manager: string, fields: Fields, drops: (path: string) => boolean): void {
    const before = stateOf(target);
    for (const path of target.fields.keys()) {
      if (!fields.has(path) && drops(path)) {
        target.fields.delete(path);
        for (const said of target.managers.values()) {
          said.delete(path);
        }
      }
    }
    const changed = new Map([...fields].filter(([path, value]) => !isSame(target.fields.get(path), value)));
    set(target, `${manager} Update`, changed);
    const said = target.managers.get(`${manager} Update`) ?? new Set();
    target.managers.set(`${manager} Update`, new Set([...said, ...changed.keys()]));
    touch(target, before);
  }

  /** Writes fields; managers with another value lose the field. */
  function set(target: Kept, manager: string, fields: Fields): void {
    for (const [path, value] of fields) {
      if (!isSame(target.fields.get(path), value)) {
        for (const [other, said] of target.managers) {
          if (other !== manager) {
            said.delete(path);
          }
        }
      }
      target.fields.set(path, value);
    }
  }

  /** A write that changes nothing creates no new version. */
  function touch(target: Kept, before: string): void {
    for (const [manager, said] of target.managers) {
      if (said.size === 0) {
        target.managers.delete(manager);
      }
    }
    if (stateOf(target) !== before) {
      serial += 1;
      target.resourceVersion = serial;
    }
  }
}

/** ValidateSecretUpdate of kubernetes/pkg/apis/core, as far as an apply can violate it. */
function refuseForbidden({ name }: SecretName, existing: Kept, fields: Fields, manager: string): void {
  const said = existing.managers.get(`${manager} Apply`) ?? new Set<string>();
  const isTypeChanged = fields.has('type') && fields.get('type') !== existing.fields.get('type');
  const isDataChanged = [...fields, ...existing.fields].some(
    ([path]) =>
      (path.startsWith('data/') || path === 'immutable') &&
      (fields.has(path) ? !isSame(fields.get(path), existing.fields.get(path)) : said.has(path)),
  );
  if (isTypeChanged || (existing.fields.get('immutable') === true && isDataChanged)) {
    throw new ProviderError('SecretRefused', `${name}: field is immutable`);
  }
}

function keyOf({ namespace, name }: SecretName): string {
  return `${namespace}/${name}`;
}

function isAsRead({ uid, resourceVersion }: Kept, read: Pick<AppliedSecret, 'uid' | 'resourceVersion'>): boolean {
  return (
    (read.uid === undefined || read.uid === uid) &&
    (read.resourceVersion === undefined || read.resourceVersion === String(resourceVersion))
  );
}

function fieldsOf({ type, isImmutable, labels, annotations, data, owners }: SecretFields): Fields {
  return new Map<string, Value>([
    ...(type === undefined ? [] : [['type', type] as const]),
    ...(isImmutable === true ? [['immutable', isImmutable] as const] : []),
    ...Array.from(labels ?? [], ([key, value]) => [`label/${key}`, value] as const),
    ...Array.from(annotations ?? [], ([key, value]) => [`annotation/${key}`, value] as const),
    ...Array.from(data ?? [], ([key, value]) => [`data/${key}`, Buffer.from(value.expose())] as const),
    ...Array.from(owners ?? [], (owner) => [`owner/${owner.uid}`, owner] as const),
  ]);
}

function storedOf({ namespace, name }: SecretName, kept: Kept): StoredSecret {
  const { uid, resourceVersion, isTerminating, fields, managers } = kept;
  function under<T extends Value>(prefix: string): Map<string, T> {
    const found = [...fields].filter(([path]) => path.startsWith(prefix));
    return new Map(found.map(([path, value]) => [path.slice(prefix.length), value as T]));
  }
  const appliers = [...managers.keys()].filter((manager) => manager.endsWith(' Apply'));
  return {
    namespace,
    name,
    uid,
    resourceVersion: String(resourceVersion),
    type: fields.get('type') as string,
    isImmutable: fields.get('immutable') === true,
    isTerminating,
    labels: under('label/'),
    annotations: under('annotation/'),
    data: new Map(Array.from(under<Buffer>('data/'), ([key, bytes]) => [key, new SecretBytes(Buffer.from(bytes))])),
    owners: [...under<ObjectRef>('owner/').values()],
    appliers: new Set(appliers.map((manager) => manager.slice(0, -' Apply'.length))),
    managedFields: Array.from(managers.keys(), (key) => {
      const [, manager = '', operation = ''] = /^(.*) (Apply|Update)$/.exec(key) ?? [];
      return { manager, operation };
    }),
  };
}

function isSame(left: Value | undefined, right: Value | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function stateOf({ fields, managers }: Kept): string {
  return JSON.stringify([
    [...fields].toSorted(byPath),
    Array.from(managers, ([manager, said]) => [manager, [...said].toSorted()] as const).toSorted(byPath),
  ]);
}

function byPath([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
}
