import { isDeepStrictEqual } from 'node:util';
import { Failure } from './failure.ts';
import { type FieldPath, type Fields, showPath } from './fields.ts';

/** Managers of the fields, and their operations. */
interface FieldManager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly paths: ReadonlySet<FieldPath>;
}

/** An object's fields, and their managers. */
export interface Owned {
  readonly fields: Fields;
  readonly managers: readonly FieldManager[];
}

export const NOBODYS: Owned = { fields: new Map(), managers: [] };

/**
 * Server-side apply: the manager applies all its fields. Fields that it applied before and no longer applies are removed, unless another manager has them too.
 * @param force takes over fields from others that have other values
 * @throws Failure 409 if others have other values, without force
 */
export function applied(stored: Owned, said: Fields, manager: string, force: boolean): Owned {
  const others = stored.managers.filter((other) => !isApplyOf(other, manager));
  const before = stored.managers.find((other) => isApplyOf(other, manager))?.paths ?? new Set();
  const changed = [...said].filter(([path, value]) => !isDeepStrictEqual(stored.fields.get(path), value));
  const conflicts = changed.flatMap(([path]) =>
    others.filter(({ paths }) => paths.has(path)).map((other) => ({ path, other })),
  );
  if (conflicts.length > 0 && !force) {
    throw applyConflict(conflicts);
  }
  const kept = others.map((other) => without(other, new Set(changed.map(([path]) => path))));
  const dropped = [...before].filter((path) => !said.has(path) && !kept.some(({ paths }) => paths.has(path)));
  const fields = new Map([...stored.fields, ...said]);
  dropped.forEach((path) => fields.delete(path));
  return tidy(fields, [...kept, { manager, operation: 'Apply', paths: new Set(said.keys()) }]);
}

/** Create, patch or replace: the manager that changes a field becomes its only manager. */
export function updated(stored: Owned, next: Fields, manager: string): Owned {
  const gone = [...stored.fields.keys()].filter((path) => !next.has(path));
  const changed = [...next].filter(([path, value]) => !isDeepStrictEqual(stored.fields.get(path), value));
  const touched = new Set([...gone, ...changed.map(([path]) => path)]);
  const said = new Set(changed.map(([path]) => path));
  const own = stored.managers.find((other) => other.operation === 'Update' && other.manager === manager);
  const others = stored.managers.filter((other) => other !== own).map((other) => without(other, touched));
  const paths = without({ manager, operation: 'Update', paths: own?.paths ?? new Set() }, touched).paths.union(said);
  return tidy(next, [...others, { manager, operation: 'Update', paths }]);
}

export function areEqual(one: Owned, other: Owned): boolean {
  return isDeepStrictEqual(inOrder(one), inOrder(other));
}

function inOrder({ fields, managers }: Owned): unknown {
  const shown = managers.map(({ manager, operation, paths }) => [operation, manager, [...paths].toSorted()].join('\n'));
  return [fields, shown.toSorted()];
}

function tidy(fields: Fields, managers: readonly FieldManager[]): Owned {
  return { fields, managers: managers.filter(({ paths }) => paths.size > 0) };
}

function without(manager: FieldManager, paths: ReadonlySet<FieldPath>): FieldManager {
  return { ...manager, paths: manager.paths.difference(paths) };
}

function isApplyOf(other: FieldManager, manager: string): boolean {
  return other.operation === 'Apply' && other.manager === manager;
}

function applyConflict(conflicts: readonly { readonly path: FieldPath; readonly other: FieldManager }[]): Failure {
  const causes = conflicts.map(({ path, other }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with "${other.manager}"`,
    field: showPath(path),
  }));
  const said = causes.map(({ message, field }) => `${message}: ${field}`).join(', ');
  return new Failure(409, 'Conflict', `Apply failed with ${causes.length} conflict(s): ${said}`, { causes });
}
