import { badRequest } from './failure.ts';
import type { KubeObject } from './kube-object.ts';

/** Whether a list with this query holds the object. Equality is what these selectors know. */
export function selects(query: URLSearchParams, object: KubeObject): boolean {
  return (
    termsOf(query.get('labelSelector')).every(([label, value]) => object.metadata.labels?.[label] === value) &&
    termsOf(query.get('fieldSelector')).every(([path, value]) => fieldAt(object, path) === value)
  );
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
