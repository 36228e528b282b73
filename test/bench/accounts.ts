import { randomBytes, randomUUID } from 'node:crypto';

export const AWS_ACCOUNT = '123456789012';
export const REGION = 'us-east-1';

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/** Every service account has a role of its own, so that what one may read another may not. */
export function roleName({ namespace, name }: ServiceAccount): string {
  return `${namespace}.${name}`;
}

export function roleArn(account: ServiceAccount): string {
  return `arn:aws:iam::${AWS_ACCOUNT}:role/${roleName(account)}`;
}

const LIFE_S = 3_600;

/** A token as long and as filled as the kubelet's, bound to a pod; its signature is random. */
export function serviceAccountToken(
  account: ServiceAccount,
  pod: { readonly name: string; readonly uid: string },
  audience: string,
): { readonly token: string; readonly expirationTimestamp: string } {
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    aud: [audience],
    exp: now + LIFE_S,
    iat: now,
    iss: `https://oidc.eks.${REGION}.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF`,
    jti: randomUUID(),
    'kubernetes.io': {
      namespace: account.namespace,
      node: { name: 'bench-node', uid: randomUUID() },
      pod,
      serviceaccount: { name: account.name, uid: randomUUID() },
    },
    nbf: now,
    sub: `system:serviceaccount:${account.namespace}:${account.name}`,
  };
  const header = { alg: 'RS256', kid: randomBytes(20).toString('hex') };
  const parts = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  return {
    token: [...parts, randomBytes(256).toString('base64url')].join('.'),
    expirationTimestamp: new Date(claims.exp * 1_000).toISOString().replace(/\.\d+/, ''),
  };
}

/** The role of the service account that a token names, or undefined where the text is no token for this audience. */
export function roleNameOfToken(token: string, audience: string): string | undefined {
  try {
    const { sub, aud }: { sub: string; aud: readonly string[] } = JSON.parse(
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString(),
    );
    const [, , namespace, name] = sub.split(':');
    return namespace !== undefined && name !== undefined && aud.includes(audience)
      ? roleName({ namespace, name })
      : undefined;
  } catch {
    return undefined;
  }
}
