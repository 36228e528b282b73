import { ProviderError } from '../../model/errors.ts';
import type { FetchOutcome } from '../../mount/mount.ts';
import type { ClassSpec, ObjectSpec, Store } from '../../model/mount-spec.ts';
import type { StoreRequest } from '../model/store.ts';

/** A value or an error for each object. */
export type Outcomes = ReadonlyMap<ObjectSpec, FetchOutcome>;

/**
 * Fetches from one region.
 * @throws ProviderError if all requests fail for one reason, such as missing credentials
 */
export type FetchIn = (region: string, requests: readonly StoreRequest[]) => Promise<Outcomes>;

/**
 * Asks the second region only for objects that the first cannot return because it is down. A refusal of the first region is final, and a healthy first
 * region never waits for the second.
 * @returns one outcome per object, in the order of the spec
 * @throws ProviderError if all objects fail for one reason
 */
export async function fetchWithFailover(
  { regions: [primary, second], objects }: Pick<ClassSpec, 'regions' | 'objects'>,
  fetchIn: FetchIn,
): Promise<readonly FetchOutcome[]> {
  const outcomes = new Map(
    await outcomesOf(
      fetchIn,
      primary,
      objects.map((object) => ({ object, source: object.primary })),
    ),
  );
  const down = [...outcomes].filter((entry): entry is [ObjectSpec, ProviderError] => isDown(entry[1]));
  if (second !== undefined && down.length > 0) {
    const requests = down.map(([object]) => ({ object, source: object.failover }));
    const again = await outcomesOf(fetchIn, second, requests);
    for (const [object, failure] of down) {
      const outcome = again.get(object);
      outcomes.set(
        object,
        outcome instanceof ProviderError ? inBoth(object.store, failure, outcome) : (outcome ?? failure),
      );
    }
  }
  return inOrder(objects, outcomes);
}

/** Like `fetchIn`, but an error that concerns all requests becomes the outcome of each. */
async function outcomesOf(fetchIn: FetchIn, region: string, requests: readonly StoreRequest[]): Promise<Outcomes> {
  try {
    return await fetchIn(region, requests);
  } catch (error) {
    const failure = ProviderError.from(error);
    return new Map(requests.map(({ object }) => [object, failure]));
  }
}

function isDown(outcome: FetchOutcome): boolean {
  return outcome instanceof ProviderError && outcome.reason === 'StoreUnavailable';
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

/** An error without an object concerns all objects, and is thrown once. */
function inOrder(objects: readonly ObjectSpec[], outcomes: Outcomes): readonly FetchOutcome[] {
  return objects.map((object) => {
    const outcome = outcomes.get(object);
    if (outcome === undefined) {
      throw new TypeError('a store gave no outcome for an object');
    }
    if (outcome instanceof ProviderError && outcome.object === undefined) {
      throw outcome;
    }
    return outcome;
  });
}
