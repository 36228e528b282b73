import { mintToken } from '../../fakes/aws/web-token.ts';
import type { MountResponse } from '../../../src/grpc/protocol.ts';
import type { KubeObject, KubeRest } from './kube-rest.ts';

/*
 * The objects that kubelet, driver and users write into the API server, as far as the provider reads them.
 */

export const NAMESPACE = 'shop';
const STORE_API = `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${NAMESPACE}`;
const STATUSES = `${STORE_API}/secretproviderclasspodstatuses`;
export const CLASSES = `${STORE_API}/secretproviderclasses`;
export const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
export const SERVICE_ACCOUNTS = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`;

export interface ClassOptions {
  readonly objects: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: Readonly<Record<string, string>>;
  readonly secretObjects?: readonly unknown[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly provider?: string;
}

export interface PodOptions {
  readonly className: string;
  /** Name of the volume in the pod; absent means "secrets". */
  readonly volume?: string;
  readonly serviceAccount?: string;
  readonly owner?: { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly uid: string };
  /** The pod's overrides of the class's parameters. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Whether the CSIDriver requests tokens. */
  readonly hasTokens?: boolean;
  /** Expiry, wall clock in seconds, for tokens with a lifetime other than an hour. */
  readonly tokensEndAt?: number;
  /** Makes the volume something other than a directory on the disk. */
  readonly prepare?: (targetPath: string) => void;
}

export interface StartedPod extends PodOptions {
  readonly name: string;
  readonly uid: string;
  readonly targetPath: string;
}

export function classObject(
  name: string,
  { objects, parameters = {}, secretObjects, annotations = {}, provider = 'aws' }: ClassOptions,
): KubeObject & { readonly kind: string } {
  return {
    apiVersion: 'secrets-store.csi.x-k8s.io/v1',
    kind: 'SecretProviderClass',
    metadata: { namespace: NAMESPACE, name, annotations },
    spec: {
      provider,
      parameters: { objects: JSON.stringify(objects), ...parameters },
      ...(secretObjects !== undefined && { secretObjects }),
    },
  };
}

export function podObject(
  name: string,
  nodeName: string,
  { serviceAccount = 'web', className, volume = 'secrets', owner, attributes = {} }: PodOptions,
): KubeObject {
  const csi = {
    driver: 'secrets-store.csi.k8s.io',
    readOnly: true,
    volumeAttributes: { ...attributes, secretProviderClass: className },
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: NAMESPACE,
      name,
      ...(owner !== undefined && {
        labels: labelsOf(owner),
        ownerReferences: [{ ...owner, controller: true }],
      }),
    },
    spec: { nodeName, serviceAccountName: serviceAccount, volumes: [{ name: volume, csi }] },
    status: { phase: 'Running' },
  };
}

/** Of the pods that it creates. */
function labelsOf({ name }: NonNullable<PodOptions['owner']>): Readonly<Record<string, string>> {
  return { app: name };
}

/** Creates the owner that a pod names, with such pods in its template, unless it exists. */
export async function makeOwner(kube: KubeRest, { owner, className, volume = 'secrets' }: PodOptions): Promise<void> {
  if (owner === undefined) {
    return;
  }
  const { apiVersion, kind, name, uid } = owner;
  const owners = `/apis/${apiVersion}/namespaces/${NAMESPACE}/${kind.toLowerCase()}s`;
  const labels = labelsOf(owner);
  const volumeAttributes = { secretProviderClass: className };
  const csi = { driver: 'secrets-store.csi.k8s.io', readOnly: true, volumeAttributes };
  function specWith(volumes: readonly object[]): object {
    const template = { metadata: { labels }, spec: { volumes: [...volumes, { name: volume, csi }] } };
    return { selector: { matchLabels: labels }, template };
  }
  const metadata = { namespace: NAMESPACE, name, uid };
  // Pods of one owner may start at the same time: then it already exists.
  if ((await kube.find(`${owners}/${name}`)) === undefined) {
    await kube.create(owners, { apiVersion, kind, metadata, spec: specWith([]) }).catch(() => undefined);
  }
  const { spec } = (await kube.find<{ spec?: OwnerSpec }>(`${owners}/${name}`)) ?? {};
  const volumes = spec?.template.spec.volumes ?? [];
  if (!volumes.some((known) => known.name === volume)) {
    await kube.patch(`${owners}/${name}`, { spec: specWith(volumes) });
  }
}

interface OwnerSpec {
  readonly template: { readonly spec: { readonly volumes: readonly { readonly name: string }[] } };
}

/** Attributes of the driver's call, in the form of driver 1.6: the class, overridden by the pod's attributes, overridden by the kubelet's. */
export async function attributesFor(pod: StartedPod, kube: KubeRest): Promise<string> {
  const { serviceAccount = 'web', hasTokens = true, tokensEndAt } = pod;
  const found = await kube.find<{ spec: { parameters: Record<string, string> } }>(`${CLASSES}/${pod.className}`);
  if (found === undefined) {
    throw new Error(`there is no class ${pod.className}`);
  }
  const tokens = Object.fromEntries(
    ['sts.amazonaws.com', 'pods.eks.amazonaws.com'].map((aud) => [
      aud,
      {
        token: mintToken(`${NAMESPACE}/${serviceAccount}`, {
          aud: [aud],
          ...(tokensEndAt !== undefined && { exp: tokensEndAt }),
        }),
      },
    ]),
  );
  return JSON.stringify({
    ...found.spec.parameters,
    ...pod.attributes,
    secretProviderClass: pod.className,
    'csi.storage.k8s.io/pod.name': pod.name,
    'csi.storage.k8s.io/pod.namespace': NAMESPACE,
    'csi.storage.k8s.io/pod.uid': pod.uid,
    'csi.storage.k8s.io/serviceAccount.name': serviceAccount,
    'csi.storage.k8s.io/ephemeral': 'true',
    ...(hasTokens && { 'csi.storage.k8s.io/serviceAccount.tokens': JSON.stringify(tokens) }),
  });
}

export function statusPath({ name, className }: Pick<StartedPod, 'name' | 'className'>): string {
  return `${STATUSES}/${name}-${NAMESPACE}-${className}`;
}

/** The recorded versions of a pod's mount, by file. */
export async function versionsOf(kube: KubeRest, pod: StartedPod): Promise<Readonly<Record<string, string>>> {
  const status = await kube.find<{ status: { objects: readonly { id: string; version: string }[] } }>(statusPath(pod));
  return Object.fromEntries((status?.status.objects ?? []).map(({ id, version }) => [id, version]));
}

/** The driver's status after a Mount call. */
export async function noteStatus(
  pod: StartedPod,
  response: MountResponse,
  node: string,
  kube: KubeRest,
): Promise<void> {
  const objects = response.objectVersion.map(({ id, version }) => ({ id, version }));
  const status = {
    podName: pod.name,
    secretProviderClassName: pod.className,
    targetPath: pod.targetPath,
    mounted: true,
    objects: objects.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
  };
  const path = statusPath(pod);
  if ((await kube.find(path)) !== undefined) {
    await kube.patch(path, { status });
    return;
  }
  await kube.create(STATUSES, {
    apiVersion: 'secrets-store.csi.x-k8s.io/v1',
    kind: 'SecretProviderClassPodStatus',
    metadata: {
      namespace: NAMESPACE,
      name: path.split('/').at(-1) ?? '',
      labels: { 'internal.secrets-store.csi.k8s.io/node-name': node },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid }],
    },
    status,
  });
}
