/** Characters that are invisible or change how text is displayed: controls, line ends, zero-width and direction marks, lone surrogates. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Escapes invisible characters as in JSON, so that the text stays on one line and cannot forge another. */
export function visible(text: string): string {
  return text.replaceAll(UNSEEN, (character) =>
    character === '\n'
      ? String.raw`\n`
      : Array.from({ length: character.length }, (_, index) => escape(character.charCodeAt(index))).join(''),
  );
}

/** Shortens a text to this many UTF-16 units, with "…" at the end, without splitting a character. */
export function cutText(text: string, maxLength: number): string {
  if (text.length <= maxLength) {
    return text;
  }
  const cut = text.slice(0, maxLength - 1);
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

function escape(unit: number): string {
  return String.raw`\u${unit.toString(16).padStart(4, '0')}`;
}
