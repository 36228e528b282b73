import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventsOf, putClass, secretOf } from './node/attack-class.ts';
import { type AttackedNode, startAttackedNode } from './node/attacked-node.ts';

const SOON = { timeout: 30_000, interval: 50 };
const PARAMETERS = { objects: '[{objectName: value, objectType: secretsmanager}]' };

let node: AttackedNode;
beforeAll(async () => {
  node = await startAttackedNode({ args: ['--sync-secret'] });
  await node.seed.secret('value', 'v');
});
afterAll(() => node[Symbol.asyncDispose]());

/** Mounts a class with a Secret of the same name, and a harmless one. @returns the events on its pod, once the harmless one exists */
async function ask(name: string, secretObject: object): Promise<readonly string[]> {
  const data = [{ objectName: 'value', key: 'key' }];
  const harmless = { secretName: `${name}-harmless`, type: 'Opaque', data, labels: { app: 'web' } };
  const asked = { secretName: name, type: 'Opaque', data, ...secretObject };
  const parameters = putClass(node, 'shop', name, PARAMETERS, [asked, harmless]);
  const pod = await node.addPod('shop', `${name}-1`, 'web', name);
  await node.mount(pod, parameters);
  await expect.poll(() => secretOf(node, 'shop', `${name}-harmless`), SOON).toBeDefined();
  await expect.poll(() => eventsOf(node, pod), SOON).not.toEqual([]);
  return eventsOf(node, pod);
}

describe('a class with a Secret that controllers act upon with their own permissions', () => {
  it.for([
    ['token', 'kubernetes.io/service-account-token'],
    ['bootstrap', 'bootstrap.kubernetes.io/token'],
    ['release', 'helm.sh/release.v1'],
    ['cluster-api', 'cluster.x-k8s.io/secret'],
  ])('gets none by its type: %s', async ([name, type]) => {
    const events = await ask(name as string, { type });

    expect(secretOf(node, 'shop', name as string)).toBeUndefined();
    expect(events).toEqual([expect.stringMatching(/InvalidParameters: .*syncSecret\.allowedTypes/)]);
  });

  it.for([
    ['argocd', { labels: { 'argocd.argoproj.io/secret-type': 'cluster' } }],
    ['service-account', { annotations: { 'kubernetes.io/service-account.name': 'admin' } }],
    ['capitals', { annotations: { 'Kubernetes.IO/service-account.name': 'admin' } }],
    ['below', { annotations: { 'service.beta.kubernetes.io/some': 'x' } }],
    ['hook', { annotations: { 'meta.helm.sh/release-name': 'others' } }],
    ['copied', { annotations: { 'reflector.v1.k8s.emberstack.com/reflection-allowed': 'true' } }],
    ['pulled', { annotations: { 'replicator.v1.mittwald.de/replicate-to': 'kube-system' } }],
    ['flux', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'others' } }],
  ])('gets none by its labels and annotations: %s', async ([name, metadata]) => {
    const events = await ask(name as string, metadata as object);

    expect(secretOf(node, 'shop', name as string)).toBeUndefined();
    expect(events).toEqual([expect.stringMatching(/InvalidParameters: .*syncSecret\.deniedMetadata/)]);
  });

  it('gets no release by the label that Helm finds its releases by', async () => {
    const events = await ask('labelled', { labels: { owner: 'helm', name: 'others', status: 'deployed' } });

    expect(secretOf(node, 'shop', 'labelled')).toBeUndefined();
    expect(events).toEqual([expect.stringMatching(/InvalidParameters: .*syncSecret\.allowedTypes/)]);
  });
});
