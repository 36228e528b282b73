/*
 * Flags of `serve`, entries of a class's `objects`, and their results.
 */

/** Polls everything every second, or a little more often. */
export const ROTATION = ['--enable-secret-rotation', '--rotation-poll-interval=1s'];
/** For effects of one of the next polls, on a busy machine. */
export const SOON = { timeout: 60_000, interval: 25 };

export function secret(objectName: string) {
  return { objectName, objectType: 'secretsmanager' } as const;
}

export function parameter(objectName: string, objectAlias: string) {
  return { objectName, objectType: 'ssmparameter', objectAlias } as const;
}
