import { expect, it } from 'vitest';
import { type AgentIdentity, identityKey, type RoleIdentity } from './identity.ts';

const ROLE: RoleIdentity = {
  kind: 'irsa',
  roleArn: 'arn:aws:iam::111122223333:role/shop',
  namespace: 'shop',
  serviceAccount: 'web',
};
const POD = { namespace: 'shop', name: 'web-1', uid: 'uid-1', serviceAccount: 'web' } as const;
const AGENT: AgentIdentity = { kind: 'pod-identity', pod: POD };

it('is equal for equal identities', () => {
  expect(identityKey({ ...ROLE })).toBe(identityKey(ROLE));
  expect(identityKey({ ...AGENT, pod: { ...POD } })).toBe(identityKey(AGENT));
});

it.for([
  ['another role', ROLE, { ...ROLE, roleArn: 'arn:aws:iam::111122223333:role/other' }],
  ['the same role and name in another namespace', ROLE, { ...ROLE, namespace: 'other' }],
  ['another service account of the role', ROLE, { ...ROLE, serviceAccount: 'other' }],
  [
    'parts that are put together otherwise',
    { ...ROLE, namespace: 'a', serviceAccount: 'b/c' },
    { ...ROLE, namespace: 'a/b', serviceAccount: 'c' },
  ],
  ['Pod Identity in another namespace', AGENT, { ...AGENT, pod: { ...POD, namespace: 'other' } }],
  ['another service account with Pod Identity', AGENT, { ...AGENT, pod: { ...POD, serviceAccount: 'other' } }],
  ['another pod of that name, whose session has other tags', AGENT, { ...AGENT, pod: { ...POD, uid: 'uid-2' } }],
] as const)('is not equal for %s', ([, one, other]) => {
  expect(identityKey(one)).not.toBe(identityKey(other));
});
