/** Resources of the API server that are used. */
export type Resource = keyof typeof RESOURCES;

interface ResourceInfo {
  readonly api: string;
  /** Kind, for messages. */
  readonly kind: string;
  /** The chart's value that adds the permission to the ClusterRole. */
  readonly chartValue: string;
}

const CLASSES = {
  api: '/apis/secrets-store.csi.x-k8s.io/v1',
  chartValue: 'enableSecretRotation or syncSecret.enabled',
};
const WORKLOADS = { api: '/apis/apps/v1', chartValue: 'restartOnRotation.enabled' };
const OWNERS = { api: '/apis/apps/v1', chartValue: 'syncSecret.enabled or restartOnRotation.enabled' };

export const RESOURCES = {
  serviceaccounts: { api: '/api/v1', kind: 'service account', chartValue: 'rbac.install' },
  nodes: { api: '/api/v1', kind: 'node', chartValue: 'rbac.install' },
  pods: { api: '/api/v1', kind: 'pod', chartValue: 'enableSecretRotation or syncSecret.enabled' },
  events: { api: '/api/v1', kind: 'event', chartValue: 'enableSecretRotation or syncSecret.enabled' },
  secrets: { api: '/api/v1', kind: 'Secret', chartValue: 'syncSecret.enabled' },
  secretproviderclasses: { ...CLASSES, kind: 'SecretProviderClass' },
  secretproviderclasspodstatuses: { ...CLASSES, kind: 'SecretProviderClassPodStatus' },
  deployments: { ...WORKLOADS, kind: 'Deployment' },
  statefulsets: { ...OWNERS, kind: 'StatefulSet' },
  daemonsets: { ...OWNERS, kind: 'DaemonSet' },
  replicasets: { ...OWNERS, kind: 'ReplicaSet' },
} as const satisfies Record<string, ResourceInfo>;
