import { describe, expect, it } from 'vitest';
import { createPodStatusApi } from '../../../src/kube/pod-statuses.ts';
import type { KubeObject } from '../../fakes/kube/kube-object.ts';
import { NEVER, startKube } from './kube-fixture.ts';

const RESOURCE = '/apis/secrets-store.csi.x-k8s.io/v1/namespaces/shop/secretproviderclasspodstatuses';
const TARGET = '/pods/web-1/db/mount';
const MOUNT = { pod: { namespace: 'shop', name: 'web-1' }, className: 'db', targetPath: TARGET };
const PATH = `${RESOURCE}/web-1-shop-db`;

function status(): KubeObject {
  return {
    apiVersion: 'secrets-store.csi.x-k8s.io/v1',
    kind: 'SecretProviderClassPodStatus',
    metadata: { namespace: 'shop', name: 'web-1-shop-db' },
    status: {
      podName: 'web-1',
      secretProviderClassName: 'db',
      mounted: true,
      targetPath: TARGET,
      objects: [{ id: 'a', version: '1' }],
    },
  };
}

describe("the driver's pod statuses", () => {
  it('are read for one mount', async () => {
    await using fixture = await startKube({ objects: [status()] });
    const api = createPodStatusApi(fixture.kube);

    expect(await api.notedVersions(MOUNT, NEVER)).toEqual(new Map([['a', '1']]));
    expect(await api.notedVersions({ ...MOUNT, targetPath: '/another' }, NEVER)).toBeUndefined();
    expect(await api.notedVersions({ ...MOUNT, pod: { namespace: 'shop', name: 'web-2' } }, NEVER)).toBeUndefined();
  });

  it('get the versions that are mounted now, in the order of the driver, and nothing else changes', async () => {
    await using fixture = await startKube({ objects: [status()] });
    const versions = new Map([
      ['b', '1'],
      ['a', '2'],
    ]);

    await createPodStatusApi(fixture.kube).noteVersions(MOUNT, versions, NEVER);

    expect(fixture.api.find(PATH)?.['status']).toEqual({
      podName: 'web-1',
      secretProviderClassName: 'db',
      mounted: true,
      targetPath: TARGET,
      objects: [
        { id: 'a', version: '2' },
        { id: 'b', version: '1' },
      ],
    });
  });

  it.for<readonly [string, readonly KubeObject[], string]>([
    ['has the versions already', [status()], TARGET],
    ['is of another volume', [status()], '/pods/web-1/other/mount'],
    ['is not there', [], TARGET],
  ])('are not changed if the status %s', async ([, objects, targetPath]) => {
    await using fixture = await startKube({ objects });
    const versions = new Map([['a', targetPath === TARGET ? '1' : '2']]);

    await createPodStatusApi(fixture.kube).noteVersions({ ...MOUNT, targetPath }, versions, NEVER);

    expect(fixture.api.requests).toEqual([`GET ${PATH}`]);
  });

  it('are read again once if the driver has written in between', async () => {
    await using fixture = await startKube({ objects: [status()] });
    let patches = 0;
    using _ = fixture.api.inject({ kind: 'status', status: 409, message: 'changed' }, (method) => {
      patches += method === 'PATCH' ? 1 : 0;
      return method === 'PATCH' && patches === 1;
    });

    await createPodStatusApi(fixture.kube).noteVersions(MOUNT, new Map([['a', '2']]), NEVER);

    expect(fixture.api.requests.map((request) => request.split(' ')[0])).toEqual(['GET', 'PATCH', 'GET', 'PATCH']);
    expect(fixture.api.find(PATH)?.['status']).toMatchObject({ objects: [{ id: 'a', version: '2' }] });
  });
});
