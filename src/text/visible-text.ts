/** Characters that are not seen, or that change how what follows is seen: controls, line ends, zero-width and direction marks, halves of pairs. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** A text on one line, in which everything is seen: what is not is written as JSON's escapes, so nothing in it can be taken for another line. */
export function visible(text: string): string {
  return text.replaceAll(UNSEEN, (character) =>
    character === '\n'
      ? String.raw`\n`
      : Array.from({ length: character.length }, (_, index) => escape(character.charCodeAt(index))).join(''),
  );
}

/** At most that many UTF-16 units, with "…" where something is left out; no character is cut in two. */
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
