import type { Authentication } from '../../src/model/mount-spec.ts';
import { type AcceptedClass, named } from './accepted-class.ts';

const objects = '[{objectName: a, objectType: secretsmanager}]';

function podIdentity(addressType: 'ipv4' | 'ipv6' | 'auto'): Authentication {
  return { kind: 'pod-identity', addressType };
}

/** Spellings of a flag and of an address type, each with what it means. */
const authentications: readonly AcceptedClass[] = [
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((spelling) => ({ spelling, authentication: podIdentity('auto') })),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False', ''].map((spelling) => ({
    spelling,
    authentication: { kind: 'irsa' } as const,
  })),
].map(({ spelling, authentication }) => ({
  name: `usePodIdentity "${spelling}"`,
  parameters: { objects, usePodIdentity: spelling },
  files: named('a'),
  authentication,
}));

const addressTypes: readonly AcceptedClass[] = (
  [
    ['ipv4', 'ipv4'],
    ['IPv6', 'ipv6'],
    ['auto', 'auto'],
    ['', 'auto'],
    ['v4', 'auto'],
  ] as const
).map(([spelling, addressType]) => ({
  name: `preferredAddressType "${spelling}"`,
  parameters: { objects, usePodIdentity: 'true', preferredAddressType: spelling },
  files: named('a'),
  authentication: podIdentity(addressType),
}));

const translations: readonly AcceptedClass[] = (
  [
    [undefined, '/app/db/pw', '_app_db_pw'],
    ['', 'app/db', 'app_db'],
    ['_', 'app/db', 'app_db'],
    ['-', 'mypath/x', 'mypath-x'],
    ['$', 'a/b', 'a$b'],
    ['&', 'a/b/c', 'a&b&c'],
    ['.', 'a/b', 'a.b'],
    ['f', 'a/b', 'afb'],
    ['/', 'a/b', 'a/b'],
    ['False', '/app/db', 'app/db'],
    ['false', '//app/db', 'app/db'],
    ['FALSE', 'app', 'app'],
    ['False', 'x..', 'x..'],
    ['False', 'x../y', 'x../y'],
    ['False', 'a/..y', 'a/..y'],
    ['False', '.hidden/.x', '.hidden/.x'],
    [undefined, 'a/../b', 'a_.._b'],
    [undefined, 'a/..', 'a_..'],
  ] as const
).map(([pathTranslation, name, path]) => ({
  name: `pathTranslation ${pathTranslation ?? 'not given'} of ${name}`,
  parameters: {
    objects: `[{objectName: ${name}, objectType: ssmparameter}]`,
    ...(pathTranslation !== undefined && { pathTranslation }),
  },
  files: named(path),
}));

const modes: readonly AcceptedClass[] = (
  [
    ['"0600"', 0o600],
    ['"0777"', 0o777],
    ['"0000"', 0],
    ['"4755"', 0o755],
    ['"1644"', 0o644],
    ['""', 0o644],
    ['~', 0o644],
  ] as const
).map(([permission, mode]) => ({
  name: `filePermission ${permission}`,
  parameters: { objects: `[{objectName: a, objectType: secretsmanager, filePermission: ${permission}}]` },
  files: [['a', mode]],
}));

/** Values of one parameter or field, each in its several spellings. */
export const acceptedSpellings: readonly AcceptedClass[] = [
  ...authentications,
  ...addressTypes,
  ...translations,
  ...modes,
];
