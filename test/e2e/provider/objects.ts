import { DRIVER_NAME } from '../cluster/driver.ts';
import { PROVIDER_WRITES } from './facts.ts';

export interface ClassOptions {
  /** Parameters besides `objects`. No region: the provider takes the node's. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Default: `PROVIDER_WRITES`. */
  readonly provider?: string;
  /** What is to be mirrored into Secrets. */
  readonly secretObjects?: readonly object[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A SecretProviderClass. Objects can be given as text where the wording is what matters. */
export function secretProviderClass(
  name: string,
  objects: string | readonly object[],
  { parameters = {}, provider = PROVIDER_WRITES, secretObjects = [], annotations = {} }: ClassOptions = {},
): object {
  const text = typeof objects === 'string' ? objects : JSON.stringify(objects);
  return {
    apiVersion: 'secrets-store.csi.x-k8s.io/v1',
    kind: 'SecretProviderClass',
    metadata: { name, annotations },
    spec: { provider, parameters: { ...parameters, objects: text }, secretObjects },
  };
}

export interface PodOptions {
  readonly image: string;
  /** Each is mounted at `/mnt/<class>`. */
  readonly classes: readonly string[];
  readonly serviceAccount: string;
  /** Entries of the container's `env`. */
  readonly env?: readonly object[];
}

/** A pod whose one container, `app`, sleeps. */
export function pod(name: string, options: PodOptions): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: podSpec(options) };
}

/** One such pod under a Deployment. */
export function deployment(name: string, options: PodOptions): object {
  return workload('Deployment', pod(name, options));
}

export interface WorkloadOptions {
  /** Default: one; a DaemonSet has as many as there are nodes. */
  readonly replicas?: number;
  /** Of the workload itself. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What makes pods like this one, and bears its name. */
export function workload(
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet',
  like: object,
  { replicas = 1, annotations = {} }: WorkloadOptions = {},
): object {
  const { metadata, spec } = like as { readonly metadata: { readonly name: string }; readonly spec: object };
  const labels = { app: metadata.name };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: metadata.name, annotations },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec },
      ...(kind !== 'DaemonSet' && { replicas }),
      ...(kind === 'StatefulSet' && { serviceName: metadata.name }),
    },
  };
}

function podSpec({ image, classes, serviceAccount, env = [] }: PodOptions): object {
  const csi = { driver: DRIVER_NAME, readOnly: true };
  return {
    serviceAccountName: serviceAccount,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'app',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['sleep', 'infinity'],
        env,
        volumeMounts: classes.map((name) => ({ name, mountPath: `/mnt/${name}`, readOnly: true })),
      },
    ],
    volumes: classes.map((name) => ({ name, csi: { ...csi, volumeAttributes: { secretProviderClass: name } } })),
  };
}
