import type { Mutant } from './files.ts';

/** Whose permissions are used, and which values are served to whom. */
export const OF_IDENTITY: readonly Mutant[] = [
  {
    bug: 'a namespace is not part of the identity',
    file: 'identity',
    find: 'identity.roleArn, identity.namespace, ',
    replace: 'identity.roleArn, ',
  },
  {
    bug: 'a service account is not part of the identity',
    file: 'identity',
    find: 'identity.namespace, identity.serviceAccount]',
    replace: 'identity.namespace]',
  },
  {
    bug: 'a role is not part of the identity',
    file: 'identity',
    find: 'identity.kind, identity.roleArn, ',
    replace: 'identity.kind, ',
  },
  {
    bug: 'pods of one service account share a Pod Identity session',
    file: 'identity',
    find: 'serviceAccount, uid]',
    replace: 'serviceAccount]',
  },
  {
    bug: 'a partial ARN gets the value of a secret whose ARN has the same beginning',
    file: 'batchOfSecrets',
    find: 'ARN === name',
    replace: 'ARN?.startsWith(name) === true',
  },
  {
    bug: "credentials of one region's STS are waited for in another",
    file: 'credentials',
    find: '`${key} ${region}` : key',
    replace: 'key : key + region',
  },
  {
    bug: 'a token of another service account is served from the cache',
    file: 'credentials',
    find: 'subject === `system:serviceaccount:${namespace}:${serviceAccount}`',
    replace: 'subject !== namespace + serviceAccount',
  },
  {
    bug: 'a token for another audience is served from the cache',
    file: 'credentials',
    find: 'audiences.includes(audience)',
    replace: 'audiences.length > 0',
  },
  {
    bug: 'an expired token is served from the cache',
    file: 'credentials',
    find: 'expiresAt > clock.wallNow()',
    replace: 'expiresAt >= 0',
  },
  { bug: 'versions of one secret have the same key', file: 'sourceKey', find: 'version ?? null', replace: 'null' },
  { bug: 'labels of one secret have the same key', file: 'sourceKey', find: 'label ?? null', replace: 'null' },
  {
    bug: 'a secret and a parameter of one name have the same key',
    file: 'sourceKey',
    find: '[store, name',
    replace: '[name',
  },
  {
    bug: 'an action that one identity is denied counts as denied to all',
    file: 'deniedActions',
    find: '`${action} ${identityKey}`',
    replace: 'action',
  },
  {
    bug: 'identities share cached values',
    file: 'cachedStore',
    find: '`${key} ${sourceKey(object.store, source)}`',
    replace: 'sourceKey(object.store, source) + key.slice(0, 0)',
    isSimulated: true,
  },
  {
    bug: 'a value stays in the cache after a denial',
    file: 'objectCache',
    find: '!isOutage',
    replace: 'isOutage',
  },
  { bug: 'pods with Pod Identity are polled together', file: 'groups', find: '[] : [uid]', replace: '[] : []' },
  {
    bug: 'namespaces with a service account of the same name are polled together',
    file: 'groups',
    find: '[namespace, serviceAccount, ...whose',
    replace: '[serviceAccount, ...whose',
  },
  {
    bug: 'a second region is used for objects that the first one refused',
    file: 'failover',
    find: "fetched.reason === 'StoreUnavailable'",
    replace: "fetched.reason !== 'Internal'",
  },
  {
    bug: "AWS's own denied action is ignored in the advice",
    file: 'advice',
    find: "denied?.['action'] ?? (",
    replace: '(',
  },
  {
    bug: 'pods of one name share a token',
    file: 'tokenRequests',
    find: 'pod.name, pod.uid, audience]',
    replace: 'pod.name, audience]',
  },
  {
    bug: 'audiences share a token',
    file: 'tokenRequests',
    find: 'audiences: [audience]',
    replace: "audiences: ['sts.amazonaws.com']",
  },
];
