import { quote } from '../text/quote.ts';

/*
 * Validation rules of the API server for Secrets (k8s.io/apimachinery/pkg/util/validation, ValidateSecret of kubernetes/pkg/apis/core).
 * Each function returns the problem, or undefined.
 */

const MAX_NAME = 253;
const MAX_LABEL = 63;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const DATA_KEY = /^[-._a-zA-Z0-9]+$/;
const LABEL = /^[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$/;

export const TLS_TYPE = 'kubernetes.io/tls';
export const TLS_CERTIFICATES = 'tls.crt';
const TLS_KEY = 'tls.key';

/** Groups of keys: a Secret of the type needs at least one key of each group. */
const WANTED_KEYS: ReadonlyMap<string, readonly (readonly string[])[]> = new Map([
  [TLS_TYPE, [[TLS_CERTIFICATES], [TLS_KEY]]],
  ['kubernetes.io/dockerconfigjson', [['.dockerconfigjson']]],
  ['kubernetes.io/dockercfg', [['.dockercfg']]],
  ['kubernetes.io/basic-auth', [['username', 'password']]],
  ['kubernetes.io/ssh-auth', [['ssh-privatekey']]],
]);

export function secretNameProblem(name: string): string | undefined {
  return name.length <= MAX_NAME && DNS_SUBDOMAIN.test(name)
    ? undefined
    : `must be at most ${MAX_NAME} lower-case letters, digits, "-" and ".", with a letter or digit first and last`;
}

export function dataKeyProblem(key: string): string | undefined {
  return key.length <= MAX_NAME && DATA_KEY.test(key) && key !== '.' && !key.startsWith('..')
    ? undefined
    : `must be at most ${MAX_NAME} letters, digits, "-", "_" and ".", and not begin with ".."`;
}

/** Checks the key of a label or annotation: a name, optionally after a domain and "/". */
export function qualifiedNameProblem(key: string): string | undefined {
  const [name = '', domain, ...more] = key.split('/').toReversed();
  const isSound =
    name.length <= MAX_LABEL &&
    LABEL.test(name) &&
    (domain === undefined || secretNameProblem(domain) === undefined) &&
    more.length === 0;
  return isSound
    ? undefined
    : `must be at most ${MAX_LABEL} letters, digits, "-", "_" and ".", with a letter or digit first and last, and may have a domain and a "/" before that`;
}

export function labelValueProblem(value: string): string | undefined {
  return value === '' || (value.length <= MAX_LABEL && LABEL.test(value))
    ? undefined
    : `must be empty or at most ${MAX_LABEL} letters, digits, "-", "_" and ".", with a letter or digit first and last`;
}

/** Checks that a Secret of this type may have these keys, and has the required ones. */
export function typeProblem(type: string, keys: ReadonlySet<string>): string | undefined {
  const wanted = WANTED_KEYS.get(type) ?? [];
  const missing = wanted.filter((group) => !group.some((key) => keys.has(key)));
  if (missing.length > 0) {
    return `a Secret of type ${type} needs ${missing.map((group) => `the key ${group.join(' or ')}`).join(' and ')}`;
  }
  // The driver refuses these keys, because it would not know which part of the file to use.
  const other = type === TLS_TYPE ? [...keys].find((key) => key !== TLS_CERTIFICATES && key !== TLS_KEY) : undefined;
  return other === undefined
    ? undefined
    : `a Secret of type ${type} can only have the keys ${TLS_CERTIFICATES} and ${TLS_KEY}, not ${quote(other)}`;
}
