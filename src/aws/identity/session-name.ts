import { createHash } from 'node:crypto';

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html, RoleSessionName */
const MAX_LENGTH = 64;
const HASH_LENGTH = 8;

/** `<namespace>.<service-account>` in the characters that STS allows, so that CloudTrail shows who read a secret. A hash keeps shortened names unique. */
export function sessionName(namespace: string, serviceAccount: string): string {
  const full = `${namespace}.${serviceAccount}`;
  const allowed = full.replaceAll(/[^\w+=,.@-]/g, '-');
  if (allowed === full && full.length <= MAX_LENGTH) {
    return full;
  }
  const hash = createHash('sha256').update(full).digest('hex').slice(0, HASH_LENGTH);
  const room = MAX_LENGTH - HASH_LENGTH - 2;
  const spared = room - Math.min(serviceAccount.length, room / 2);
  const first = allowed.slice(0, Math.min(namespace.length, spared));
  const second = allowed.slice(namespace.length + 1).slice(0, room - first.length);
  return `${first}.${second}-${hash}`;
}
