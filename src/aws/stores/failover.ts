import { ProviderError } from '../../model/errors.ts';
import type { FetchOutcome } from '../../mount/mount.ts';
import type { ClassSpec, ObjectSpec, Store } from '../../model/mount-spec.ts';
import type { StoreRequest } from '../model/store.ts';

/** What came of each object. */
export type Outcomes = ReadonlyMap<ObjectSpec, FetchOutcome>;

/**
 * Asks one region.
 * @throws ProviderError for what fails every request alike, e.g. no credentials
 */
export type FetchIn = (region: string, requests: readonly StoreRequest[]) => Promise<Outcomes>;

/**
 * The second region is for what the first cannot answer because it is down, and for nothing else: a no there is a no,
 * and a healthy first region never waits for the second, nor fails with it.
 * @returns an outcome an object, in the spec's order
 * @throws ProviderError for what fails every object alike
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

/** As `fetchIn`, but a failure of all is the outcome of each: an object is then looked at in one way only. */
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

/** Starts as AWS's provider puts it, whose messages users match on. */
function inBoth(store: Store, first: ProviderError, second: ProviderError): ProviderError {
  const object = first.object ?? second.object;
  const what = store === 'secretsmanager' ? 'secret' : 'parameters';
  return new ProviderError(
    first.reason,
    `Failed to fetch ${what} from all regions: ${first.message}; ${second.message}`,
    object === undefined ? {} : { object },
  );
}

/** A failure that names no object is one of them all: it is said once. */
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
