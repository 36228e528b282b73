/** Output of a command, and the signal that stops it. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  /** Aborts at the first request to stop. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** 0 success, 1 failure, 2 wrong usage. */
export type ExitCode = 0 | 1 | 2;

/** Wrong usage of a command; the message explains the correct usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
