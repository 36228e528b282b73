import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTokenRequests } from '../../../src/kube/token-requests.ts';
import { readToken, subjectOf } from '../../fakes/aws/web-token.ts';
import { failureOf, NEVER, startKube } from './kube-fixture.ts';

const POD = { namespace: 'shop', name: 'web-1', uid: 'uid-1', serviceAccount: 'web' };
const AUDIENCE = 'sts.amazonaws.com';
const OBJECTS = [
  { kind: 'ServiceAccount', metadata: { namespace: 'shop', name: 'web' } },
  { kind: 'Pod', metadata: { namespace: 'shop', name: 'web-1', uid: 'uid-1' } },
  { kind: 'Pod', metadata: { namespace: 'shop', name: 'web-2', uid: 'uid-2' } },
];

describe('a requested token', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('belongs to the service account, for the audience, and is bound to the pod', async () => {
    await using fixture = await startKube({ objects: OBJECTS });

    const token = await createTokenRequests(fixture.kube)(POD, AUDIENCE, NEVER);

    const claims = readToken(token.exposeText())!;
    expect([subjectOf(claims), claims.aud]).toEqual(['shop/web', [AUDIENCE]]);
    expect(fixture.api.tokenRequests).toEqual([
      { namespace: 'shop', serviceAccount: 'web', audiences: [AUDIENCE], expirationSeconds: 3600, pod: 'web-1' },
    ]);
  });

  it('is requested once by all callers, and separately for each pod and audience', async () => {
    await using fixture = await startKube({ objects: OBJECTS });
    const tokenOf = createTokenRequests(fixture.kube);
    const other = { ...POD, name: 'web-2', uid: 'uid-2' };

    await Promise.all([tokenOf(POD, AUDIENCE, NEVER), tokenOf(POD, AUDIENCE, NEVER), tokenOf(other, AUDIENCE, NEVER)]);
    await tokenOf(POD, 'pods.eks.amazonaws.com', NEVER);
    await tokenOf(POD, AUDIENCE, NEVER);

    expect(fixture.api.tokenRequests.map(({ pod, audiences }) => `${pod} ${audiences.join()}`).toSorted()).toEqual([
      'web-1 pods.eks.amazonaws.com',
      'web-1 sts.amazonaws.com',
      'web-2 sts.amazonaws.com',
    ]);
  });

  it('of a deleted pod is not used for its successor of the same name', async () => {
    await using fixture = await startKube({ objects: OBJECTS });
    const tokenOf = createTokenRequests(fixture.kube);
    const token = await tokenOf(POD, AUDIENCE, NEVER);

    fixture.api.put({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'shop', name: 'web-1', uid: 'uid-3' } });
    const successors = await tokenOf({ ...POD, uid: 'uid-3' }, AUDIENCE, NEVER);

    expect(successors).not.toBe(token);
    expect(fixture.api.tokenRequests.map(({ pod }) => pod)).toEqual(['web-1', 'web-1']);
  });

  it('is used for four fifths of its lifetime', async () => {
    await using fixture = await startKube({ objects: OBJECTS });
    vi.useFakeTimers({ toFake: ['performance'] });
    const tokenOf = createTokenRequests(fixture.kube);
    await tokenOf(POD, AUDIENCE, NEVER);

    vi.advanceTimersByTime(0.8 * 3_600_000);
    await tokenOf(POD, AUDIENCE, NEVER);
    const asked = fixture.api.tokenRequests.length;
    vi.advanceTimersByTime(1);
    await tokenOf(POD, AUDIENCE, NEVER);

    expect([asked, fixture.api.tokenRequests.length]).toEqual([1, 2]);
  });

  it('is refused with the remedies', async () => {
    await using fixture = await startKube({ objects: OBJECTS });
    fixture.api.fault = { kind: 'status', status: 403, message: 'forbidden' };

    const error = await failureOf(createTokenRequests(fixture.kube)(POD, AUDIENCE, NEVER));

    expect(error.reason).toBe('TokenMissing');
    expect(error.message).toBe(
      'cannot create a token for service account "shop/web": the API server answered 403 (forbidden); allow the provider\'s service account ' +
        'to "create" "serviceaccounts/token" by a ClusterRole (the chart makes it: tokenRequest.enabled), or let the driver send tokens: ' +
        'its tokenRequests, with its enableSecretRotation',
    );
  });

  it('is requested again after a failure', async () => {
    await using fixture = await startKube({ objects: OBJECTS });
    const tokenOf = createTokenRequests(fixture.kube);
    fixture.api.fault = { kind: 'status', status: 500, message: 'etcdserver: leader changed' };
    const error = await failureOf(tokenOf(POD, AUDIENCE, NEVER));
    fixture.api.fault = undefined;

    const token = await tokenOf(POD, AUDIENCE, NEVER);

    expect(error.reason).toBe('KubernetesUnavailable');
    expect(token.size).toBeGreaterThan(0);
  });
});
