const START = performance.now();

/** Prints one line with the seconds since the start of this process. */
export function progress(line: string): void {
  console.log(`${((performance.now() - START) / 1000).toFixed(1).padStart(6)} s  ${line}`);
}
