import type { AttackedNode, AttackPod } from './attacked-node.ts';

/** Puts a class called `name` into a namespace of an attacked node. @returns its parameters, for the Mount call */
export function putClass(
  node: AttackedNode,
  namespace: string,
  name: string,
  parameters: Readonly<Record<string, string>>,
  secretObjects: readonly object[],
): Readonly<Record<string, string>> {
  node.api.put({
    apiVersion: 'secrets-store.csi.x-k8s.io/v1',
    kind: 'SecretProviderClass',
    metadata: { namespace, name },
    spec: { provider: 'aws', parameters, secretObjects },
  });
  return { ...parameters, secretProviderClass: name };
}

/** A Secret in the cluster of an attacked node. */
export function secretOf(node: AttackedNode, namespace: string, name: string) {
  return node.api.find(`/api/v1/namespaces/${namespace}/secrets/${name}`);
}

/** Messages of the events on a pod. */
export function eventsOf(node: AttackedNode, pod: AttackPod): readonly string[] {
  return node.api.objects
    .filter(({ kind }) => kind === 'Event')
    .filter((event) => (event['involvedObject'] as { readonly name?: string } | undefined)?.name === pod.name)
    .map((event) => `${String(event['reason'])}: ${String(event['message'])}`);
}
