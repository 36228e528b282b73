import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ProviderError } from '../../../src/model/errors.ts';
import { openKube } from '../../../src/kube/client.ts';
import { findAccess } from '../../../src/kube/kubeconfig.ts';
import { createRegionLookup } from '../../../src/kube/nodes.ts';
import { createRoleLookup } from '../../../src/kube/service-accounts.ts';
import { type ApiServer, startApiServer } from '../../fakes/kube/api-server.ts';
import type { Fault } from '../../fakes/kube/faults.ts';
import type { KubeObject } from '../../fakes/kube/kube-object.ts';
import { failureOf, NEVER } from './kube-fixture.ts';
import { getObject } from '../../../src/kube/get.ts';

const ROLE = 'arn:aws:iam::123456789012:role/shop';
const POD = { namespace: 'shop', name: 'web-1', uid: 'c0ffee', serviceAccount: 'web' };
const WEB: KubeObject = {
  kind: 'ServiceAccount',
  metadata: { namespace: 'shop', name: 'web', annotations: { 'eks.amazonaws.com/role-arn': ROLE } },
};
const NODE: KubeObject = {
  kind: 'Node',
  metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/region': 'eu-west-1' } },
};
const WEB_POD: KubeObject = {
  kind: 'Pod',
  metadata: { namespace: 'shop', name: 'web-1' },
  spec: { nodeName: 'node-1' },
};

function settingsFor(api: ApiServer): { readonly kubeconfig: string; readonly timeoutMs: number } {
  return { kubeconfig: api.kubeconfig, timeoutMs: 10_000 };
}

function caOf(api: ApiServer): Promise<string> {
  return readFile(join(api.serviceAccountDir, 'ca.crt'), 'utf8');
}

describe('the role of a service account', () => {
  it('is its annotation, read once for many pods over few connections', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `web-${index}`);
    await using api = await startApiServer({
      tls: true,
      objects: names.map((name) => ({ ...WEB, metadata: { ...WEB.metadata, name } })),
    });
    using kube = openKube(settingsFor(api));
    const roleOf = createRoleLookup(kube);

    const roles = await Promise.all(
      [...names, ...names, ...names].map((serviceAccount) => roleOf({ ...POD, serviceAccount }, NEVER)),
    );

    expect(new Set(roles)).toEqual(new Set([ROLE]));
    expect(api.requests).toHaveLength(40);
    expect(api.connections).toBeLessThanOrEqual(8);
  });

  it.for([
    ['no annotations', {}],
    ['an empty annotation', { annotations: { 'eks.amazonaws.com/role-arn': '' } }],
    ['other annotations', { annotations: { 'eks.amazonaws.com/audience': 'sts.amazonaws.com' } }],
  ] as const)('is missing with %s, and the error says what to add', async ([, metadata]) => {
    await using api = await startApiServer({
      objects: [{ kind: 'ServiceAccount', metadata: { namespace: 'shop', name: 'web', ...metadata } }],
    });
    using kube = openKube(settingsFor(api));

    const error = await failureOf(createRoleLookup(kube)(POD, NEVER));

    expect(error.reason).toBe('RoleMissing');
    expect(error.message).toContain('IAM role must be associated with service account "shop/web"');
    expect(error.message).toContain('eks.amazonaws.com/role-arn');
    expect(error.message).toContain('usePodIdentity');
  });

  it('is found as soon as the annotation exists', async () => {
    await using api = await startApiServer({
      objects: [{ kind: 'ServiceAccount', metadata: { namespace: 'shop', name: 'web' } }],
    });
    using kube = openKube(settingsFor(api));
    const roleOf = createRoleLookup(kube);
    await failureOf(roleOf(POD, NEVER));

    api.put(WEB);

    await expect(roleOf(POD, NEVER)).resolves.toBe(ROLE);
  });

  it.for<readonly [string, Fault | undefined, Partial<ProviderError>]>([
    [
      'is not there',
      undefined,
      {
        reason: 'RoleMissing',
        message:
          'cannot read service account "shop/web": the API server answered 404 (serviceaccounts "web" not found)',
      },
    ],
    [
      'may not be read',
      { kind: 'status', status: 403, message: 'serviceaccounts "web" is forbidden' },
      {
        reason: 'RoleMissing',
        message:
          'cannot read service account "shop/web": the API server answered 403 (serviceaccounts "web" is forbidden); ' +
          'allow the provider\'s service account to "get" "serviceaccounts" by a ClusterRole (the chart makes it: rbac.install)',
      },
    ],
    [
      'cannot be had from a failing API server',
      { kind: 'status', status: 500, message: 'etcdserver: leader changed' },
      {
        reason: 'KubernetesUnavailable',
        message: 'cannot read service account "shop/web": the API server answered 500 (etcdserver: leader changed)',
      },
    ],
    [
      'cannot be had through a failing load balancer',
      { kind: 'html', status: 502 },
      {
        reason: 'KubernetesUnavailable',
        message: 'cannot read service account "shop/web": the API server answered 502',
      },
    ],
    [
      'cannot be had over a connection that breaks',
      { kind: 'reset' },
      {
        reason: 'KubernetesUnavailable',
        message: 'cannot read service account "shop/web": API server: socket hang up',
      },
    ],
  ])('names the cause and the remedy if the service account %s', async ([, fault, expected]) => {
    await using api = await startApiServer();
    api.fault = fault;
    using kube = openKube(settingsFor(api));

    const error = await failureOf(createRoleLookup(kube)(POD, NEVER));

    expect(error).toMatchObject(expected);
  });

  it('is not waited for longer than the deadline', async () => {
    await using api = await startApiServer({ objects: [WEB] });
    api.fault = { kind: 'hang' };
    using kube = openKube({ ...settingsFor(api), timeoutMs: 150 });

    const error = await failureOf(createRoleLookup(kube)(POD, NEVER));

    expect(error).toMatchObject({ reason: 'KubernetesUnavailable', message: expect.stringMatching(/within 150 ms$/) });
  });

  it('is not waited for by a cancelled call, while the others get it', async () => {
    await using api = await startApiServer({ objects: [WEB] });
    api.fault = { kind: 'delay', ms: 200 };
    using kube = openKube(settingsFor(api));
    const roleOf = createRoleLookup(kube);
    const abandoned = new AbortController();
    const given = failureOf(roleOf(POD, abandoned.signal));
    const other = roleOf(POD, NEVER);

    abandoned.abort(new ProviderError('Cancelled', 'the driver ended the call'));

    await expect(given).resolves.toMatchObject({ reason: 'Cancelled', message: 'the driver ended the call' });
    await expect(other).resolves.toBe(ROLE);
    expect(api.requests).toHaveLength(1);
  });
});

describe('the region of the node', () => {
  it("is its label, read once for every pod, by the node's name", async () => {
    await using api = await startApiServer({ objects: [NODE] });
    using kube = openKube(settingsFor(api));
    const regionOf = createRegionLookup(kube, { nodeName: 'node-1' });

    const first = await Promise.all([regionOf(POD, NEVER), regionOf({ ...POD, name: 'web-2' }, NEVER)]);
    const later = await regionOf({ ...POD, name: 'web-3' }, NEVER);

    expect([...first, later]).toEqual(['eu-west-1', 'eu-west-1', 'eu-west-1']);
    expect(api.requests).toEqual(['GET /api/v1/nodes/node-1']);
  });

  it('is found through the pod if the node is not set', async () => {
    await using api = await startApiServer({ objects: [NODE, WEB_POD] });
    using kube = openKube(settingsFor(api));
    const regionOf = createRegionLookup(kube, {});

    const regions = [await regionOf(POD, NEVER), await regionOf({ ...POD, name: 'unknown' }, NEVER)];

    expect(regions).toEqual(['eu-west-1', 'eu-west-1']);
    expect(api.requests).toEqual(['GET /api/v1/namespaces/shop/pods/web-1', 'GET /api/v1/nodes/node-1']);
  });

  it('needs no permission to read pods if the node is set, and says so', async () => {
    await using api = await startApiServer({ objects: [NODE] });
    api.fault = { kind: 'status', status: 403, message: 'pods "web-1" is forbidden' };
    using kube = openKube(settingsFor(api));

    const error = await failureOf(createRegionLookup(kube, {})(POD, NEVER));

    expect(error.message).toContain('(pods "web-1" is forbidden); set --node-name');
  });

  it('is read again after a failure', async () => {
    await using api = await startApiServer({ objects: [NODE] });
    using kube = openKube(settingsFor(api));
    const regionOf = createRegionLookup(kube, { nodeName: 'node-1' });
    api.fault = { kind: 'status', status: 403, message: 'nodes "node-1" is forbidden' };

    const error = await failureOf(regionOf(POD, NEVER));
    api.fault = undefined;

    expect(error.reason).toBe('KubernetesUnavailable');
    expect(error.message).toContain('failed to retrieve region');
    expect(error.message).toContain('"get" "nodes"');
    expect(error.message).toContain('--aws-region');
    await expect(regionOf(POD, NEVER)).resolves.toBe('eu-west-1');
  });

  it('is missing if the node has no such label', async () => {
    await using api = await startApiServer({ objects: [{ kind: 'Node', metadata: { name: 'node-1' } }] });
    using kube = openKube(settingsFor(api));

    const error = await failureOf(createRegionLookup(kube, { nodeName: 'node-1' })(POD, NEVER));

    expect(error).toMatchObject({
      reason: 'InvalidParameters',
      message: expect.stringContaining('node "node-1" has no label topology.kubernetes.io/region'),
    });
  });
});

describe('the connection to the API server', () => {
  it('uses the service account mounted into the pod, whose renewed token is used at once', async () => {
    await using api = await startApiServer({ tls: true, objects: [WEB] });
    const { hostname, port } = new URL(api.url);
    vi.stubEnv('KUBERNETES_SERVICE_HOST', hostname);
    vi.stubEnv('KUBERNETES_SERVICE_PORT', port);
    const root = join(api.serviceAccountDir, 'root');
    const secrets = join(root, 'var', 'run', 'secrets', 'kubernetes.io');
    await mkdir(secrets, { recursive: true });
    await symlink(api.serviceAccountDir, join(secrets, 'serviceaccount'));
    using kube = openKube({ timeoutMs: 2_000 }, findAccess(undefined, root));
    const lookup = { resource: 'serviceaccounts', namespace: 'shop', name: 'web' } as const;

    await getObject(kube, lookup);
    await api.renewToken('renewed');
    await getObject(kube, lookup);

    expect(api.requests).toHaveLength(2);
    expect(api.connections).toBe(1);
  });

  it.for<readonly [string, string | undefined]>([
    ['outside of a cluster', undefined],
    ['without a mounted token', '10.0.0.1'],
  ])('is reported as missing with neither a kubeconfig nor a service account %s', async ([, host]) => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', host);
    vi.stubEnv('HOME', '/nonexistent');
    using kube = openKube({ timeoutMs: 2_000 });

    const error = await failureOf(getObject(kube, { resource: 'nodes', name: 'node-1' }));

    expect(error.message).toContain('there is neither a service-account token nor a kubeconfig');
  });

  it('uses a kubeconfig, whose CA is checked', async () => {
    await using api = await startApiServer({ tls: true, objects: [WEB] });
    await using impostor = await startApiServer({ tls: true, objects: [WEB] });
    using kube = openKube(settingsFor(api));
    using deceived = openKube({ timeoutMs: 2_000 }, async () => ({
      server: new URL(impostor.url),
      options: { ca: await caOf(api) },
    }));
    const lookup = { resource: 'serviceaccounts', namespace: 'shop', name: 'web' } as const;

    await expect(getObject(kube, lookup)).resolves.toMatchObject({ kind: 'ServiceAccount' });
    const error = await failureOf(getObject(deceived, lookup));

    expect(error).toMatchObject({ reason: 'KubernetesUnavailable', message: expect.stringContaining('certificate') });
    expect(impostor.requests).toEqual([]);
  });

  it('is reported as missing if the kubeconfig does not exist', async () => {
    using kube = openKube({ kubeconfig: '/nonexistent/kubeconfig', timeoutMs: 2_000 });

    const error = await failureOf(getObject(kube, { resource: 'nodes', name: 'node-1' }));

    expect(error.message).toBe(
      'cannot read node "node-1": API server: the kubeconfig "/nonexistent/kubeconfig" does not exist',
    );
  });

  it('survives a kept connection that was dropped meanwhile', async () => {
    await using api = await startApiServer({ objects: [NODE] });
    using kube = openKube(settingsFor(api));
    const lookup = { resource: 'nodes', name: 'node-1' } as const;
    await getObject(kube, lookup);

    api.dropConnections();

    await expect(getObject(kube, lookup)).resolves.toMatchObject({ metadata: { name: 'node-1' } });
    expect(api.connections).toBe(2);
  });

  it('reports an unknown token', async () => {
    await using api = await startApiServer({ objects: [NODE] });
    await api.renewToken('another');
    using kube = openKube(settingsFor(api));

    const error = await failureOf(getObject(kube, { resource: 'nodes', name: 'node-1' }));

    expect(error.message).toBe(
      'cannot read node "node-1": the API server answered 401 (Unauthorized); ' +
        "check the token of the provider's service account, or the kubeconfig's user",
    );
  });

  it('ends requests in progress when it is closed', async () => {
    await using api = await startApiServer({ objects: [NODE] });
    api.fault = { kind: 'hang' };
    const kube = openKube(settingsFor(api));
    const waiting = failureOf(getObject(kube, { resource: 'nodes', name: 'node-1' }));

    kube[Symbol.dispose]();

    await expect(waiting).resolves.toMatchObject({ reason: 'Cancelled' });
  });
});
