import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { DRIVER_NAME } from '../cluster/driver.ts';
import { makeNodeImage } from '../cluster/images.ts';
import { waitFor } from '../cluster/wait.ts';

const namespace = `cluster-${randomBytes(3).toString('hex')}`;
const cluster = await openCluster();

beforeAll(async () => {
  await cluster.kubectl(['create', 'namespace', namespace]);
});

afterAll(async () => {
  await cluster.kubectl(['delete', 'namespace', namespace, '--wait=false']);
});

test('the node is ready and lists the Secrets Store CSI driver', async () => {
  const ready = await cluster.kubectl([
    'get',
    'node',
    cluster.nodeName,
    '--output=jsonpath={.status.conditions[?(@.type=="Ready")].status}',
  ]);
  const drivers = await cluster.kubectl([
    'get',
    'csinode',
    cluster.nodeName,
    '--output=jsonpath={.spec.drivers[*].name}',
  ]);

  expect(ready).toBe('True');
  expect(drivers.split(' ')).toContain(DRIVER_NAME);
});

test('a pod becomes ready and reaches the API server at the address in its environment', async () => {
  await cluster.apply([pod('reaches-api', { command: ['sleep', 'infinity'] })]);
  await cluster.kubectl([
    'wait',
    '--for=condition=Ready',
    'pod/reaches-api',
    `--namespace=${namespace}`,
    '--timeout=60s',
  ]);

  const script =
    'nc -w 5 "$KUBERNETES_SERVICE_HOST" "$KUBERNETES_SERVICE_PORT" </dev/null && echo "reached $KUBERNETES_SERVICE_HOST"';
  const said = await cluster.kubectl(['exec', 'reaches-api', `--namespace=${namespace}`, '--', 'sh', '-c', script]);

  const service = await cluster.kubectl(['get', 'service', 'kubernetes', '--output=jsonpath={.spec.clusterIP}']);
  expect(said.trim()).toBe(`reached ${service}`);
});

test('a pod whose class names a missing provider gets an event', async () => {
  await cluster.apply([
    {
      apiVersion: 'secrets-store.csi.x-k8s.io/v1',
      kind: 'SecretProviderClass',
      metadata: { name: 'nobody', namespace },
      spec: { provider: 'nobody', parameters: { objects: 'none' } },
    },
    pod('waits', { command: ['sleep', 'infinity'] }, 'nobody'),
  ]);

  const selector = 'reason=FailedMount,involvedObject.name=waits';
  const message = await waitFor(
    'the pod has a FailedMount event',
    async () => {
      const args = ['get', 'events', `--namespace=${namespace}`, `--field-selector=${selector}`];
      const messages = await cluster.kubectl([...args, '--output=jsonpath={.items[*].message}']);
      return messages.includes('provider') && messages;
    },
    { timeoutMs: 60_000, everyMs: 500 },
  );

  expect(message).toContain('provider not found: provider "nobody"');
});

test.runIf(cluster.owned)('an image with Node and a program of the checkout runs on the node', async () => {
  const program = path.join(mkdtempSync(path.join(tmpdir(), 'e2e-')), 'hello.cjs');
  writeFileSync(program, 'console.log(`hello from ${process.version}`); setInterval(() => {}, 1000);');
  const image = { name: 'e2e.local/hello:1', entrypoint: ['node', '/app/hello.cjs'], user: '1000:1000' };
  await cluster.importImage(await makeNodeImage({ ...image, files: { '/app/hello.cjs': program } }));

  await cluster.apply([pod('hello', { image: image.name })]);
  const hello = await waitFor(
    'the pod has printed its output',
    async () => (await cluster.kubectl(['logs', 'hello', `--namespace=${namespace}`])) || undefined,
    { timeoutMs: 60_000, everyMs: 500 },
  );

  expect(hello.trim()).toBe(`hello from ${process.version}`);
});

test.runIf(cluster.owned)('the driver can be restarted with other options', async () => {
  await cluster.restartDriver({ rotation: false, syncSecret: true, tokenAudiences: [] });

  const spec = await cluster.kubectl(['get', 'csidriver', DRIVER_NAME, '--output=jsonpath={.spec}']);
  const asDriver = '--as=system:serviceaccount:kube-system:secrets-store-csi-driver';
  const mayReadSecrets = await cluster.kubectl(['auth', 'can-i', 'list', 'secrets', '--all-namespaces', asDriver]);

  expect(JSON.parse(spec)).toMatchObject({ requiresRepublish: false });
  expect(spec).not.toContain('tokenRequests');
  expect(mayReadSecrets.trim()).toBe('yes');
  await cluster.restartDriver();
});

test.runIf(cluster.owned)('after a power cut the node comes back and runs its pods again', async () => {
  function restarts(): Promise<string> {
    return cluster.kubectl([
      'get',
      'pod/reaches-api',
      `--namespace=${namespace}`,
      '--output=jsonpath={.status.containerStatuses[0].restartCount},{.status.containerStatuses[0].ready}',
    ]);
  }
  const before = await restarts();

  await cluster.stopNode();
  await cluster.startNode();

  expect(before).toBe('0,true');
  await waitFor('the pod runs again', async () => (await restarts()) === '1,true', {
    timeoutMs: 60_000,
    everyMs: 500,
  });
});

function pod(name: string, container: object, secretProviderClass?: string): object {
  const volume = {
    name: 'secrets',
    csi: { driver: DRIVER_NAME, readOnly: true, volumeAttributes: { secretProviderClass } },
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'app',
          image: cluster.appImage,
          imagePullPolicy: 'IfNotPresent',
          ...container,
          ...(secretProviderClass !== undefined && { volumeMounts: [{ name: 'secrets', mountPath: '/mnt/secrets' }] }),
        },
      ],
      ...(secretProviderClass !== undefined && { volumes: [volume] }),
    },
  };
}
