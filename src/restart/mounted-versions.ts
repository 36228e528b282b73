/** The versions that a workload's pods mount in one volume, as the annotation on the workload records them. */
export interface MountedVersions {
  /** Name of the SecretProviderClass. */
  readonly className: string;
  /** Hash of the versions by file. */
  readonly hash: string;
  /** Wall clock in milliseconds: when AWS confirmed the versions. */
  readonly confirmedAt: number;
}

/**
 * Reads the annotation `mounted-versions`: JSON, by volume.
 * @returns only the entries that can be read: a user may have edited the annotation, and the others are written again
 */
export function readMountedVersions(text: string | undefined): ReadonlyMap<string, MountedVersions> {
  const value = parseJson(text ?? '');
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return new Map(
    entries.flatMap(([volume, entry]: readonly [string, unknown]) => {
      const read = readEntry(entry);
      return read === undefined ? [] : [[volume, read] as const];
    }),
  );
}

export function writeMountedVersions(mounted: ReadonlyMap<string, MountedVersions>): string {
  const entries = [...mounted].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify(
    Object.fromEntries(
      entries.map(([volume, { className, hash, confirmedAt }]) => [
        volume,
        { className, hash, asOf: new Date(confirmedAt).toISOString() },
      ]),
    ),
  );
}

function readEntry(entry: unknown): MountedVersions | undefined {
  if (typeof entry !== 'object' || entry === null) {
    return undefined;
  }
  const { className, hash, asOf } = entry as Readonly<Record<string, unknown>>;
  const time = typeof asOf === 'string' ? Date.parse(asOf) : Number.NaN;
  return typeof className === 'string' && typeof hash === 'string' && !Number.isNaN(time)
    ? { className, hash, confirmedAt: time }
    : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
