import { basename, dirname } from 'node:path';
import { NODE_NAME } from './api-server.ts';
import type { Mount } from './load.ts';

/** What the API server holds of these mounts, by path: their pods and classes, and the driver's notes on them. */
export function nodeObjects(mounts: readonly Mount[]): readonly (readonly [path: string, object: object])[] {
  return mounts.flatMap(({ request }) => {
    const attributes: Readonly<Record<string, string>> = JSON.parse(request.attributes);
    const parameters = Object.fromEntries(
      Object.entries(attributes).filter(([key]) => /^(objects|region|use)/.test(key)),
    );
    const [namespace = '', name = '', uid = '', serviceAccountName = ''] = [
      'pod.namespace',
      'pod.name',
      'pod.uid',
      'serviceAccount.name',
    ].map((key) => attributes[`csi.storage.k8s.io/${key}`]);
    const className = attributes['secretProviderClass'] ?? '';
    const csi = { driver: 'secrets-store.csi.k8s.io', volumeAttributes: { secretProviderClass: className } };
    const volumes = [{ name: basename(dirname(request.targetPath)), csi }];
    const secretsStore = `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${namespace}`;
    const status = `${name}-${namespace}-${className}`;
    return [
      [
        `/api/v1/namespaces/${namespace}/pods/${name}`,
        {
          kind: 'Pod',
          metadata: { namespace, name, uid },
          spec: { nodeName: NODE_NAME, serviceAccountName, volumes },
          status: { phase: 'Running' },
        },
      ],
      [
        `${secretsStore}/secretproviderclasses/${className}`,
        {
          kind: 'SecretProviderClass',
          metadata: { namespace, name: className },
          spec: { provider: 'aws', parameters },
        },
      ],
      [
        `${secretsStore}/secretproviderclasspodstatuses/${status}`,
        {
          kind: 'SecretProviderClassPodStatus',
          metadata: { namespace, name: status, resourceVersion: '1' },
          status: { podName: name, secretProviderClassName: className, targetPath: request.targetPath, objects: [] },
        },
      ],
    ] as const;
  });
}
