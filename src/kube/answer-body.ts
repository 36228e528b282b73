import type { IncomingMessage } from 'node:http';
import { createLimiter } from '../concurrency/limiter.ts';

const MIB = 2 ** 20;
/** What etcd takes is 1.5 MiB, and JSON may write each of its characters as six. */
export const MAX_OBJECT_BYTES = 10 * MIB;
/** As many as connections may be held at once; of longer ones, the rest is read and parsed one at a time. */
const SMALL_BYTES = MIB;

/** An answer that was not read to its end. */
export class AnswerTooLong extends Error {
  constructor(maxBytes: number) {
    super(`its answer is longer than ${maxBytes / MIB} MiB`);
  }
}

export interface BodyBounds {
  readonly maxBytes: number;
  /** Whose request it is: long answers take turns by it. */
  readonly party: string;
  readonly signal: AbortSignal;
}

const longAnswers = createLimiter(1);

/**
 * Reads an answer and makes something of it while it is held: objects of the API server's are as long as their authors like.
 * @throws AnswerTooLong past the bound, of which no more is read; what `use` throws; or the signal's reason
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
    // One that is not read to its end keeps its connection, and would go on sending.
    await stream.return?.();
  }
}
