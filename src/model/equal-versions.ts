export function areEqualVersions(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([file, version]) => other.get(file) === version);
}
