import type { TimeSlices } from '../concurrency/time-slices.ts';
import type { ClassSpec } from '../model/mount-spec.ts';
import { type ClassContext, type ClassResult, parseClassSteps } from '../class/parse-class.ts';

/**
 * Reads classes, as `parseClass`, and lets the event loop in.
 * @param key who the class is read for
 * @throws the signal's reason
 */
export type ClassReader = (
  parameters: ReadonlyMap<string, string>,
  context: ClassContext,
  key: string,
  signal: AbortSignal,
) => Promise<ClassResult>;

interface Remembered {
  readonly result: ClassResult;
  readonly size: number;
}

/** In characters; what is made of a text takes about ten times its room. */
const MAX_SIZE = 512 * 1024;

/** Remembers what it has read: all pods of a deployment send the same text, and each sends it again every minute or two. */
export function createClassReader(slices: TimeSlices, maxSize: number = MAX_SIZE): ClassReader {
  // In order of use, the oldest first.
  const classes = new Map<string, Remembered>();
  let total = 0;

  function remember(text: string, remembered: Remembered): void {
    classes.set(text, remembered);
    total += remembered.size;
    for (const [oldest, { size }] of classes) {
      if (total <= maxSize) {
        return;
      }
      classes.delete(oldest);
      total -= size;
    }
  }

  return async (parameters, context, key, signal) => {
    const text = JSON.stringify([context.region, context.mode, ...parameters]);
    const known = classes.get(text);
    if (known !== undefined) {
      classes.delete(text);
      classes.set(text, known);
      return known.result;
    }
    const result = await slices.run(key, parseClassSteps(parameters, context), signal);
    if (result.ok && !classes.has(text)) {
      remember(text, { result, size: Math.max(text.length, sizeOf(result.spec)) });
    }
    return result;
  };
}

/** In the same measure as a text: with aliases a short one makes much. */
function sizeOf({ objects }: ClassSpec): number {
  return objects
    .flatMap((object) => [object, ...object.extractions])
    .reduce((sum, { path }) => sum + 32 + Math.ceil(path.length / 4), 0);
}
