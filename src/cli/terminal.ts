/** Where a command's words go, and who may stop it. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  /** Aborts at the first request to stop. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a command comes to: done, failed, or called wrongly. */
export type ExitCode = 0 | 1 | 2;

/** The command was called wrongly; its message says how to call it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
