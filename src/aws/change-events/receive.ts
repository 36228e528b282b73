import { type Clock, SYSTEM_CLOCK } from '../../concurrency/clock.ts';
import { ProviderError } from '../../model/errors.ts';
import { clientConfig } from '../client/client-config.ts';
import type { AwsSettings } from '../client/settings.ts';
import { openTransport } from '../client/transport.ts';
import { type ChangeEvent, parseChangeEvents } from './parse-event.ts';
import { queueAddress } from './queue-address.ts';
import { queueError } from './queue-error.ts';

export interface EventOptions {
  readonly queueUrl: string;
  readonly settings: AwsSettings;
  readonly clock?: Clock;
  onEvents(notices: readonly ChangeEvent[]): void;
  /** The queue cannot be read; once, until it can be or the reason is another. */
  onTrouble(error: ProviderError): void;
  /** It can be read again. */
  onRecovery(): void;
  /** Milliseconds to wait where the queue holds known messages only. */
  readonly repeatMs?: number;
  /** Milliseconds to wait after a first failure; doubled with each further one. */
  readonly retryMs?: number;
}

/** The longest that SQS keeps a request waiting for a message. */
const WAIT_SECONDS = 20;
const REPEAT_MS = 2_000;
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/** A queue that is flooded must not make this process do nothing else. */
const PAUSE_MS = 100;

/** Above what comes in the few minutes for which the queue keeps messages. */
const MAX_SEEN = 10_000;

/** Listens until it is disposed of. */
export function receiveEvents(options: EventOptions): AsyncDisposable {
  const closing = new AbortController();
  const listening = receiveUntil(options, closing.signal).catch((error: unknown) => {
    options.onTrouble(ProviderError.from(error));
  });
  return {
    async [Symbol.asyncDispose]() {
      closing.abort(new ProviderError('Cancelled', 'the provider is stopping'));
      await listening;
    },
  };
}

/**
 * Tells of each message of the queue once, until the signal's end. All nodes read the one queue, and each must see every message: so nobody
 * hides or deletes any, and the queue's retention period, a few minutes, is what removes them.
 */
async function receiveUntil(options: EventOptions, signal: AbortSignal): Promise<void> {
  const { queueUrl, settings, repeatMs = REPEAT_MS, retryMs = RETRY_MS, clock = SYSTEM_CLOCK } = options;
  const address = queueAddress(queueUrl, settings);
  using transport = openTransport(settings, WAIT_SECONDS * 1_000);
  // Loaded only where there is a queue: a container of 100 MiB has no room for what it does not need.
  const { openQueue } = await import('./sqs-queue.ts');
  using queue = openQueue({
    queueUrl,
    waitSeconds: WAIT_SECONDS,
    config: clientConfig(settings, transport, address),
    credentialsConfig: clientConfig(settings, transport, { ...address, endpoint: settings.endpoints.sts }),
  });
  const seen = new Set<string>();
  let failures = 0;
  let trouble: ProviderError | undefined;

  /** @returns milliseconds to wait before the next time */
  async function receive(): Promise<number> {
    const askedAt = clock.now();
    const messages = await queue.receive(signal);
    if (trouble !== undefined) {
      trouble = undefined;
      failures = 0;
      options.onRecovery();
    }
    const unseen = messages.filter(({ id }) => isFirstSight(id, seen));
    const notices = unseen.flatMap(({ body }) => parseChangeEvents(body));
    if (notices.length > 0) {
      options.onEvents(notices);
    }
    // SQS does not wait for new messages while it has old ones.
    return unseen.length === 0 && clock.now() - askedAt < repeatMs ? repeatMs : PAUSE_MS;
  }

  /** @returns milliseconds to wait before the next time */
  function fail(thrown: unknown): number {
    const error = queueError(thrown, queueUrl);
    if (error.reason !== trouble?.reason) {
      options.onTrouble(error);
    }
    trouble = error;
    const longestMs = Math.min(retryMs * 2 ** failures, LONGEST_RETRY_MS);
    failures += 1;
    return longestMs * (0.5 + Math.random() / 2);
  }

  while (!signal.aborted) {
    const waitMs = await receive().catch((error: unknown) => (signal.aborted ? 0 : fail(error)));
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }
}

function isFirstSight(id: string, seen: Set<string>): boolean {
  const isFirst = !seen.delete(id);
  seen.add(id);
  const [oldest] = seen;
  if (seen.size > MAX_SEEN && oldest !== undefined) {
    seen.delete(oldest);
  }
  return isFirst;
}
