import { inject, afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AddressType } from '../../../src/model/mount-spec.ts';
import { SecretBytes } from '../../../src/model/secret-bytes.ts';
import { type PodIdentityAgent, startPodIdentityAgent } from '../../fakes/aws/pod-identity-agent.ts';
import type { AwsFakes } from '../../fakes/aws/start-aws-fakes.ts';
import { mintToken } from '../../fakes/aws/web-token.ts';
import { fetchAll, fetcherWith, openFakes, podSpec, secret, settingsFor, texts } from './fetch-fixture.ts';

let fakes: AwsFakes;
const { signal } = new AbortController();
/** Nothing listens there. */
const DOWN = { ipv4: 'http://127.0.0.1:1', ipv6: 'http://[::1]:1' };

beforeAll(async () => {
  fakes = await openFakes();
  await (await fakes.seed()).secret('a', 'value a');
});

afterAll(() => fakes[Symbol.asyncDispose]());

function startAgent(host: '127.0.0.1' | '::1'): Promise<PodIdentityAgent> {
  const role = fakes.addRole('associated', []);
  return startPodIdentityAgent({
    motoUrl: inject('motoUrl'),
    gate: fakes.gate.state,
    associations: new Map([['shop/cart', role]]),
    host,
  });
}

function fetchA(
  agents: Partial<typeof DOWN>,
  addressType: AddressType,
  serviceAccount: `${string}/${string}` = 'shop/cart',
) {
  const settings = settingsFor(fakes.gate.url, { podIdentity: { ...DOWN, ...agents, timeoutMs: 300 } });
  const fetcher = fetcherWith(settings, 'unused');
  const token = mintToken(serviceAccount, { aud: ['pods.eks.amazonaws.com'] });
  const spec = podSpec([secret('a')], {
    authentication: { kind: 'pod-identity', addressType },
    tokens: new Map([['pods.eks.amazonaws.com', SecretBytes.fromText(token)]]),
  });
  return fetchAll(fetcher, spec, signal).finally(() => fetcher[Symbol.dispose]());
}

describe('gets the credentials of the association from the agent', () => {
  it.for([
    ['ipv4', '127.0.0.1'],
    ['ipv6', '::1'],
    ['auto', '127.0.0.1'],
    ['auto', '::1'],
  ] as const)('with preferredAddressType %s from an agent at %s', async ([addressType, host]) => {
    await using agent = await startAgent(host);

    const outcomes = await fetchA({ [host === '::1' ? 'ipv6' : 'ipv4']: agent.url }, addressType);

    expect(texts(outcomes)).toEqual(['value a']);
    expect(fakes.gate.state.calls.at(-1)?.role).toBe(`arn:aws:iam::${fakes.account}:role/associated`);
  });

  it('without using IPv6 when IPv4 responds', async () => {
    await using four = await startAgent('127.0.0.1');
    await using six = await startAgent('::1');

    await fetchA({ ipv4: four.url, ipv6: six.url }, 'auto');

    expect([four.count(), six.count()]).toEqual([1, 0]);
  });

  it('from IPv6 when IPv4 does not respond in time', async () => {
    await using four = await startAgent('127.0.0.1');
    await using six = await startAgent('::1');
    four.behave({ kind: 'hang' });

    expect(texts(await fetchA({ ipv4: four.url, ipv6: six.url }, 'auto'))).toEqual(['value a']);
  });

  it('although the agent is slow or throttled for a moment', async () => {
    await using agent = await startAgent('127.0.0.1');
    agent.behave({ kind: 'error', status: 500, body: 'busy' }, 1);

    expect(texts(await fetchA({ ipv4: agent.url }, 'ipv4'))).toEqual(['value a']);
    agent.behave({ kind: 'delay', ms: 150 }, 1);
    expect(texts(await fetchA({ ipv4: agent.url }, 'ipv4'))).toEqual(['value a']);
  });
});

it('treats a refusal of the agent as final, without trying another address', async () => {
  await using four = await startAgent('127.0.0.1');
  await using six = await startAgent('::1');

  await expect(fetchA({ ipv4: four.url, ipv6: six.url }, 'auto', 'shop/stranger')).rejects.toMatchObject({
    reason: 'CredentialsRefused',
    message: expect.stringMatching(
      /404: .*No association found.* \(Pod Identity association of service account shop\/cart\): create a Pod Identity association/,
    ),
  });
  expect([four.count(), six.count()]).toEqual([1, 0]);
});

it.for([
  ['Throttled', 429, 'slow down', '429: slow down'],
  ['StoreUnavailable', 503, 'sorry', '503: sorry'],
  ['StoreUnavailable', 200, '{"AccessKeyId":"x"}', 'without credentials'],
] as const)('reports %s for an agent that keeps responding with %i', async ([reason, status, body, text]) => {
  await using agent = await startAgent('127.0.0.1');
  agent.behave({ kind: 'error', status, body });

  await expect(fetchA({ ipv4: agent.url }, 'ipv4')).rejects.toMatchObject({
    reason,
    message: expect.stringContaining(text),
  });
  expect(agent.count()).toBeGreaterThanOrEqual(status === 200 ? 1 : 2);
});

it('names the addresses if no agent responds', async () => {
  await expect(fetchA({}, 'auto')).rejects.toMatchObject({
    reason: 'StoreUnavailable',
    message: expect.stringMatching(
      /does not answer \(http:\/\/127.0.0.1:1: Error: connect ECONNREFUSED.*; http:\/\/\[::1\]:1: .*\): is the eks-pod-identity-agent add-on running/,
    ),
  });
});

it('reports how long it waited for an agent that hangs', async () => {
  await using agent = await startAgent('127.0.0.1');
  agent.behave({ kind: 'hang' });

  await expect(fetchA({ ipv4: agent.url }, 'ipv4')).rejects.toMatchObject({
    reason: 'StoreUnavailable',
    message: expect.stringContaining('no answer in 300 ms'),
  });
});

it('does not read unlimited responses of an agent', async () => {
  await using agent = await startAgent('127.0.0.1');
  agent.behave({ kind: 'error', status: 200, body: ' '.repeat(100_000) });

  await expect(fetchA({ ipv4: agent.url }, 'ipv4')).rejects.toMatchObject({
    reason: 'StoreUnavailable',
    message: expect.stringContaining('too large'),
  });
});

it('never shows the token, even when the agent repeats it', async () => {
  await using agent = await startAgent('127.0.0.1');
  const token = mintToken('shop/cart', { aud: ['pods.eks.amazonaws.com'] });
  agent.behave({ kind: 'error', status: 400, body: `bad token ${token}` });

  await expect(fetchA({ ipv4: agent.url }, 'ipv4')).rejects.toMatchObject({
    message: expect.stringContaining('bad token [token]'),
  });
});
