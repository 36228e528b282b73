import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { MountRequest } from '../../src/grpc/protocol.ts';
import { REGION, roleName, type ServiceAccount, serviceAccountToken } from './accounts.ts';

export interface LoadShape {
  readonly pods: number;
  readonly accounts: number;
  readonly secretsPerPod: number;
  readonly parametersPerPod: number;
  /** Every pod has secrets that no other mounts; else the pods of an account mount the same ones. */
  readonly ownSecrets: boolean;
  readonly podIdentity: boolean;
}

/** An object, and the file it becomes. */
interface MountedObject {
  readonly name: string;
  readonly type: 'secretsmanager' | 'ssmparameter';
  readonly path: string;
}

/** One volume of one pod. */
export interface Mount {
  readonly request: MountRequest;
  readonly objects: readonly MountedObject[];
}

export interface Place {
  /** Kubernetes namespace; a new one means accounts and secrets that nobody has met yet. */
  readonly namespace: string;
  /** The kubelet's folder of pods, on a tmpfs. */
  readonly podsFolder: string;
}

/** What the driver sends for each pod of a node. @param from number of the first pod, so that later pods are new ones */
export function makeMounts(shape: LoadShape, { namespace, podsFolder }: Place, from = 0): readonly Mount[] {
  return Array.from({ length: shape.pods }, (_, index) => {
    const number = from + index;
    const account = accountOf(shape, namespace, number);
    const pod = { name: `pod-${number}`, uid: randomUUID() };
    const objects = objectsOf(shape, account, shape.ownSecrets ? `${pod.name}-` : '');
    return {
      objects,
      request: {
        attributes: attributes(shape, account, pod, objects),
        secrets: 'null',
        targetPath: join(podsFolder, pod.uid, 'volumes', 'kubernetes.io~csi', 'secrets-store', 'mount'),
        permission: '420',
        currentObjectVersion: [],
      },
    };
  });
}

/** The service accounts of those pods. */
export function accountsOf(shape: LoadShape, namespace: string, from = 0): readonly ServiceAccount[] {
  const count = Math.min(shape.pods, shape.accounts);
  return Array.from({ length: count }, (_, index) => accountOf(shape, namespace, from + index));
}

function accountOf({ accounts }: LoadShape, namespace: string, pod: number): ServiceAccount {
  return { namespace, name: `account-${pod % accounts}` };
}

function objectsOf(shape: LoadShape, account: ServiceAccount, prefix: string): readonly MountedObject[] {
  function named(count: number, type: MountedObject['type'], start: string, word: string): MountedObject[] {
    return Array.from({ length: count }, (_, index) => {
      const name = `${start}bench/${roleName(account)}/${prefix}${word}-${index}`;
      return { name, type, path: name.replaceAll('/', '_') };
    });
  }
  return [
    ...named(shape.secretsPerPod, 'secretsmanager', '', 'secret'),
    ...named(shape.parametersPerPod, 'ssmparameter', '/', 'parameter'),
  ];
}

/** Parameters of the class, the kubelet's keys, the tokens; keys in order, as Go's encoder writes a map. */
function attributes(
  { podIdentity }: LoadShape,
  account: ServiceAccount,
  pod: { readonly name: string; readonly uid: string },
  objects: readonly MountedObject[],
): string {
  const audiences = ['pods.eks.amazonaws.com', 'sts.amazonaws.com'];
  const tokens = Object.fromEntries(
    audiences.map((audience) => [audience, serviceAccountToken(account, pod, audience)]),
  );
  const entries = {
    objects: objects.map(({ name, type }) => `- objectName: "${name}"\n  objectType: "${type}"\n`).join(''),
    region: REGION,
    ...(podIdentity && { usePodIdentity: 'true' }),
    'csi.storage.k8s.io/ephemeral': 'true',
    'csi.storage.k8s.io/pod.name': pod.name,
    'csi.storage.k8s.io/pod.namespace': account.namespace,
    'csi.storage.k8s.io/pod.uid': pod.uid,
    'csi.storage.k8s.io/serviceAccount.name': account.name,
    'csi.storage.k8s.io/serviceAccount.tokens': JSON.stringify(tokens),
    secretProviderClass: `class-${account.name}`,
  };
  return JSON.stringify(
    Object.fromEntries(Object.entries(entries).toSorted(([one], [other]) => (one < other ? -1 : 1))),
  );
}
