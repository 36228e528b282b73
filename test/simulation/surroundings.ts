import type { VirtualClock } from '../fakes/virtual-clock.ts';
import type { Random } from '../fakes/random.ts';
import type { ApiServerModel } from './api-server-model.ts';
import type { AwsModel } from './aws-model.ts';

/** What every part of a simulated cluster can reach. */
export interface Surroundings {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly aws: AwsModel;
  readonly api: ApiServerModel;
  /** Adds a line to the story. */
  tell(line: string): void;
}
