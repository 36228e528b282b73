import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, forbiddenMetadata, forbiddenType } from './secret-policy.ts';

function of(key: string, denied: readonly string[] = ['default'], value = 'x') {
  return forbiddenMetadata('labels', key, value, { ...DEFAULT_POLICY, deniedMetadata: denied });
}

describe('forbiddenType', () => {
  it.for(['Opaque', 'kubernetes.io/tls', 'kubernetes.io/dockerconfigjson', 'example.com/own', 'nothelm.sh/x'])(
    'allows %s by default',
    (type) => {
      expect(forbiddenType(type, DEFAULT_POLICY)).toBeUndefined();
      expect(forbiddenType(type, { ...DEFAULT_POLICY, allowedTypes: ['other'] })).toContain('syncSecret.allowedTypes');
    },
  );

  it.for(['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token', 'helm.sh/release.v1', 'Helm.sh/v2'])(
    'allows %s only if it is listed',
    (type) => {
      expect(forbiddenType(type, DEFAULT_POLICY)).toContain('syncSecret.allowedTypes');
      expect(forbiddenType(type, { ...DEFAULT_POLICY, allowedTypes: ['*', type] })).toBeUndefined();
    },
  );
});

describe('forbiddenMetadata', () => {
  it.for(['app', 'owner', 'example.com/tier', 'mykubernetes.io/x', 'secrets-store.csi.k8s.io/managed'])(
    'allows %s',
    (key) => {
      expect(of(key)).toBeUndefined();
    },
  );

  it("applies the operator's settings", () => {
    expect(of('app.kubernetes.io/name')).toContain(
      '"!app.kubernetes.io" added to the setting syncSecret.deniedMetadata',
    );
    expect(of('app.kubernetes.io/name', ['default', '!app.kubernetes.io'])).toBeUndefined();
    expect(of('node.kubernetes.io/name', ['default', '!app.kubernetes.io'])).toBeDefined();
    expect(of('kubernetes.io/name', [])).toBeUndefined();
    expect(of('a.example.com/name', ['example.com'])).toBeDefined();
    expect(of('owner', [], 'helm')).toContain('syncSecret.allowedTypes');
  });
});
