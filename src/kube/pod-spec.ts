import type { V1PodSpec } from '@kubernetes/client-node';
import { mapOf } from './api-object.ts';

const DRIVER = 'secrets-store.csi.k8s.io';

/** Maximum characters of all attributes of a pod's Secrets Store volumes; a few hundred are usual. */
const MAX_TEXT = 32_768;

/**
 * `volumeAttributes` of Secrets Store volumes, by the volume's name. Volumes beyond the bound are skipped and are not refreshed, because the attributes of all
 * pods of a node are in memory at once.
 */
export function secretsStoreVolumes(spec: V1PodSpec | undefined): ReadonlyMap<string, ReadonlyMap<string, string>> {
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
