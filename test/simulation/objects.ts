import type { KubeObject } from '../fakes/kube/kube-object.ts';
import { isParameter } from './aws-account.ts';

export const NAMESPACE = 'shop';
const DRIVER = 'secrets-store.csi.k8s.io';

export interface ClassPlan {
  readonly name: string;
  /** Secrets and parameters of AWS that it mounts, each whole and cut into user and password. */
  readonly secrets: readonly string[];
  /** Kubernetes Secret that it asks for, with a key for each file; absent: none. */
  readonly secretName?: string;
}

export function roleOf(account: string): string {
  return `arn:aws:iam::111122223333:role/${NAMESPACE}/${account}`;
}

export function accountObject(name: string): KubeObject {
  return {
    kind: 'ServiceAccount',
    metadata: { namespace: NAMESPACE, name, annotations: { 'eks.amazonaws.com/role-arn': roleOf(name) } },
  };
}

/** Files of a class, and what each is of. */
export function filesOf({ secrets }: ClassPlan): readonly string[] {
  return secrets.flatMap((secret) => [secret, `${secret}-user`, `${secret}-password`]);
}

export function parametersOf({ secrets }: ClassPlan): Readonly<Record<string, string>> {
  const objects = secrets.map((secret) => ({
    objectName: secret,
    objectType: isParameter(secret) ? 'ssmparameter' : 'secretsmanager',
    jmesPath: ['user', 'password'].map((path) => ({ path, objectAlias: `${secret}-${path}` })),
  }));
  return { objects: JSON.stringify(objects) };
}

export function classObject(plan: ClassPlan): KubeObject {
  const { name, secretName } = plan;
  const data = filesOf(plan).map((file) => ({ key: file, objectName: file }));
  return {
    apiVersion: 'secrets-store.csi.x-k8s.io/v1',
    kind: 'SecretProviderClass',
    metadata: { namespace: NAMESPACE, name },
    spec: {
      provider: 'aws',
      parameters: parametersOf(plan),
      ...(secretName !== undefined && { secretObjects: [{ secretName, type: 'Opaque', data }] }),
    },
  };
}

export interface WorkloadPlan {
  readonly name: string;
  readonly account: string;
  readonly className: string;
  readonly replicas: number;
  readonly restarts: boolean;
  /** Whether its role may read what it mounts. */
  readonly isTrusted: boolean;
}

function podTemplate({ name, account, className }: WorkloadPlan, annotations: object, labels: object) {
  return {
    metadata: { labels: { app: name, ...labels }, annotations },
    spec: {
      serviceAccountName: account,
      volumes: [{ name: 'secrets', csi: { driver: DRIVER, volumeAttributes: { secretProviderClass: className } } }],
    },
  };
}

export function deploymentObject(plan: WorkloadPlan): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      namespace: NAMESPACE,
      name: plan.name,
      uid: `deployment-${plan.name}`,
      annotations: { 'aws-secrets-csi/restart-on-rotation': String(plan.restarts) },
    },
    spec: { selector: { matchLabels: { app: plan.name } }, template: podTemplate(plan, {}, {}) },
  };
}

export function replicaSetObject(plan: WorkloadPlan, generation: number): KubeObject {
  const hash = { 'pod-template-hash': String(generation) };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      namespace: NAMESPACE,
      name: `${plan.name}-${generation}`,
      uid: `replicaset-${plan.name}-${generation}`,
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          name: plan.name,
          uid: `deployment-${plan.name}`,
          controller: true,
        },
      ],
    },
    spec: { selector: { matchLabels: { app: plan.name, ...hash } }, template: podTemplate(plan, {}, hash) },
  };
}

export function podObject(plan: WorkloadPlan, generation: number, name: string, nodeName: string): KubeObject {
  const owner = replicaSetObject(plan, generation).metadata;
  const { metadata, spec } = podTemplate(plan, {}, { 'pod-template-hash': String(generation) });
  return {
    kind: 'Pod',
    metadata: {
      namespace: NAMESPACE,
      name,
      uid: `pod-${name}`,
      labels: metadata.labels,
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner.name, uid: owner.uid ?? '', controller: true },
      ],
    },
    spec: { ...spec, nodeName },
    status: { phase: 'Running' },
  };
}

/** What the driver notes of a mount. */
export function statusObject(
  pod: { readonly name: string; readonly className: string; readonly targetPath: string },
  versions: ReadonlyMap<string, string>,
): KubeObject {
  return {
    apiVersion: 'secrets-store.csi.x-k8s.io/v1',
    kind: 'SecretProviderClassPodStatus',
    metadata: { namespace: NAMESPACE, name: `${pod.name}-${NAMESPACE}-${pod.className}` },
    status: {
      mounted: true,
      podName: pod.name,
      secretProviderClassName: pod.className,
      targetPath: pod.targetPath,
      objects: Array.from(versions, ([id, version]) => ({ id, version })),
    },
  };
}

export function pathOfPod(name: string): string {
  return `/api/v1/namespaces/${NAMESPACE}/pods/${name}`;
}

export function pathOfStatus(pod: { readonly name: string; readonly className: string }): string {
  const name = `${pod.name}-${NAMESPACE}-${pod.className}`;
  return `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${NAMESPACE}/secretproviderclasspodstatuses/${name}`;
}
