import { ProviderError } from '../../model/errors.ts';
import type { FetchedObject, FetchedObjects } from '../../model/fetched-object.ts';
import type { ClassSpec, ObjectSpec, Store } from '../../model/mount-spec.ts';
import type { StoreRequest } from '../model/store.ts';

/** Fetches from one region. Throws only the reason of a signal. */
export type FetchIn = (region: string, requests: readonly StoreRequest[]) => Promise<FetchedObjects>;

/**
 * Asks the second region only for objects that the first cannot return because it is down. A refusal of the first region is final, and a healthy first
 * region never waits for the second.
 * @returns all objects, in the order of the spec
 * @throws ProviderError if all objects fail for one reason
 */
export async function fetchWithFailover(
  { regions: [primary, second], objects }: Pick<ClassSpec, 'regions' | 'objects'>,
  fetchIn: FetchIn,
): Promise<FetchedObjects> {
  const requests = objects.map((object) => ({ object, source: object.primary }));
  const fetched = new Map(await fetchIn(primary, requests));
  const down = [...fetched].filter((entry): entry is [ObjectSpec, ProviderError] => isDown(entry[1]));
  if (second !== undefined && down.length > 0) {
    const again = await fetchIn(
      second,
      down.map(([object]) => ({ object, source: object.failover })),
    );
    for (const [object, failure] of down) {
      const other = again.get(object);
      fetched.set(object, other instanceof ProviderError ? inBoth(object.store, failure, other) : (other ?? failure));
    }
  }
  for (const outcome of fetched.values()) {
    // An error without an object concerns all objects, and is thrown once.
    if (outcome instanceof ProviderError && outcome.object === undefined) {
      throw outcome;
    }
  }
  return fetched;
}

function isDown(fetched: FetchedObject | ProviderError): boolean {
  return fetched instanceof ProviderError && fetched.reason === 'StoreUnavailable';
}

/** The message starts like that of AWS's provider, because users match on it. */
function inBoth(store: Store, first: ProviderError, second: ProviderError): ProviderError {
  const object = first.object ?? second.object;
  const what = store === 'secretsmanager' ? 'secret' : 'parameters';
  return new ProviderError(
    first.reason,
    `Failed to fetch ${what} from all regions: ${first.message}; ${second.message}`,
    object === undefined ? {} : { object },
  );
}
