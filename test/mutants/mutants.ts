import type { Mutant } from './files.ts';
import { OF_IDENTITY } from './identity.ts';
import { OF_OWNERSHIP } from './ownership.ts';
import { OF_TIME } from './time.ts';
import { OF_WRITING } from './writing.ts';

export const MUTANTS: readonly Mutant[] = [...OF_IDENTITY, ...OF_TIME, ...OF_WRITING, ...OF_OWNERSHIP];
