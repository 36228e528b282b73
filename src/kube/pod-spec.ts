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

/** `volumeAttributes` of its Secrets Store volumes, by the volume's name. */
export function secretsStoreVolumes(spec: PodSpec | undefined): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const volumes = (spec?.volumes ?? []).filter(({ csi }) => csi?.driver === DRIVER);
  return new Map(volumes.map(({ name, csi }) => [name, mapOf(csi?.volumeAttributes)]));
}
