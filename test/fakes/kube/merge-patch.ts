type Json = Readonly<Record<string, unknown>>;

/** RFC 7386: maps are merged, null removes, anything else replaces. */
export function mergePatch(target: unknown, patch: Json): Json {
  const merged: Record<string, unknown> = isMap(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      delete merged[key];
    } else {
      merged[key] = isMap(value) ? mergePatch(merged[key], value) : value;
    }
  }
  return merged;
}

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
