import { bare } from '../../text/quote.ts';
import { cutText, visible } from '../../text/visible-text.ts';

/** The safe part of an SDK error. The error itself contains the request with its session token and the response with its body. */
export interface Fault {
  /** An error that AWS sent, a response that cannot be read, or no response. */
  readonly kind: 'answer' | 'unreadable' | 'network';
  /** The error code of AWS or of Node; may be empty. */
  readonly code: string;
  /** One line, short enough for an event. */
  readonly text: string;
  readonly status?: number;
  readonly requestId?: string;
}

/** AWS's messages may quote whole policies; a Kubernetes event has at most 1024 bytes. */
const MAX_TEXT = 400;

/** @returns undefined if the error comes neither from AWS nor from the network */
export function readFault(thrown: unknown): Fault | undefined {
  if (!(thrown instanceof Error)) {
    return undefined;
  }
  const { $metadata, $fault, code, syscall } = thrown as Error & SdkFields;
  const { httpStatusCode: status, requestId } = $metadata ?? {};
  const answer = { ...(status !== undefined && { status }), ...(requestId !== undefined && { requestId }) };
  // Every error of AWS has `$fault`, but its value is useless: it is "client" for throttling and outages too. An error without a body is "UnknownError".
  if ($fault !== undefined && thrown.message !== 'UnknownError') {
    return { kind: 'answer', code: thrown.name, text: oneLine(thrown.message), ...answer };
  }
  // The SDK calls resets TimeoutError too, and gives its own timeouts the code of a connection that the kernel gave up.
  if (typeof code === 'string' && (code !== 'ETIMEDOUT' || syscall !== undefined)) {
    return { kind: 'network', code, text: oneLine(thrown.message || code) };
  }
  if (thrown.name === 'TimeoutError') {
    const missing = thrown.message.includes('establish a connection') ? 'connection' : 'answer';
    return { kind: 'network', code: thrown.name, text: `no ${missing} in time` };
  }
  if (status !== undefined) {
    // The message of a parser quotes the body, which may contain a secret.
    return { kind: 'unreadable', code: thrown.name, text: 'a response that is not from AWS', ...answer };
  }
  return undefined;
}

/** Beginning of a message: what failed, and what AWS said. */
export function faultText(doing: string, { kind, status, code, text }: Fault, region = ''): string {
  const parts = [doing, status ?? '', region, kind === 'answer' && code !== '' ? bare(code) : '', text];
  return parts.filter((part) => part !== '').join(': ');
}

/** Makes text from outside safe for a message: one line, bounded, without passwords in URLs. */
export function oneLine(text: string): string {
  // Shortened before processing, because it may have any length, and again after that, because escapes make it longer.
  const line = cutText(text, 8 * MAX_TEXT)
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .replaceAll(/\/\/[^/@\s]*@/g, '//')
    .trim();
  return cutText(visible(line), MAX_TEXT);
}

interface SdkFields {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $fault?: string;
  readonly code?: unknown;
  readonly syscall?: unknown;
}
