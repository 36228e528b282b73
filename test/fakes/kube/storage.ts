import { randomUUID } from 'node:crypto';
import { badRequest, alreadyExists, conflict, invalid, notFound } from './failure.ts';
import { applied, areEqual, NOBODYS, type Owned, updated } from './field-ownership.ts';
import { type Fields, fieldsOf, objectOf } from './fields.ts';
import { type KubeObject, type Metadata, type Named, pathTo, type Target, targetOf } from './kube-object.ts';
import { mergePatch } from './merge-patch.ts';
import { checkSecret } from './secret-rules.ts';

/** The parameters of a write besides the fields. */
interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
  readonly creationTimestamp: string;
}

interface Stored {
  readonly identity: Identity;
  readonly owned: Owned;
  readonly resourceVersion: string;
}

/** Precondition: the object is unchanged. */
export interface Preconditions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/** Objects of any kind, as the API server stores them. All: @throws Failure */
export interface Storage {
  get(target: Named): KubeObject;
  /** All of a resource: in one namespace, or in all of them. */
  list(target: Target): readonly KubeObject[];
  all(): readonly KubeObject[];
  create(target: Target, object: KubeObject, manager: string): KubeObject;
  merge(target: Named, patch: Partial<KubeObject>, manager: string): KubeObject;
  /** Creates an object that does not exist. */
  apply(
    target: Named,
    said: KubeObject,
    manager: string,
    force: boolean,
  ): { readonly object: KubeObject; readonly isNew: boolean };
  remove(target: Named, only?: Preconditions): KubeObject;
  /** Replaces the object, whatever it was; it keeps its uid. */
  put(object: KubeObject, manager: string): KubeObject;
  readonly resourceVersion: string;
}

/** Fields without a manager. */
const METADATA_OF_THE_SERVER = [
  'namespace',
  'name',
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'managedFields',
  'generation',
];

export function createStorage(): Storage {
  const stored = new Map<string, Stored>();
  let version = 100;

  function found(target: Named): Stored {
    const entry = stored.get(pathTo(target));
    if (entry === undefined) {
      throw notFound(target.resource, target.name);
    }
    return entry;
  }

  /** An equal object is not written, and gets no new version. */
  function write(target: Named, before: Stored | undefined, identity: Identity, next: Owned): KubeObject {
    const owned = withDefaults(identity, next);
    const object = render({ identity, owned, resourceVersion: String(version + 1) });
    if (identity.kind === 'Secret') {
      checkSecret(object, before && render(before));
    }
    if (before !== undefined && areEqual(before.owned, owned)) {
      return render(before);
    }
    version += 1;
    stored.set(pathTo(target), { identity, owned, resourceVersion: String(version) });
    return object;
  }

  return {
    get resourceVersion() {
      return String(version);
    },

    get: (target) => render(found(target)),

    list({ api, namespace, resource }) {
      const listed = [...stored.values()].filter(({ identity: { apiVersion, kind, ...metadata } }) => {
        const target = targetOf({ apiVersion, kind, metadata });
        return (
          target.api === api && target.resource === resource && (namespace ?? target.namespace) === target.namespace
        );
      });
      return listed.map(render);
    },

    all: () => [...stored.values()].map(render),

    create(target, object, manager) {
      const { namespace = target.namespace, name } = object.metadata;
      if (namespace !== target.namespace) {
        throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
      }
      if (stored.has(pathTo({ ...target, name }))) {
        throw alreadyExists(target.resource, name);
      }
      return write(
        { ...target, name },
        undefined,
        newIdentity({ ...target, name }, object),
        updated(NOBODYS, ownFields(object), manager),
      );
    },

    merge(target, patch, manager) {
      const entry = found(target);
      checkVersion(target, entry, patch.metadata);
      const next = mergePatch(render(entry), patch) as unknown as KubeObject;
      const owned = renamed(entry.owned, patch.metadata?.managedFields);
      return write(target, entry, entry.identity, updated(owned, ownFields(next), manager));
    },

    apply(target, said, manager, force) {
      const entry = stored.get(pathTo(target));
      const identity = entry?.identity ?? newIdentity(target, said);
      if (entry !== undefined) {
        checkVersion(target, entry, said.metadata);
      } else if (said.metadata.uid !== undefined) {
        throw uidIsFixed(said.kind, target.name, said.metadata.uid);
      }
      const next = applied(entry?.owned ?? NOBODYS, ownFields(said), manager, force);
      return { object: write(target, entry, identity, next), isNew: entry === undefined };
    },

    remove(target, only = {}) {
      const entry = found(target);
      if ((only.uid ?? entry.identity.uid) !== entry.identity.uid) {
        throw conflict(
          target.resource,
          target.name,
          `the UID in the precondition (${only.uid}) does not match the UID in record`,
        );
      }
      if ((only.resourceVersion ?? entry.resourceVersion) !== entry.resourceVersion) {
        throw conflict(
          target.resource,
          target.name,
          `the ResourceVersion in the precondition (${only.resourceVersion}) does not match the ResourceVersion in record`,
        );
      }
      stored.delete(pathTo(target));
      version += 1;
      return render(entry);
    },

    put(object, manager) {
      const target = targetOf(object);
      const entry = stored.get(pathTo(target));
      const identity = {
        ...newIdentity(target, object),
        ...(object.metadata.uid === undefined && entry && { uid: entry.identity.uid }),
      };
      const replaced = entry?.identity.uid === identity.uid ? entry : undefined;
      return write(target, replaced, identity, updated(replaced?.owned ?? NOBODYS, ownFields(object), manager));
    },
  };
}

/** A write may set managedFields (`kubectl` does, when it migrates to server-side apply): here only the operation of each. */
function renamed(owned: Owned, said: Metadata['managedFields']): Owned {
  if (said === undefined) {
    return owned;
  }
  const managers = owned.managers.map((held, index) => {
    const operation = said[index]?.operation === 'Apply' ? ('Apply' as const) : ('Update' as const);
    return { ...held, operation };
  });
  return { ...owned, managers };
}

function newIdentity(target: Named, { apiVersion = 'v1', kind, metadata }: KubeObject): Identity {
  const { namespace, name } = target;
  const uid = metadata.uid ?? randomUUID();
  const creationTimestamp = `${new Date().toISOString().slice(0, 19)}Z`;
  return { apiVersion, kind, ...(namespace !== undefined && { namespace }), name, uid, creationTimestamp };
}

/** Fields that can have a manager. */
function ownFields(object: KubeObject): Fields {
  const metadata = leave(object.metadata, METADATA_OF_THE_SERVER);
  return fieldsOf({
    ...leave(object, ['apiVersion', 'kind', 'metadata']),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  });
}

function leave(object: object, out: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(object).filter(([field]) => !out.includes(field)));
}

/** As `v1.SetDefaults_Secret`. */
function withDefaults({ kind }: Identity, owned: Owned): Owned {
  const type = JSON.stringify(['type']);
  return kind === 'Secret' && !owned.fields.has(type)
    ? { ...owned, fields: new Map([...owned.fields, [type, 'Opaque']]) }
    : owned;
}

function render({ identity, owned, resourceVersion }: Stored): KubeObject {
  const { apiVersion, kind, ...metadata } = identity;
  const { metadata: fields, ...rest } = objectOf(owned.fields);
  const managedFields = owned.managers.map(({ manager, operation }) => ({ manager, operation, apiVersion }));
  return {
    apiVersion,
    kind,
    metadata: { ...metadata, resourceVersion, ...(fields as Partial<Metadata>), managedFields },
    ...rest,
  };
}

function checkVersion(target: Named, { identity, resourceVersion }: Stored, said: Partial<Metadata> = {}): void {
  if ((said.uid ?? identity.uid) !== identity.uid) {
    throw uidIsFixed(identity.kind, target.name, said.uid);
  }
  if ((said.resourceVersion ?? resourceVersion) !== resourceVersion) {
    throw conflict(
      target.resource,
      target.name,
      'the object has been modified; please apply your changes to the latest version and try again',
    );
  }
}

/** kube-apiserver treats a wrong uid as a change of it, and responds with 422 where 409 would be expected. */
function uidIsFixed(kind: string, name: string, uid: string | undefined): Error {
  return invalid(kind, name, [
    { field: 'metadata.uid', reason: 'FieldValueInvalid', message: `Invalid value: "${uid}": field is immutable` },
  ]);
}
