export type JsonObject = Readonly<Partial<Record<string, unknown>>>;

/** Parses untrusted text. @returns an empty object if the text is not a JSON object */
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
