import { hash } from 'node:crypto';

/** One version of a secret or parameter. */
export interface SecretVersion {
  /** As Secrets Manager makes them; a parameter's version is `generation + 1`. */
  readonly id: string;
  readonly value: string;
}

/**
 * What a secret holds after so many rotations. Worked out of its name alone, so that the stand-in needs no set-up and the
 * check of a mounted file no look-up.
 * @param bytes length of the value
 */
export function secretVersion(name: string, generation: number, bytes: number): SecretVersion {
  const digest = hash('sha256', `${name}#${generation}`);
  return {
    id: digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5'),
    value: digest.repeat(Math.ceil(bytes / digest.length)).slice(0, bytes),
  };
}

/** The role that may read a secret: names are `bench/<role>/<word>`, a parameter's with a slash before. Undefined: no such secret. */
export function ownerOf(name: string): string | undefined {
  return /^\/?bench\/([^/]+)\/[^/]+$/.exec(name)?.[1];
}
