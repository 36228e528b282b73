export type JsonObject = Readonly<Partial<Record<string, unknown>>>;

/** What a text of somebody else's holds, if it is a JSON object; else nothing. */
export function parseJsonObject(text: string): JsonObject {
  try {
    return asJsonObject(JSON.parse(text));
  } catch {
    return {};
  }
}

export function asJsonObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
