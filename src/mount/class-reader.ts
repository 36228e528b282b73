import { createCache } from '../concurrency/cache.ts';
import type { Clock } from '../concurrency/clock.ts';
import type { Party } from '../concurrency/fair-queue.ts';
import type { TimeSlices } from '../concurrency/time-slices.ts';
import type { ClassSpec } from '../model/mount-spec.ts';
import { type ClassContext, type ClassResult, parseClassSteps } from '../class/parse-class.ts';

/**
 * Parses classes like `parseClass`, in time slices.
 * @param party for whom the class is parsed, for fair queueing
 * @throws the signal's reason
 */
export type ClassReader = (
  parameters: ReadonlyMap<string, string>,
  context: ClassContext,
  party: Party,
  signal: AbortSignal,
) => Promise<ClassResult>;

/** Characters; a parsed class takes about ten times as many bytes. */
const MAX_SIZE = 512 * 1024;

/** Caches parsed classes, because all pods of a Deployment send the same text, each of them every minute or two. */
export function createClassReader(slices: TimeSlices, clock: Clock, maxSize: number = MAX_SIZE): ClassReader {
  const classes = createCache<Extract<ClassResult, { readonly ok: true }>>(clock, {
    maxSize,
    sizeOf: ({ spec }, text) => Math.max(text.length, sizeOf(spec)),
  });

  return async (parameters, context, party, signal) => {
    const text = JSON.stringify([context.region, context.mode, ...parameters]);
    const known = classes.get(text);
    if (known !== undefined) {
      return known;
    }
    const result = await slices.run(party, parseClassSteps(parameters, context), signal);
    if (result.ok) {
      classes.set(text, result);
    }
    return result;
  };
}

/** Size of a parsed class in characters; with YAML aliases a short text can become large. */
function sizeOf({ objects }: ClassSpec): number {
  return objects
    .flatMap((object) => [object, ...object.extractions])
    .reduce((sum, { path }) => sum + 32 + Math.ceil(path.length / 4), 0);
}
