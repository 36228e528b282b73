import { isDeepStrictEqual } from 'node:util';
import { invalid, type Wrong } from './failure.ts';
import type { KubeObject } from './kube-object.ts';

const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
};

const FORBIDDEN = {
  reason: 'FieldValueForbidden',
  message: 'Forbidden: field is immutable when `immutable` is set',
} as const;

/** The API server's validation of a Secret. @throws Failure 422 */
export function checkSecret(next: KubeObject, stored: KubeObject | undefined): void {
  const data = (next['data'] ?? {}) as Readonly<Record<string, string>>;
  const type = String(next['type']);
  const wrong: Wrong[] = [];
  for (const key of Object.keys(data).filter((name) => !/^[-._a-zA-Z0-9]+$/.test(name))) {
    wrong.push({
      field: `data[${key}]`,
      reason: 'FieldValueInvalid',
      message: `Invalid value: "${key}": a valid config key must consist of alphanumeric characters, '-', '_' or '.'`,
    });
  }
  for (const key of (REQUIRED_KEYS[type] ?? []).filter((name) => !Object.hasOwn(data, name))) {
    wrong.push({ field: `data[${key}]`, reason: 'FieldValueRequired', message: 'Required value' });
  }
  if (stored !== undefined && stored['type'] !== type) {
    wrong.push({ field: 'type', reason: 'FieldValueInvalid', message: `Invalid value: "${type}": field is immutable` });
  }
  if (stored?.['immutable'] === true) {
    const changed = ['immutable', 'data'].filter((field) => !isDeepStrictEqual(next[field] ?? {}, stored[field] ?? {}));
    wrong.push(...changed.map((field) => ({ field, ...FORBIDDEN })));
  }
  const [first, ...more] = wrong;
  if (first !== undefined) {
    throw invalid('Secret', next.metadata.name, [first, ...more]);
  }
}
