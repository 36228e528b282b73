import { type ClassContext, type ClassResult, parseClass } from '../spec/parse-class.ts';

/** Reads classes, as `parseClass`. */
export type ClassReader = (parameters: ReadonlyMap<string, string>, context: ClassContext) => ClassResult;

interface Remembered {
  readonly result: ClassResult;
  readonly size: number;
}

/** In characters; what is made of a text takes about ten times its room. */
const MAX_SIZE = 512 * 1024;

/** Remembers what it has read: all pods of a deployment send the same text, and each sends it again every minute or two. */
export function createClassReader(maxSize: number = MAX_SIZE): ClassReader {
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

  return (parameters, context) => {
    const text = JSON.stringify([context.region, context.mode, ...parameters]);
    const known = classes.get(text);
    if (known !== undefined) {
      classes.delete(text);
      classes.set(text, known);
      return known.result;
    }
    const result = parseClass(parameters, context);
    if (result.ok) {
      remember(text, { result, size: text.length });
    }
    return result;
  };
}
