import { badRequest } from './failure.ts';
import type { KubeObject } from './kube-object.ts';

/**
 * Selects the objects of a list with this query. These selectors support only equality.
 * @throws Failure 400 for anything else
 */
export function selectorOf(query: URLSearchParams): (object: KubeObject) => boolean {
  const labels = termsOf(query.get('labelSelector'));
  const fields = termsOf(query.get('fieldSelector'));
  return (object) =>
    labels.every(([label, value]) => object.metadata.labels?.[label] === value) &&
    fields.every(([path, value]) => fieldAt(object, path) === value);
}

function termsOf(selector: string | null): readonly (readonly [string, string])[] {
  return (selector ?? '')
    .split(',')
    .filter((term) => term !== '')
    .map((term) => {
      const [, key, value] = /^([^=!\s]+)={1,2}([^=!\s]*)$/.exec(term) ?? [];
      if (key === undefined || value === undefined) {
        throw badRequest(`unable to parse requirement: ${term}`);
      }
      return [key, value] as const;
    });
}

function fieldAt(object: KubeObject, path: string): unknown {
  let place: unknown = object;
  for (const step of path.split('.')) {
    place = (place as Readonly<Record<string, unknown>> | undefined)?.[step];
  }
  return place;
}
