import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type ApiServer, startApiServer } from '../fakes/kube/api-server.ts';
import type { KubeObject } from '../fakes/kube/kube-object.ts';

export const NODE_NAME = 'demo-node';
const STATUS_API = 'secrets-store.csi.x-k8s.io/v1';

export interface DemoClusterOptions {
  /** File with the class. */
  readonly manifest: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly roleArn: string;
  /** The kubelet's directory. */
  readonly kubeletRoot: string;
}

export interface DemoPod {
  readonly name: string;
  readonly uid: string;
  readonly targetPath: string;
}

/** An API server (a stand-in) with what a cluster has in it when pods of a shop start on one node. */
export interface DemoCluster extends AsyncDisposable {
  readonly kubeconfig: string;
  /** A pod's object, as the kubelet finds it. */
  addPod(name: string): DemoPod;
  /** The status that the driver writes once a pod's volume is mounted. */
  noteMount(pod: DemoPod): void;
  /** File → version, as recorded for a pod. */
  notedVersions(pod: DemoPod): Readonly<Record<string, string>>;
  /** Values of a Secret. */
  secret(name: string): Readonly<Record<string, string>>;
  /** Reason and message of each. */
  eventsOf(pod: DemoPod): readonly string[];
}

export async function startDemoCluster(options: DemoClusterOptions): Promise<DemoCluster> {
  const { namespace, serviceAccount, roleArn, kubeletRoot } = options;
  const providerClass = parse(readFileSync(options.manifest, 'utf8')) as KubeObject;
  const annotations = { 'eks.amazonaws.com/role-arn': roleArn };
  const api: ApiServer = await startApiServer({
    objects: [{ kind: 'ServiceAccount', metadata: { namespace, name: serviceAccount, annotations } }, providerClass],
  });
  const className = providerClass.metadata.name;

  function statusPath({ name }: DemoPod): string {
    return `/apis/${STATUS_API}/namespaces/${namespace}/secretproviderclasspodstatuses/${name}-${namespace}-${className}`;
  }

  return {
    kubeconfig: api.kubeconfig,
    addPod(name) {
      const csi = {
        driver: 'secrets-store.csi.k8s.io',
        readOnly: true,
        volumeAttributes: { secretProviderClass: className },
      };
      const { metadata } = api.put({
        kind: 'Pod',
        metadata: { namespace, name },
        spec: { nodeName: NODE_NAME, serviceAccountName: serviceAccount, volumes: [{ name: 'secrets', csi }] },
        status: { phase: 'Running' },
      });
      const uid = metadata.uid ?? '';
      return { name, uid, targetPath: join(kubeletRoot, 'pods', uid, 'volumes/kubernetes.io~csi/secrets/mount') };
    },
    noteMount(pod) {
      api.put({
        apiVersion: STATUS_API,
        kind: 'SecretProviderClassPodStatus',
        metadata: {
          namespace,
          name: `${pod.name}-${namespace}-${className}`,
          labels: { 'internal.secrets-store.csi.k8s.io/node-name': NODE_NAME },
        },
        status: { podName: pod.name, secretProviderClassName: className, mounted: true, targetPath: pod.targetPath },
      });
    },
    notedVersions(pod) {
      const { objects = [] } = (api.find(statusPath(pod))?.['status'] ?? {}) as {
        readonly objects?: readonly { readonly id: string; readonly version: string }[];
      };
      return Object.fromEntries(objects.map(({ id, version }) => [id, version]));
    },
    secret(name) {
      const data = api.find(`/api/v1/namespaces/${namespace}/secrets/${name}`)?.['data'] ?? {};
      return Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, Buffer.from(String(value), 'base64').toString()]),
      );
    },
    eventsOf: ({ uid }) =>
      api.objects
        .filter(({ kind, involvedObject }) => kind === 'Event' && (involvedObject as { uid?: string }).uid === uid)
        .map(({ reason, message }) => `${String(reason)}: ${String(message)}`),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}
