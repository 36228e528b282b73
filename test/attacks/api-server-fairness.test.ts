import { afterEach, beforeEach, expect, it } from 'vitest';
import { putClass, secretOf } from './node/attack-class.ts';
import {
  type AttackedNode,
  attributesOf,
  type AttackPod,
  NEVER,
  REGION,
  startAttackedNode,
} from './node/attacked-node.ts';

const SOON = { timeout: 60_000, interval: 50 };
const PARAMETERS = { objects: '[{objectName: value, objectType: secretsmanager}]' };
const ATTACK = { ...PARAMETERS, region: REGION };
/** As many as a class may have. */
const SECRETS = 100;

let node: AttackedNode;
beforeEach(async () => {
  node = await startAttackedNode({
    // No request to the API server times out before the test ends.
    args: ['--sync-secret', '--token-request', '--kube-timeout=1h', '--mount-timeout=110s'],
    // The region is read from the Node object.
    env: { AWS_REGION: '' },
  });
  const labels = { 'topology.kubernetes.io/region': REGION };
  node.api.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', labels } });
  await node.seed.secret('value', 'x');
});
afterEach(() => node[Symbol.asyncDispose]());

/** Does not wait for the mounts, which end with the process. */
async function mountClasses(namespace: string, count: number, secrets = SECRETS): Promise<void> {
  node.addAccount(namespace, 'web');
  for (let index = 0; index < count; index += 1) {
    const name = `${namespace}-${index}`;
    const parameters = putClass(node, namespace, name, ATTACK, secretObjects(name, secrets));
    const pod = await node.addPod(namespace, name, 'web', name);
    node.mount(pod, parameters).catch(() => undefined);
  }
}

function secretObjects(name: string, count: number): readonly object[] {
  const data = [{ objectName: 'value', key: 'key' }];
  return Array.from({ length: count }, (_, index) => ({ secretName: `${name}-${index}`, type: 'Opaque', data }));
}

function hold(pattern: RegExp): Disposable {
  return node.api.inject({ kind: 'hang' }, (_method, path) => pattern.test(path));
}

function held(pattern: RegExp): number {
  return [...node.api.underWay].filter(({ path }) => pattern.test(path)).length;
}

/** A Mount call without tokens. */
async function mountWithoutTokens(pod: AttackPod, parameters: Readonly<Record<string, string>>) {
  const attributes = JSON.parse(attributesOf(pod, parameters)) as Record<string, string>;
  delete attributes['csi.storage.k8s.io/serviceAccount.tokens'];
  const call = { secrets: 'null', targetPath: pod.targetPath, permission: '420', currentObjectVersion: [] };
  return await node.client.mount({ ...call, attributes: JSON.stringify(attributes) }, NEVER);
}

it('a namespace with hundreds of Secrets on a slow API server leaves others a connection to write theirs', async () => {
  const secrets = /\/namespaces\/greedy\/secrets/;
  using _held = hold(secrets);
  await mountClasses('greedy', 5);
  await expect.poll(() => held(secrets), SOON).toBeGreaterThan(5);

  await mountClasses('thrifty', 1, 1);

  await expect.poll(() => secretOf(node, 'thrifty', 'thrifty-0-0'), SOON).toBeDefined();
  expect(held(secrets)).toBeGreaterThan(5);
});

it('requests that a mount waits for are sent while Secrets of several namespaces hold all other connections', async () => {
  const secrets = /\/namespaces\/crowd-\d\/secrets/;
  using _held = hold(secrets);
  for (const namespace of ['crowd-1', 'crowd-2', 'crowd-3']) {
    await mountClasses(namespace, 3);
  }
  // All connections for other requests are in use.
  await expect.poll(() => held(secrets), SOON).toBe(8);
  node.addAccount('victims', 'new');
  const pod = await node.addPod('victims', 'new-1', 'new', 'small');
  const before = node.api.requests.length;

  await mountWithoutTokens(pod, putClass(node, 'victims', 'small', PARAMETERS, []));

  function asked(): string {
    return node.api.requests.slice(before).join('\n');
  }
  await expect.poll(asked, SOON).toMatch(/GET \S+\/secretproviderclasses\/small/);
  expect(asked()).toMatch(/GET \S+\/namespaces\/victims\/serviceaccounts\/new\b/);
  expect(asked()).toMatch(/POST \S+\/namespaces\/victims\/serviceaccounts\/new\/token/);
  expect(asked()).toMatch(/GET \S+\/nodes\/node-1\b/);
  expect(asked()).toMatch(/GET \S+\/namespaces\/victims\/pods\/new-1/);
  expect(held(secrets)).toBe(8);
});

it('a namespace whose service accounts are read slowly does not delay the roles of another', async () => {
  const accounts = /\/namespaces\/slow\/serviceaccounts/;
  using _held = hold(accounts);
  for (let index = 0; index < 12; index += 1) {
    node.addAccount('slow', `web-${index}`);
    node.mount(await node.addPod('slow', `web-${index}`, `web-${index}`), ATTACK).catch(() => undefined);
  }
  await expect.poll(() => held(accounts), SOON).toBeGreaterThan(2);
  node.addAccount('victims', 'other');

  await node.mount(await node.addPod('victims', 'other-1', 'other'), PARAMETERS);

  expect(held(accounts)).toBeGreaterThan(2);
});
