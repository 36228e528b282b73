const MAX_QUOTED = 120;

/** A text of the user's for a message: in quotes, on one line, not endless. */
export function quote(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}
