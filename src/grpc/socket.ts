import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import type { Clock } from '../concurrency/clock.ts';
import type { Logger } from '../observability/logger.ts';
import { quote } from '../text/quote.ts';
import { NAME } from '../model/version.ts';
import { type FileIdentity, identityAt, isListenedOn, runtimeNameAt, sweepHiddenSockets } from './socket-path.ts';

export interface SocketSettings {
  /** Absolute path; its directory is created if missing. */
  readonly socketPath: string;
  /** Milliseconds between two checks of the path. */
  readonly watchMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called once when another program has taken the path, with a message for the operator. */
  onTaken?(message: string): void;
}

/** A bound socket path, until it is disposed of or a newer provider process takes it over. */
export interface BoundSocket extends AsyncDisposable {
  /** Whether the path led to this process at the last check. */
  isOurs(): boolean;
}

/**
 * Listens under a hidden name and renames the socket: calls to an older process finish there, new ones come here. It does not bind the final path, because
 * libuv unlinks the path that it bound when it stops, and by then the path belongs to the successor.
 *
 * From then on the path is watched. AWS's provider removes it by name when it stops, which may be after our start. A path that is missing, or was left by a
 * process that has ended, is bound again at once. A path with a living process stays, because that may be our own successor.
 * @throws Error with the cause; nothing is left behind then
 */
export async function bindSocket(server: Server, settings: SocketSettings): Promise<BoundSocket> {
  const { socketPath: path, watchMs, clock, log } = settings;
  await mkdir(dirname(path), { recursive: true });
  await sweepHiddenSockets(path);
  let own = await take(server, path);
  let state: 'ours' | 'taken' | 'lost' = 'ours';
  const closing = new AbortController();

  /** Binds the path again if it is free, and reports what has changed. */
  async function check(): Promise<void> {
    const before = state;
    try {
      const current = await identityAt(path);
      if (current !== undefined && isSame(current, own)) {
        state = 'ours';
        if (before !== 'ours') {
          log.info({ socket: path }, 'the socket leads to this process again');
        }
      } else if (current !== undefined && (await isListenedOn(path))) {
        state = 'taken';
        if (before !== 'taken') {
          await reportTaken(settings);
        }
      } else {
        state = 'lost';
        own = await take(server, path);
        state = 'ours';
        log.warn({ socket: path }, 'the socket was removed and is bound again');
      }
    } catch (error) {
      state = 'lost';
      if (before !== 'lost') {
        log.error(
          { socket: path, err: error },
          'the socket was removed and cannot be bound again: retrying every second',
        );
      }
    }
  }

  async function watch(): Promise<void> {
    while (!closing.signal.aborted) {
      await clock.sleep(watchMs, closing.signal).then(check, () => undefined);
    }
  }

  const watching = watch();
  return {
    isOurs: () => state === 'ours',
    async [Symbol.asyncDispose]() {
      closing.abort();
      await watching;
      const current = await identityAt(path).catch(() => undefined);
      if (current !== undefined && isSame(current, own)) {
        await rm(path, { force: true });
      }
    },
  };
}

async function reportTaken({ socketPath: socket, log, onTaken }: SocketSettings): Promise<void> {
  const by = await runtimeNameAt(socket);
  if (by === NAME) {
    log.info({ socket }, 'a newer provider process has taken over the socket: new mounts go there');
    return;
  }
  const other = by === undefined ? 'another program' : `another program, which calls itself ${quote(by)}`;
  const message = `the socket ${quote(socket, 256)} was taken by ${other}: pods of this node get their secrets from there. Remove that program from the node, or choose another socketName; the socket is taken back when it is free`;
  log.error({ socket, by }, message);
  onTaken?.(message);
}

function isSame(one: FileIdentity, other: FileIdentity): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

/** Makes the path lead to this process. @throws Error, without leaving a file */
async function take(server: Server, path: string): Promise<FileIdentity> {
  await mkdir(dirname(path), { recursive: true });
  // Not the pid: in containers it is 1 for both the old and the new process.
  const hidden = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}`);
  try {
    // The driver runs as root, like the provider; no other user needs access.
    const umask = process.umask(0o077);
    try {
      await listen(server, hidden);
    } finally {
      process.umask(umask);
    }
    const own = await identityAt(hidden);
    if (own === undefined) {
      throw new Error(`${hidden} was removed before it could be renamed`);
    }
    await rename(hidden, path);
    return own;
  } catch (error) {
    server.unbind(`unix:${hidden}`);
    await rm(hidden, { force: true });
    throw new Error(`cannot create the socket ${path}: ${error instanceof Error ? error.message : 'unknown error'}`, {
      cause: error,
    });
  }
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) {
        resolve();
      } else {
        // grpc-js hides the reason in "No address added out of total 1 resolved".
        reject(new Error(`cannot listen on ${path}: ${error.message}`, { cause: error }));
      }
    });
  });
}
