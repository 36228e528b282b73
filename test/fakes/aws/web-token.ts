/** Claims of a Kubernetes service-account token that STS and the Pod Identity agent check. */
export interface WebToken {
  readonly iss: string;
  /** `system:serviceaccount:<namespace>:<name>` */
  readonly sub: string;
  readonly aud: readonly string[];
  /** Seconds since 1970. */
  readonly exp: number;
}

export const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE';

/** A token like the kubelet's, except for its signature, which the emulators do not verify. */
export function mintToken(serviceAccount: `${string}/${string}`, claims: Partial<Omit<WebToken, 'sub'>> = {}): string {
  const payload = {
    iss: ISSUER,
    sub: `system:serviceaccount:${serviceAccount.replace('/', ':')}`,
    aud: ['sts.amazonaws.com'],
    exp: Math.floor(Date.now() / 1000) + 3600,
    ...claims,
  };
  return [{ alg: 'RS256', kid: 'test' }, payload].map(encode).concat('c2lnbmF0dXJl').join('.');
}

/** @returns undefined for a text that is not a token */
export function readToken(token: string): WebToken | undefined {
  try {
    const { aud, ...claims } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return { ...claims, aud: [aud].flat() };
  } catch {
    return undefined;
  }
}

/** `namespace/name` of the service account. */
export function subjectOf({ sub }: WebToken): string {
  return sub.split(':').slice(2).join('/');
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
