import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { SecretBytes } from '../../../src/model/secret-bytes.ts';
import { startPodIdentityAgent } from '../../fakes/aws/pod-identity-agent.ts';
import type { Statement } from '../../fakes/aws/policy.ts';
import { mintToken } from '../../fakes/aws/web-token.ts';
import {
  confirmVersions,
  fetchAll,
  fetched,
  newFetcher,
  openFakes,
  podSpec,
  reasons,
  secret,
  settingsFor,
} from '../aws/fetch-fixture.ts';
import { BATCH, callsOf, DESCRIBE, parameters, READ, secrets } from './calls.ts';
import { contentsOf, POD, serviceAccount, startNode, type TestNode } from './node.ts';

const INTERVAL = 120_000;
const SECOND_POD = { ...POD, name: 'web-2' };
const LIMITS = { intervalMs: INTERVAL, cacheMaxBytes: 1_000_000, deadlineMs: 60_000 };
const { signal } = new AbortController();

// Time passes only when a test advances it.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function startSeededNode(): Promise<TestNode> {
  const node = await startNode();
  await Promise.all([node.seed.secret('a', 'a1'), node.seed.secret('b', 'b1'), node.seed.parameter('/p', 'p1')]);
  return node;
}

/** A policy that can be changed during sessions, as in IAM. */
function changeablePolicy(...statements: readonly Statement[]) {
  const allows = [...statements];
  return {
    allows,
    change: (...next: readonly Statement[]) => void allows.splice(0, Infinity, ...next),
  };
}

describe('what one identity was given is not served to another', () => {
  it.for([
    ['the same secret', secrets('a'), [READ]],
    ['the same secrets by the batch call', secrets('a', 'b'), [READ, BATCH]],
    ['the same parameter', parameters('/p'), [READ]],
  ] as const)('even if it requests %s while the cache is warm', async ([, class_, allows]) => {
    await using node = await startSeededNode();
    node.aws.addRole('web', ['shop/web'], allows);
    node.api.put(serviceAccount('shop', 'other', node.aws.addRole('other', ['shop/other'], [BATCH, DESCRIBE])));
    const other = { ...POD, name: 'other-1', serviceAccount: 'other' };
    await node.mount(class_);
    const refusal = await node.refused(class_, { pod: other });
    await node.mount(class_, { pod: SECOND_POD });

    expect(refusal.code).toBe('PERMISSION_DENIED');
    expect(refusal.message).toContain('AccessDeniedException');
  });

  it('nor to a service account of the same name elsewhere, or another with the same role', async () => {
    await using node = await startSeededNode();
    const pods = [
      { ...POD, namespace: 'elsewhere' },
      { ...POD, serviceAccount: 'other' },
    ];
    node.aws.addRole('web', ['shop/web', 'elsewhere/web', 'shop/other']);
    for (const pod of pods) {
      node.api.put(serviceAccount(pod.namespace, pod.serviceAccount, node.roleArn));
    }
    await node.mount(secrets('a'));

    for (const pod of pods) {
      expect(await callsOf(node, () => node.mount(secrets('a'), { pod }))).toEqual({
        AssumeRoleWithWebIdentity: 1,
        GetSecretValue: 1,
      });
    }
  });

  it.for<readonly [string, () => string, string]>([
    ['has ended', () => mintToken('shop/web', { exp: 1_700_000_000 }), 'ExpiredTokenException'],
    ['is for another audience', () => mintToken('shop/web', { aud: ['vault'] }), 'Incorrect token audience'],
    ['is another account’s', () => mintToken('shop/other'), 'Not authorized to perform sts:AssumeRoleWithWebIdentity'],
    ['is none', () => 'not a token', 'InvalidIdentityToken'],
  ])('nor to a pod whose token %s, and that does not affect the others', async ([, token, fragment]) => {
    await using node = await startSeededNode();
    const targetPath = await node.newTarget();
    await node.mount(secrets('a'), { targetPath });
    const tokens = { 'sts.amazonaws.com': token() };

    for (const options of [{ pod: SECOND_POD }, { targetPath }]) {
      expect((await node.refused(secrets('a'), { ...options, tokens })).message).toContain(fragment);
    }
    expect(await callsOf(node, () => node.mount(secrets('a'), { pod: SECOND_POD }))).toEqual({});
  });

  it('nor to the same service account with another role', async () => {
    await using fakes = await openFakes();
    const seed = await fakes.seed();
    await seed.secret('a', 'a1');
    const [first, second] = [fakes.addRole('first', ['shop/cart']), fakes.addRole('second', ['shop/cart'], [DESCRIBE])];
    let role = first;
    using fetcher = newFetcher({
      settings: settingsFor(fakes.gate.url),
      roleOf: () => Promise.resolve(role),
      limits: LIMITS,
    });
    const spec = podSpec([secret('a')]);
    const [outcome] = await fetchAll(fetcher, spec, signal);
    const { version, confirmedAt: fetchedAt } = fetched(outcome);
    const versions = new Map([['a', version]]);
    expect(await confirmVersions(fetcher, spec, versions, signal)).toBe(fetchedAt);

    role = second;
    expect(await confirmVersions(fetcher, spec, versions, signal)).toBeUndefined();
    expect(reasons(await fetchAll(fetcher, spec, signal))).toEqual(['AccessDenied']);
    role = first;
    expect(await confirmVersions(fetcher, spec, versions, signal)).toBe(fetchedAt);
  });

  it('nor to another pod under Pod Identity, whose sessions are tagged with the pod', async () => {
    await using fakes = await openFakes();
    const seed = await fakes.seed();
    await seed.secret('a', 'a1');
    const role = fakes.addRole('associated', []);
    await using agent = await startPodIdentityAgent({
      motoUrl: inject('motoUrl'),
      gate: fakes.gate.state,
      associations: new Map([['shop/cart', role]]),
      host: '127.0.0.1',
    });
    using fetcher = newFetcher({
      settings: settingsFor(fakes.gate.url, {
        podIdentity: { ipv4: agent.url, ipv6: 'http://[::1]:1', timeoutMs: 1_000 },
      }),
      roleOf: () => Promise.reject(new Error('no role is requested')),
      limits: LIMITS,
    });
    const token = SecretBytes.fromText(mintToken('shop/cart', { aud: ['pods.eks.amazonaws.com'] }));
    const [first, second] = ['uid-1', 'uid-2'].map((uid) =>
      podSpec([secret('a')], {
        authentication: { kind: 'pod-identity', addressType: 'ipv4' },
        pod: { namespace: 'shop', name: 'cart', uid, serviceAccount: 'cart' },
        tokens: new Map([['pods.eks.amazonaws.com', token]]),
      }),
    );
    const calls = await callsOf({ aws: fakes }, async () => {
      await Promise.all([first!, first!, second!].map((spec) => fetchAll(fetcher, spec, signal)));
      await Promise.all([first!, second!].map((spec) => fetchAll(fetcher, spec, signal)));
    });

    expect(calls).toEqual({ GetSecretValue: 2 });
    expect(agent.count()).toBe(2);
  });
});

describe('access that is revoked', () => {
  it.for([
    ['read singly', secrets('a'), [READ]],
    ['read by the batch call', secrets('a', 'b'), [READ, BATCH]],
    ['of a parameter', parameters('/p'), [READ]],
  ] as const)('is refused within one interval, to a new pod and to a republish: %s', async ([, class_, statements]) => {
    await using node = await startSeededNode();
    const { allows, change } = changeablePolicy(...statements);
    node.aws.addRole('web', ['shop/web'], allows);
    const targetPath = await node.newTarget();
    await node.mount(class_, { targetPath });
    const before = await contentsOf(targetPath);
    change(BATCH);
    vi.advanceTimersByTime(INTERVAL + 1);

    for (const options of [{ targetPath }, { pod: SECOND_POD }, { targetPath }]) {
      const refusal = await node.refused(class_, options);
      expect([refusal.code, refusal.message]).toEqual(['PERMISSION_DENIED', expect.stringContaining('AccessDenied')]);
    }
    expect(await contentsOf(targetPath)).toEqual(before);

    change(...statements);
    vi.advanceTimersByTime(1_001);
    await node.mount(class_, { pod: SECOND_POD });
  });

  it('is refused to all from the moment that one was refused', async () => {
    await using node = await startSeededNode();
    const { allows, change } = changeablePolicy(READ);
    node.aws.addRole('web', ['shop/web'], allows);
    await node.mount(secrets('a'));
    vi.advanceTimersByTime(INTERVAL - 1_000);
    await node.mount(secrets('b'));
    change();
    vi.advanceTimersByTime(1_001);

    expect((await node.refused(secrets('a', 'b'))).message).toMatch(/a: 400.*AccessDenied/);
    expect((await node.refused(secrets('a'), { pod: SECOND_POD })).code).toBe('PERMISSION_DENIED');
    // Its value is newer than the interval.
    await node.mount(secrets('b'), { pod: SECOND_POD });
  });

  it('except for describing is refused to a new pod and to a republish', async () => {
    await using node = await startSeededNode();
    const { allows, change } = changeablePolicy(READ, DESCRIBE);
    node.aws.addRole('web', ['shop/web'], allows);
    const targetPath = await node.newTarget();
    await node.mount(secrets('a'), { targetPath });
    change(DESCRIBE);
    vi.advanceTimersByTime(INTERVAL + 1);

    expect((await node.refused(secrets('a'), { targetPath })).code).toBe('PERMISSION_DENIED');
    expect((await node.refused(secrets('a'), { pod: SECOND_POD })).code).toBe('PERMISSION_DENIED');
  });

  it('is refused within the operator’s interval, whatever the class sets', async () => {
    await using node = await startSeededNode();
    const { allows, change } = changeablePolicy(READ);
    node.aws.addRole('web', ['shop/web'], allows);
    const targetPath = await node.newTarget();
    const class_ = { ...secrets('a'), rotationPollInterval: '24h' };
    await node.mount(class_, { targetPath });
    change();
    vi.advanceTimersByTime(INTERVAL + 1);

    expect((await node.refused(class_, { targetPath })).code).toBe('PERMISSION_DENIED');
    expect((await node.refused(class_, { pod: SECOND_POD })).code).toBe('PERMISSION_DENIED');
  });
});
