import type { IncomingMessage } from 'node:http';
import type { Party } from '../concurrency/fair-queue.ts';
import { createLimiter } from '../concurrency/limiter.ts';

const MIB = 2 ** 20;
/** etcd stores at most 1.5 MiB, and JSON may escape a character as six. */
export const MAX_OBJECT_BYTES = 10 * MIB;
/** Every connection may buffer this much at once. The rest of longer responses is read and parsed one response at a time. */
const SMALL_BYTES = MIB;

/** A response that exceeds the bound. */
export class AnswerTooLong extends Error {
  constructor(maxBytes: number) {
    super(`its answer is longer than ${maxBytes / MIB} MiB`);
  }
}

export interface BodyBounds {
  readonly maxBytes: number;
  /** Fair-queueing key: long responses of one party do not delay those of others. */
  readonly party: Party;
  readonly signal: AbortSignal;
}

const longAnswers = createLimiter(1);

/**
 * Reads a bounded response and passes it to `use`: objects of the API server are as long as their authors like.
 * @throws AnswerTooLong if it exceeds the bound; what `use` throws; or the signal's reason
 */
export async function withBody<Result>(
  response: IncomingMessage,
  { maxBytes, party, signal }: BodyBounds,
  use: (body: Buffer) => Result,
): Promise<Result> {
  const chunks: Buffer[] = [];
  let size = 0;

  async function readTo(bytes: number): Promise<boolean> {
    while (size <= bytes) {
      const { value, done } = await stream.next();
      if (done === true) {
        return true;
      }
      chunks.push(value);
      size += value.byteLength;
    }
    return false;
  }

  async function readRest(): Promise<Result> {
    if (!(await readTo(maxBytes))) {
      throw new AnswerTooLong(maxBytes);
    }
    return use(Buffer.concat(chunks));
  }

  const stream = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    if (await readTo(Math.min(SMALL_BYTES, maxBytes))) {
      return use(Buffer.concat(chunks));
    }
    return await longAnswers.run({ lane: 'long answers', party }, readRest, signal);
  } finally {
    // A response that is not read completely would keep its connection busy.
    await stream.return?.();
  }
}
