import { expect, it } from 'vitest';
import type { Fault } from '../../fakes/aws/faults.ts';
import { contentsOf } from '../daemon/node.ts';
import { startCluster } from './cluster.ts';
import { NAMESPACE, PODS } from './objects.ts';
import { startRecorder } from './recorder.ts';
import { parameter, secret, SOON } from './values.ts';

/** In every secret; must be only in volumes and the data of Kubernetes Secrets. */
const MARK = 'canary7f3a';
const FLAGS = [
  '--enable-secret-rotation',
  '--rotation-poll-interval=1s',
  '--token-request',
  '--sync-secret',
  '--restart-on-rotation',
  '--restart-min-interval=1s',
  '--aws-max-attempts=1',
];
const SECRETS = `/api/v1/namespaces/${NAMESPACE}/secrets`;

/** Every third of it in base64, at any offset. */
const WRITTEN = [
  MARK,
  ...['', 'x', 'xx'].map((before) =>
    Buffer.from(before + MARK)
      .toString('base64')
      .slice(4, -4),
  ),
];

function expectNoMark(words: string, more: readonly string[] = []): void {
  for (const mark of [...WRITTEN, ...more]) {
    expect(words).not.toContain(mark);
  }
}

it('secrets and tokens are in no log line, event, status or request, except for the data of Secrets', async () => {
  await using cluster = await startCluster();
  await using recorder = await startRecorder(cluster.api);
  const node = await cluster.startNode('node-1', FLAGS, { kubeconfig: recorder.kubeconfig });
  await cluster.seed.secret('db', JSON.stringify({ password: `${MARK} 1` }));
  await cluster.seed.parameter('/url', `${MARK} 1`);
  const DB = { ...secret('db'), jmesPath: [{ path: 'password', objectAlias: 'password' }] };
  const secretObjects = [{ secretName: 'db', type: 'Opaque', data: [{ key: 'password', objectName: 'password' }] }];
  await cluster.applyClass('class', { objects: [DB, parameter('/url', 'url')], secretObjects });
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'uid-of-web' };
  const pod = await node.startPod('web-1', { className: 'class', owner, hasTokens: false });

  // It changes, fails in several ways, changes again, goes to another provider, and is deleted.
  await cluster.seed.secretVersion('db', JSON.stringify({ password: `${MARK} 2` }));
  await cluster.seed.parameter('/url', `${MARK} 2`);
  await expect
    .poll(() => contentsOf(pod.targetPath), SOON)
    .toMatchObject({ password: ['644', `${MARK} 2`], url: ['644', `${MARK} 2`] });
  await cluster.seed.secretVersion('db', `${MARK} is not JSON`);
  await expect.poll(() => reasonsOf(), SOON).toContain('ValueUnusable');
  for (const body of [`{"SecretString":"${MARK}`, `{"__type":"Odd","message":"x"}`]) {
    const fault: Fault = { kind: 'garble', status: 200, body };
    using _ = cluster.aws.gate.state.inject(fault, { service: 'secretsmanager' });
    const failures = node.said('mount not refreshed').length;
    await expect.poll(() => node.said('mount not refreshed').length, SOON).toBeGreaterThan(failures);
  }
  await cluster.seed.secretVersion('db', JSON.stringify({ password: `${MARK} 3` }));
  await expect.poll(() => contentsOf(pod.targetPath), SOON).toMatchObject({ password: ['644', `${MARK} 3`] });
  await expect.poll(() => passwordOfSecret(), SOON).toBe(`${MARK} 3`);
  cluster.api.put({ kind: 'Secret', metadata: { namespace: NAMESPACE, name: 'foreign' }, data: {} });
  await cluster.applyClass('class', {
    objects: [DB],
    secretObjects: [...secretObjects, { ...secretObjects[0], secretName: 'foreign' }],
  });
  await expect.poll(() => reasonsOf(), SOON).toContain('SecretRefused');
  await cluster.kube.patch(`${PODS}/web-1`, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
  await node.provider.stop();

  const minted = recorder.requests.filter(({ path }) => path.endsWith('/token'));
  expect(minted.length).toBeGreaterThan(0);
  const signature = 'c2lnbmF0dXJl';
  expectNoMark(node.log.join('\n'), [signature]);
  expectNoMark(JSON.stringify(cluster.api.objects.filter(({ kind }) => kind !== 'Secret')), [signature]);
  expectNoMark(JSON.stringify(recorder.requests.map(withoutData)), [signature]);
  expect(JSON.stringify(recorder.requests)).toContain(Buffer.from(`${MARK} 3`).toString('base64'));

  async function reasonsOf(): Promise<readonly string[]> {
    return (await cluster.eventsOf('web-1')).map(({ reason }) => reason);
  }
  function passwordOfSecret(): string {
    const { password = '' } = (cluster.api.find(`${SECRETS}/db`)?.['data'] ?? {}) as Record<string, string>;
    return Buffer.from(password, 'base64').toString();
  }
});

/** A request, except for a Secret's data. */
function withoutData({ path, body, ...request }: { readonly path: string; readonly body: string }): object {
  if (!path.startsWith(SECRETS) || body === '') {
    return { ...request, path, body };
  }
  const { data: _secret, ...rest } = JSON.parse(body) as Record<string, unknown>;
  return { ...request, path, body: rest };
}
