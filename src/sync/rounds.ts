/** Rounds of key derivation for all PFX files of one mount. A file of openssl needs 2048 per part, one of Java 10,000. */
export const MAX_ROUNDS = 20_000;

/** The rounds of one file, taken from the budget of its mount. */
export interface FileRounds {
  /** @throws RangeError if there are too few left; the file gets no more rounds then */
  take(rounds: number): void;
  /** Which budget was exceeded: what was left of the one of the `mount`, or the most that any `file` may take on its own. */
  readonly lacked: 'mount' | 'file' | undefined;
}

/** @returns a function that opens the account of one file */
export function createRoundsBudget(): () => FileRounds {
  let left = MAX_ROUNDS;
  return () => {
    let ofFile = 0;
    let lacked: FileRounds['lacked'];
    return {
      take(rounds) {
        ofFile += rounds;
        if (rounds > left || lacked !== undefined) {
          lacked ??= ofFile > MAX_ROUNDS ? 'file' : 'mount';
          throw new RangeError('too many rounds of key derivation');
        }
        left -= rounds;
      },
      get lacked() {
        return lacked;
      },
    };
  };
}
