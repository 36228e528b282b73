import { mapOf } from './api-object.ts';

const DRIVER = 'secrets-store.csi.k8s.io';

/** A pod's `spec`, or that of a workload's pods. */
export interface PodSpec {
  readonly serviceAccountName?: string;
  readonly volumes?: readonly {
    readonly name: string;
    readonly csi?: { readonly driver: string; readonly volumeAttributes?: Readonly<Record<string, string>> };
  }[];
}

/** Characters of all that a pod's Secrets Store volumes say; a few hundred are usual. */
const MAX_TEXT = 32_768;

/**
 * `volumeAttributes` of its Secrets Store volumes, by the volume's name. Those that no longer fit the bound are left out, and are not looked after: the
 * pods of a node are all held at once.
 */
export function secretsStoreVolumes(spec: PodSpec | undefined): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const kept = new Map<string, ReadonlyMap<string, string>>();
  let length = 0;
  for (const { name, csi } of spec?.volumes ?? []) {
    if (csi?.driver === DRIVER) {
      length += lengthOf(name, csi.volumeAttributes);
      if (length <= MAX_TEXT) {
        kept.set(name, mapOf(csi.volumeAttributes));
      }
    }
  }
  return kept;
}

function lengthOf(name: string, attributes: Readonly<Record<string, string>> = {}): number {
  return Object.entries(attributes).reduce((sum, [key, value]) => sum + key.length + value.length, name.length);
}
