import { lstat, readdir, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { hasCode } from '../model/errors.ts';
import { connect } from './client.ts';

/** Identifies a file while it exists: a socket keeps its inode as long as a process listens on it. */
export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

/** Milliseconds for a connection, and for a response on it. */
const CONNECT_MS = 1_000;

/** @returns undefined if the path does not exist */
export async function identityAt(path: string): Promise<FileIdentity | undefined> {
  try {
    const { dev, ino } = await lstat(path);
    return { dev, ino };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
}

/** Whether a process listens on the socket. Assumes so if it is not certain. */
export async function isListenedOn(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = createConnection(path);
    socket.setTimeout(CONNECT_MS, () => end(true));
    socket.once('connect', () => end(true));
    socket.once('error', (error) => end(!hasCode(error, 'ECONNREFUSED', 'ENOENT', 'ENOTSOCK', 'EPROTOTYPE')));

    function end(listens: boolean): void {
      socket.destroy();
      resolve(listens);
    }
  });
}

/** @returns the runtime name of the provider on a socket; undefined if it does not respond */
export async function runtimeNameAt(path: string): Promise<string | undefined> {
  using client = connect(path, CONNECT_MS);
  try {
    return (await client.version(SYSTEM_CLOCK.timeout(CONNECT_MS))).runtimeName;
  } catch {
    return undefined;
  }
}

/** Removes hidden sockets next to the path that crashed processes left behind. Sockets on which a process listens stay. */
export async function sweepHiddenSockets(path: string): Promise<void> {
  const hidden = new RegExp(`^\\.${RegExp.escape(basename(path))}\\.[0-9a-f]{8}$`);
  for (const entry of await readdir(dirname(path), { withFileTypes: true })) {
    const file = join(dirname(path), entry.name);
    // Checked twice, because another provider process may be between its bind and its listen.
    if (entry.isSocket() && hidden.test(entry.name) && !(await isListenedOn(file)) && !(await isListenedOn(file))) {
      await rm(file, { force: true });
    }
  }
}
