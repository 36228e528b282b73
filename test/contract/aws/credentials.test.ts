import { describe, expect, it } from 'vitest';
import { ProviderError } from '../../../src/model/errors.ts';
import { SecretBytes } from '../../../src/model/secret-bytes.ts';
import { OUTAGE, THROTTLED } from '../../fakes/aws/faults.ts';
import { mintToken } from '../../fakes/aws/web-token.ts';
import { NO_MEMORY, fetchAll, newFetcher, podSpec, secret, settingsFor, texts, useFetcher } from './fetch-fixture.ts';

const { signal } = new AbortController();
const ASSUME = { action: 'sts:AssumeRoleWithWebIdentity' };
const aws = useFetcher(async (fakes) => {
  await (await fakes.seed()).secret('a', 'value a');
});

function withToken(token: string) {
  return podSpec([secret('a'), secret('b')], { tokens: new Map([['sts.amazonaws.com', SecretBytes.fromText(token)]]) });
}

it('assumes the role of the service account, with a session name that identifies it', async () => {
  await fetchAll(aws.fetcher, podSpec([secret('a')]), signal);

  const [assume, get] = aws.fakes.gate.state.calls.slice(-2);
  expect(assume).toMatchObject({
    ...ASSUME,
    role: `arn:aws:iam::${aws.fakes.account}:role/reader`,
    sessionName: 'shop.cart',
  });
  expect(get).toMatchObject({ action: 'secretsmanager:GetSecretValue', sessionName: 'shop.cart' });
  expect(assume?.userAgent).toContain('app/aws-secrets-csi-test');
});

describe('a refusal of STS fails the mount once, and names the remedy', () => {
  it.for<readonly [string, () => string, string]>([
    ['an expired token', () => mintToken('shop/cart', { exp: 1 }), 'requiresRepublish'],
    ['a token for someone else', () => mintToken('shop/cart', { aud: ['vault'] }), 'tokenRequests of the CSIDriver'],
    [
      'a cluster that the account does not know',
      () => mintToken('shop/cart', { iss: 'https://x' }),
      'IAM OIDC provider',
    ],
    ['no token at all', () => 'not a token', 'IAM OIDC provider'],
    [
      'a role that does not trust the service account',
      () => mintToken('shop/other'),
      'must allow sts:AssumeRoleWithWebIdentity to system:serviceaccount:shop:cart with audience sts.amazonaws.com',
    ],
  ])('%s', async ([, token, remedy]) => {
    const spec = withToken(token());

    const failure = await fetchAll(aws.fetcher, spec, signal).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(ProviderError);
    expect(failure).toMatchObject({ reason: 'CredentialsRefused', object: undefined });
    expect(failure).not.toHaveProperty('cause');
    expect(String(failure)).toContain(`Failed to assume role arn:aws:iam::${aws.fakes.account}:role/reader: 40`);
    expect(String(failure)).toContain(remedy);
    expect(String(failure)).not.toContain(spec.tokens.get('sts.amazonaws.com')?.exposeText());
  });
});

it.for([
  ['Throttled', THROTTLED],
  ['StoreUnavailable', OUTAGE],
] as const)('reports %s of STS, once for the mount', async ([reason, fault]) => {
  using _ = aws.fakes.gate.state.inject(fault, ASSUME);

  await expect(fetchAll(aws.fetcher, podSpec([secret('a'), secret('b')]), signal)).rejects.toMatchObject({ reason });
});

it('makes no call if the request has no token', async () => {
  const before = aws.fakes.gate.state.count();

  await expect(fetchAll(aws.fetcher, podSpec([secret('a')], { tokens: new Map() }), signal)).rejects.toMatchObject({
    reason: 'TokenMissing',
  });
  expect(aws.fakes.gate.state.count()).toBe(before);
});

it('reports why there is no role', async () => {
  const missing = new ProviderError('RoleMissing', 'no role');
  using roleless = newFetcher({
    settings: settingsFor(aws.fakes.gate.url),
    roleOf: () => Promise.reject(missing),
    limits: NO_MEMORY,
  });

  await expect(fetchAll(roleless, podSpec([secret('a')]), signal)).rejects.toBe(missing);
});

it('gives each pod its own permissions', async () => {
  const seed = await aws.fakes.seed();
  await Promise.all([seed.secret('of-cart', 'c'), seed.secret('of-pay', 'p')]);
  const roles = ['cart', 'pay'].map((name) =>
    aws.fakes.addRole(
      name,
      [`shop/${name}`],
      [{ actions: ['secretsmanager:GetSecretValue'], resources: [`*:secret:of-${name}-*`] }],
    ),
  );
  using both = newFetcher({
    limits: NO_MEMORY,
    settings: settingsFor(aws.fakes.gate.url),
    roleOf: ({ serviceAccount }) => Promise.resolve(roles[serviceAccount === 'cart' ? 0 : 1]!),
  });
  const specs = ['cart', 'pay'].map((name) =>
    podSpec([secret('of-cart'), secret('of-pay')], {
      pod: { namespace: 'shop', name, uid: name, serviceAccount: name },
      tokens: new Map([['sts.amazonaws.com', SecretBytes.fromText(mintToken(`shop/${name}`))]]),
    }),
  );

  const [cart, pay] = await Promise.all(specs.map((spec) => fetchAll(both, spec, signal)));

  expect(texts([cart![0]!, pay![1]!])).toEqual(['c', 'p']);
  expect([cart![1], pay![0]]).toMatchObject([{ reason: 'AccessDenied' }, { reason: 'AccessDenied' }]);
});
