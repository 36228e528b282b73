import type { Mutant } from './files.ts';

/** Whose permissions are used, and who is served what. */
export const OF_IDENTITY: readonly Mutant[] = [
  {
    bug: 'a namespace is no part of who asks',
    file: 'identity',
    find: 'identity.roleArn, identity.namespace, ',
    replace: 'identity.roleArn, ',
  },
  {
    bug: 'a service account is no part of who asks',
    file: 'identity',
    find: 'identity.namespace, identity.serviceAccount]',
    replace: 'identity.namespace]',
  },
  {
    bug: 'a role is no part of who asks',
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
    bug: 'a partial ARN takes the value of a secret whose ARN begins so',
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
    bug: 'a token that has ended is served from the cache',
    file: 'credentials',
    find: 'expiresAt > clock.wallNow()',
    replace: 'expiresAt >= 0',
  },
  { bug: 'versions of one secret are one and the same', file: 'sourceKey', find: 'version ?? null', replace: 'null' },
  { bug: 'labels of one secret are one and the same', file: 'sourceKey', find: 'label ?? null', replace: 'null' },
  {
    bug: 'a secret and a parameter of one name are the same',
    file: 'sourceKey',
    find: '[store, name',
    replace: '[name',
  },
  {
    bug: 'what one identity is denied is denied to all',
    file: 'deniedActions',
    find: '`${action} ${identityKey}`',
    replace: 'action',
  },
  {
    bug: 'identities share what is in the cache',
    file: 'cachedStore',
    find: '`${key} ${sourceKey(object.store, source)}`',
    replace: 'sourceKey(object.store, source) + key.slice(0, 0)',
  },
  {
    bug: 'a value outlives the refusal to read it',
    file: 'objectCache',
    find: '!isOutage',
    replace: 'isOutage',
  },
  { bug: 'pods with Pod Identity are asked for together', file: 'groups', find: '[] : [uid]', replace: '[] : []' },
  {
    bug: 'namespaces with a service account of one name are asked for together',
    file: 'groups',
    find: '[namespace, serviceAccount, ...whose',
    replace: '[serviceAccount, ...whose',
  },
  {
    bug: 'a second region is asked for what the first one refused',
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
    find: 'JSON.stringify([namespace, serviceAccount, name, uid, audience] satisfies',
    replace: "JSON.stringify([namespace, serviceAccount, name, '', audience] satisfies",
  },
  {
    bug: 'audiences share a token',
    file: 'tokenRequests',
    find: 'audiences: [audience]',
    replace: "audiences: ['sts.amazonaws.com']",
  },
];
