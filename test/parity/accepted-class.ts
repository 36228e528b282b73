import type { Authentication, ObjectSource } from '../../src/model/mount-spec.ts';

/** A class that mounts in region us-west-2, with mode 0644 by default. */
export interface AcceptedClass {
  readonly name: string;
  readonly parameters: { readonly [parameter: string]: string };
  /** Path and mode, in order; an object's own file comes before the extracted ones. */
  readonly files: readonly (readonly [path: string, mode: number])[];
  readonly regions?: readonly string[];
  readonly authentication?: Authentication;
  /** The first object's source in each region. */
  readonly asks?: readonly ObjectSource[];
}

/** Files of the default mode. */
export function named(...paths: readonly string[]): AcceptedClass['files'] {
  return paths.map((path) => [path, 0o644]);
}
