import { cutText, visible } from '../../text/visible-text.ts';

/** What went wrong with a call, and nothing else: an SDK's error holds on to the request with its session token and to the answer with its body. */
export interface Fault {
  /** An error that AWS sent, an answer that is none, or no answer. */
  readonly kind: 'answer' | 'unreadable' | 'network';
  /** AWS's error code as it was sent, or Node's; empty where the text says it all. */
  readonly code: string;
  /** One line, cut to what an event can carry. */
  readonly text: string;
  readonly status?: number;
  readonly requestId?: string;
}

/** AWS's own messages may list whole policies; a Kubernetes event takes 1024 bytes. */
const MAX_TEXT = 400;

/** @returns nothing for what comes neither from AWS nor from the network */
export function readFault(thrown: unknown): Fault | undefined {
  if (!(thrown instanceof Error)) {
    return undefined;
  }
  const { $metadata, $fault, code, syscall } = thrown as Error & SdkFields;
  const { httpStatusCode: status, requestId } = $metadata ?? {};
  const answer = { ...(status !== undefined && { status }), ...(requestId !== undefined && { requestId }) };
  // Modelled or not, an error of AWS has `$fault`, which says "client" of throttling and outages too; one without a body is "UnknownError".
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
    // A parser's message quotes the body, which may be a secret's.
    return { kind: 'unreadable', code: thrown.name, text: "an answer that is not AWS's", ...answer };
  }
  return undefined;
}

/** A text from outside as part of a message: one line, bounded, without passwords of URLs. */
export function oneLine(text: string): string {
  // Cut before it is gone through, as it may be of any length; then again, as what is not seen is written out.
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
