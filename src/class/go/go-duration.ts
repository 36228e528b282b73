const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * A duration without a sign, as Go's `time.ParseDuration` reads it ("1.5s", "2m30s", "100ms"), in milliseconds.
 * @returns undefined for anything else
 */
export function parseGoDuration(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/gy)];
  const matched = parts.map(([part]) => part).join('');
  return text === '' || matched !== text
    ? undefined
    : parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS[unit ?? ''] ?? 0), 0);
}
