import type { MountPlan, PlannedFile } from '../../../src/model/mount-plan.ts';
import type { MountSpec, ObjectSpec } from '../../../src/model/mount-spec.ts';
import { plannedFile } from './pod-view.ts';

export const OBJECT: ObjectSpec = {
  store: 'secretsmanager',
  name: 'db',
  path: 'db',
  mode: 0o644,
  primary: { name: 'db' },
  failover: { name: 'db' },
  extractions: [],
};

/** The result of a mount of `specOf`. */
export const PLAN = planOf([plannedFile('db', 'secret')]);

/** The spec of a pod that mounts one secret there. */
export function specOf(targetPath: string, changes: Partial<MountSpec> = {}): MountSpec {
  return {
    regions: ['us-east-1'],
    authentication: { kind: 'irsa' },
    objects: [OBJECT],
    targetPath,
    pod: { namespace: 'shop', name: 'web-1', uid: '6f2c', serviceAccount: 'web' },
    tokens: new Map(),
    ...changes,
  };
}

/** A plan with these files, each of version `v1`. */
export function planOf(files: readonly PlannedFile[]): Pick<MountPlan, 'files' | 'versions'> {
  return { files, versions: new Map(files.map(({ path }) => [path, 'v1'])) };
}
