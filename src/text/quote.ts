import { cutText, visible } from './visible-text.ts';

const MAX_QUOTED = 120;

/** Matches names, versions, labels and ARNs of AWS. */
const PLAIN = /^[\w/+=.@:-]+$/;

/** Quotes untrusted text for a message: on one line, bounded, with invisible characters escaped. */
export function quote(text: string, maxLength = MAX_QUOTED): string {
  return visible(JSON.stringify(cutText(text, maxLength)));
}

/** For messages of AWS's provider that users match on: an ordinary name without quotes, any other text quoted. */
export function bare(text: string): string {
  return text.length <= MAX_QUOTED && PLAIN.test(text) ? text : quote(text);
}
