import { randomBytes } from 'node:crypto';
import { ApiError } from './api-error.ts';

interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** Who signs with which access key. Signatures are not verified. */
export interface Sessions {
  open(roleName: string): SessionCredentials;
  /** @throws ApiError for a key that no session has */
  roleOf(authorization: string | undefined): string;
}

const LIFE_MS = 3_600_000;

/** AWS's session tokens are about this long, and travel with every call. */
const TOKEN_BYTES = 600;

export function createSessions(): Sessions {
  const roles = new Map<string, string>();
  const sessionToken = randomBytes(TOKEN_BYTES).toString('base64');
  return {
    open(roleName) {
      const accessKeyId = `ASIA${roles.size.toString(36).toUpperCase().padStart(16, '0')}`;
      roles.set(accessKeyId, roleName);
      return {
        accessKeyId,
        secretAccessKey: randomBytes(30).toString('base64'),
        sessionToken,
        expiration: new Date(Date.now() + LIFE_MS),
      };
    },
    roleOf(authorization) {
      const key = /Credential=([^/]+)\//.exec(authorization ?? '')?.[1];
      const role = key === undefined ? undefined : roles.get(key);
      if (role === undefined) {
        throw new ApiError('UnrecognizedClientException', 'The security token included in the request is invalid.');
      }
      return role;
    },
  };
}
