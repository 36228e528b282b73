/*
 * Flags of `serve`, entries of a class's `objects`, and what they come to.
 */

/** Looks at everything every second, or a little oftener. */
export const ROTATION = ['--enable-secret-rotation', '--rotation-poll-interval=1s'];
/** For whatever comes with one of the next looks, on a machine that is busy. */
export const SOON = { timeout: 60_000, interval: 25 };

export function secret(objectName: string) {
  return { objectName, objectType: 'secretsmanager' } as const;
}

export function parameter(objectName: string, objectAlias: string) {
  return { objectName, objectType: 'ssmparameter', objectAlias } as const;
}
