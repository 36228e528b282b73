/** Rounds of key derivation that the PFX files of one mount may take together: openssl makes a file with 2048 a part, Java one with 10,000. */
export const MAX_ROUNDS = 20_000;

/** What one file may take: all its parts together, from what its mount has left. */
export interface FileRounds {
  /** @throws RangeError where they are too many; then it gets none any more */
  take(rounds: number): void;
  /** Whether it wanted more than there were: than `mount` had left, or than any `file` may take, however few the others do. */
  readonly lacked: 'mount' | 'file' | undefined;
}

/** @returns makes the share of one file */
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
