import { AWS_FLAGS } from './flags/aws.ts';
import { CLUSTER_FLAGS } from './flags/cluster.ts';
import type { Flag, FlagTable } from './flags/flag-types.ts';
import { PROCESS_FLAGS } from './flags/process.ts';
import { ROTATION_FLAGS } from './flags/rotation.ts';
import { SECRET_FLAGS } from './flags/secrets.ts';
import { VOLUME_FLAGS } from './flags/volumes.ts';

/** Every setting of `serve`: parsing, environment, help, the README's table and the chart's test all read this table. */
const FLAGS = {
  ...VOLUME_FLAGS,
  ...CLUSTER_FLAGS,
  ...ROTATION_FLAGS,
  ...SECRET_FLAGS,
  ...PROCESS_FLAGS,
  ...AWS_FLAGS,
} as const satisfies FlagTable;

type FlagName = keyof typeof FLAGS;

/** The value of each flag; undefined for a flag with neither value nor default. */
export type FlagValues = {
  readonly [Name in FlagName]:
    | Exclude<ReturnType<(typeof FLAGS)[Name]['type']['parse']>, undefined>
    | ((typeof FLAGS)[Name] extends { readonly default: string } ? never : undefined);
};

export interface NamedFlag extends Flag {
  readonly name: string;
  readonly env: string;
}

/** All flags, in the order of the README's table. */
export const ALL_FLAGS: readonly NamedFlag[] = Object.entries<Flag>(FLAGS).map(([name, flag]) => ({
  name,
  env: name.toUpperCase().replaceAll('-', '_'),
  ...flag,
}));
