import { describe, expect, it } from 'vitest';
import { ProviderError } from '../model/errors.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import { parseTokens, POD_IDENTITY_AUDIENCE, STS_AUDIENCE, tokenFor } from './service-account-tokens.ts';

const BOTH = JSON.stringify({
  [STS_AUDIENCE]: { token: 'sts-token', expirationTimestamp: '2030-01-01T00:00:00Z' },
  [POD_IDENTITY_AUDIENCE]: { token: 'pod-token', expirationTimestamp: '2030-01-01T00:00:00Z' },
});

function failureOf(action: () => unknown): ProviderError | undefined {
  try {
    action();
  } catch (error) {
    return error instanceof ProviderError ? error : undefined;
  }
  return undefined;
}

describe('parseTokens', () => {
  it('gives the token of each audience', () => {
    const tokens = parseTokens(BOTH);

    expect(tokenFor(tokens, STS_AUDIENCE).exposeText()).toBe('sts-token');
    expect(tokenFor(tokens, POD_IDENTITY_AUDIENCE).exposeText()).toBe('pod-token');
  });

  it.for([undefined, '', 'null', '{}'])('reads %s as no tokens', (text) => {
    expect(parseTokens(text).size).toBe(0);
  });

  it('leaves out audiences without a token', () => {
    const tokens = parseTokens('{"a": {"token": ""}, "b": {}, "c": null, "d": "x", "__proto__": {"token": "t"}}');

    expect([...tokens.keys()]).toEqual(['__proto__']);
  });

  it.for(['junk hunter2', '["hunter2"]', '"hunter2"', '{"sts.amazonaws.com": {"token": "hunter2"}'])(
    'refuses %s without quoting it',
    (text) => {
      const error = failureOf(() => parseTokens(text));

      expect(error?.reason).toBe('InvalidRequest');
      expect(error?.cause).toBeUndefined();
      expect(error?.message).toContain('failed to unmarshal serviceAccount.tokens');
      expect(error?.message).not.toContain('hunter2');
    },
  );
});

describe('tokenFor', () => {
  it('names what the CSIDriver object lacks if there are no tokens', () => {
    const error = failureOf(() => tokenFor(new Map(), STS_AUDIENCE));

    expect(error?.reason).toBe('TokenMissing');
    for (const piece of [
      'serviceAccount.tokens not provided',
      'tokenRequests',
      'secrets-store.csi.k8s.io',
      '{audience: "sts.amazonaws.com"}',
      '"pods.eks.amazonaws.com"',
    ]) {
      expect(error?.message).toContain(piece);
    }
  });

  it.for([
    [POD_IDENTITY_AUDIENCE, 'Pod Identity token extraction'],
    [STS_AUDIENCE, 'IRSA token extraction'],
  ] as const)('names the missing audience: %s', ([audience, piece]) => {
    const error = failureOf(() => tokenFor(new Map([['other', SecretBytes.fromText('t')]]), audience));

    expect(error?.reason).toBe('TokenMissing');
    expect(error?.message).toContain(piece);
    expect(error?.message).toContain(`{audience: "${audience}"}`);
  });
});
