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

/** A pod that at its start first writes down what it finds in the volume of a class, as `firstLook` reads it. */
export function looksFirst(pod: object, className: string): object {
  return withContainer(pod, { command: ['sh', '-c', `${LISTING}; exec sleep infinity`, className] });
}

/** What a pod found at its start: had it started before its files were there, this would be empty. */
export async function firstLook(scenario: Scenario, pod: string): Promise<Listing> {
  return readListing(await scenario.kubectl('logs', pod));
}
