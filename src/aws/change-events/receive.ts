import { retryWaitMs } from '../../concurrency/retry-wait.ts';
import { createCache } from '../../concurrency/cache.ts';
import type { Clock } from '../../concurrency/clock.ts';
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
  readonly clock: Clock;
  onEvents(events: readonly ChangeEvent[]): void;
  /** Called once when the queue is not readable, and again only after a recovery or for another reason. */
  onTrouble(error: ProviderError): void;
  /** Called when the queue is readable again. */
  onRecovery(): void;
  /** Milliseconds to wait if the queue contains only messages that were seen before. */
  readonly repeatMs?: number;
  /** Milliseconds to wait after the first failure; doubles with each consecutive one. */
  readonly retryMs?: number;
}

/** The longest wait that SQS supports for long polling. */
const WAIT_SECONDS = 20;
const REPEAT_MS = 2_000;
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/** A flooded queue must not take all the time of this process. */
const PAUSE_MS = 100;

/** More than arrive in the few minutes of the queue's retention period. */
const MAX_SEEN = 10_000;

/** Receives change events until disposed of. */
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
 * Reports each message of the queue once, until the signal aborts. All nodes read the same queue, and each must see every message. So no node hides or
 * deletes messages; the queue's retention period of a few minutes removes them.
 */
async function receiveUntil(options: EventOptions, signal: AbortSignal): Promise<void> {
  const { queueUrl, settings, repeatMs = REPEAT_MS, retryMs = RETRY_MS, clock } = options;
  const address = queueAddress(queueUrl, settings);
  using transport = openTransport(settings, WAIT_SECONDS * 1_000);
  // Loaded on demand, because source that never runs still takes up memory.
  const { openQueue } = await import('./sqs-queue.ts');
  using queue = openQueue({
    queueUrl,
    waitSeconds: WAIT_SECONDS,
    config: clientConfig(settings, transport, address),
    credentialsConfig: clientConfig(settings, transport, { ...address, endpoint: settings.endpoints.sts }),
  });
  const seen = createCache<object>(clock, { maxEntries: MAX_SEEN });
  let failures = 0;
  let trouble: ProviderError | undefined;

  /** @returns milliseconds until the next receive */
  async function receive(): Promise<number> {
    const startedAt = clock.now();
    const messages = await queue.receive(signal);
    if (trouble !== undefined) {
      trouble = undefined;
      failures = 0;
      options.onRecovery();
    }
    const unseen = messages.filter(({ id }) => !seen.has(id));
    for (const { id } of messages) {
      seen.set(id, {});
    }
    const events = unseen.flatMap(({ body }) => parseChangeEvents(body));
    if (events.length > 0) {
      options.onEvents(events);
    }
    // SQS returns at once, instead of long polling, while the queue contains old messages.
    return unseen.length === 0 && clock.now() - startedAt < repeatMs ? repeatMs : PAUSE_MS;
  }

  /** @returns milliseconds until the next receive */
  function fail(thrown: unknown): number {
    const error = queueError(thrown, queueUrl);
    if (error.reason !== trouble?.reason) {
      options.onTrouble(error);
    }
    trouble = error;
    failures += 1;
    return retryWaitMs(failures - 1, { firstMs: retryMs, longestMs: LONGEST_RETRY_MS });
  }

  while (!signal.aborted) {
    const waitMs = await receive().catch((error: unknown) => (signal.aborted ? 0 : fail(error)));
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }
}
