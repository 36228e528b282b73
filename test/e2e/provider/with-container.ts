import { LISTING, type Listing, readListing } from './volume-listing.ts';
import type { Scenario } from './scenario.ts';

interface WithContainer {
  readonly spec: { readonly containers: readonly [object] };
}

/** A pod, or the template of one, whose one container has other settings. */
export function withContainer(pod: object, settings: object): object {
  const { spec, ...rest } = pod as WithContainer;
  const [container] = spec.containers;
  return { ...rest, spec: { ...spec, containers: [{ ...container, ...settings }] } };
}

/** A pod that first prints the files in the volume of a class at its start, for `firstListing`. */
export function listsFirst(pod: object, className: string): object {
  return withContainer(pod, { command: ['sh', '-c', `${LISTING}; exec sleep infinity`, className] });
}

/** The files that a pod found at its start: empty if it started before its files were written. */
export async function firstListing(scenario: Scenario, pod: string): Promise<Listing> {
  return readListing(await scenario.kubectl('logs', pod));
}
