import type { V1Pod } from '@kubernetes/client-node';
import { ProviderError } from '../model/errors.ts';
import type { PodRef } from '../model/mount-spec.ts';
import { createSharedLookup } from '../concurrency/shared-lookup.ts';
import type { Kube } from './client.ts';
import { getObject } from './get.ts';
import type { KubeSettings } from './settings.ts';

const REGION_LABEL = 'topology.kubernetes.io/region';

const REMEDY = 'set "region" in the class, or the provider\'s --aws-region (chart: awsRegion)';

/** @throws ProviderError KubernetesUnavailable, InvalidParameters if the node has no region, or the signal's reason */
export type RegionOf = (pod: PodRef, signal: AbortSignal) => Promise<string>;

/** Looks up the region of this node. It is the same for every pod, so it is read once. */
export function createRegionLookup(kube: Kube, settings: Pick<KubeSettings, 'nodeName'>): RegionOf {
  const nodes = createSharedLookup<string>(kube.clock, { maxEntries: 1 });
  const regions = createSharedLookup<string>(kube.clock, { maxEntries: 1 });
  let ownNode = settings.nodeName;

  return async (pod, signal) => {
    try {
      ownNode ??= await nodes(`${pod.namespace}/${pod.name}`, () => readNodeOf(kube, pod), signal);
      const name = ownNode;
      return await regions(name, () => readRegion(kube, name), signal);
    } catch (error) {
      if (signal.aborted) {
        throw error;
      }
      const { reason, message } = ProviderError.from(error);
      throw new ProviderError(reason, `failed to retrieve region from node: ${message}; ${REMEDY}`, { cause: error });
    }
  };
}

async function readNodeOf(kube: Kube, { namespace, name }: PodRef): Promise<string> {
  const { spec } = await getObject<V1Pod>(kube, {
    resource: 'pods',
    namespace,
    name,
    remedy: 'set --node-name (the chart does), so that no pod has to be read',
  });
  if (!spec?.nodeName) {
    throw new ProviderError('KubernetesUnavailable', `pod "${namespace}/${name}" is on no node yet`);
  }
  return spec.nodeName;
}

async function readRegion(kube: Kube, name: string): Promise<string> {
  const { metadata } = await getObject(kube, { resource: 'nodes', name });
  const region = metadata?.labels?.[REGION_LABEL];
  if (!region) {
    throw new ProviderError('InvalidParameters', `node "${name}" has no label ${REGION_LABEL}`);
  }
  return region;
}
