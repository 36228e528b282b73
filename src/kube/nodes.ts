import type { V1Pod } from '@kubernetes/client-node';
import { ProviderError } from '../model/errors.ts';
import type { PodRef } from '../model/mount-spec.ts';
import type { Kube } from './client.ts';
import type { KubeSettings } from './settings.ts';
import { sharedLookup } from './shared-lookup.ts';

const REGION_LABEL = 'topology.kubernetes.io/region';

const REMEDY = 'set "region" in the class, or the provider\'s --aws-region (chart: awsRegion)';

/** @throws ProviderError KubernetesUnavailable, InvalidParameters if the node has no region, or the signal's reason */
export type RegionOf = (pod: PodRef, signal: AbortSignal) => Promise<string>;

/** Looks up the region of this node. It is the same for every pod, so it is read once. */
export function createRegionLookup(
  kube: Pick<Kube, 'get' | 'clock'>,
  settings: Pick<KubeSettings, 'nodeName'>,
): RegionOf {
  const nodeOf = sharedLookup(
    0,
    async (key) => {
      const [namespace = '', name = ''] = key.split('/');
      const { spec } = await kube.get<V1Pod>({
        resource: 'pods',
        namespace,
        name,
        remedy: 'set --node-name (the chart does), so that no pod has to be read',
      });
      if (!spec?.nodeName) {
        throw new ProviderError('KubernetesUnavailable', `pod "${key}" is on no node yet`);
      }
      return spec.nodeName;
    },
    kube.clock,
  );
  const regionOf = sharedLookup(
    Number.POSITIVE_INFINITY,
    async (node) => {
      const { metadata } = await kube.get({ resource: 'nodes', name: node });
      const region = metadata?.labels?.[REGION_LABEL];
      if (!region) {
        throw new ProviderError('InvalidParameters', `node "${node}" has no label ${REGION_LABEL}`);
      }
      return region;
    },
    kube.clock,
  );
  let ownNode = settings.nodeName;

  return async (pod, signal) => {
    try {
      ownNode ??= await nodeOf(`${pod.namespace}/${pod.name}`, signal);
      return await regionOf(ownNode, signal);
    } catch (error) {
      if (signal.aborted) {
        throw error;
      }
      const { reason, message } = ProviderError.from(error);
      throw new ProviderError(reason, `failed to retrieve region from node: ${message}; ${REMEDY}`, { cause: error });
    }
  };
}
