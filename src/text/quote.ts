import { cutText, visible } from './visible-text.ts';

const MAX_QUOTED = 120;

/** Names, versions, labels and ARNs as AWS writes them. */
const PLAIN = /^[\w/+=.@:-]+$/;

/** A text of the user's for a message: in quotes, on one line, all of it seen, not endless. */
export function quote(text: string, maxLength = MAX_QUOTED): string {
  return visible(JSON.stringify(cutText(text, maxLength)));
}

/** Where AWS's provider says a name without quotes, and users match on that: as it is where it is an ordinary name, else quoted. */
export function bare(text: string): string {
  return text.length <= MAX_QUOTED && PLAIN.test(text) ? text : quote(text);
}
