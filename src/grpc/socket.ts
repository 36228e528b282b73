import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Server, ServerCredentials } from '@grpc/grpc-js';

/** A socket path that answers, until it is disposed of or a successor takes it over. */
export type BoundSocket = AsyncDisposable;

/**
 * Listens under a hidden name and renames: calls to an older process finish there, new ones come here. Binding at the final path would
 * do worse, as libuv unlinks the path it bound when it stops, by then its successor's.
 * @param path absolute path; its directory is made if missing
 */
export async function bindSocket(server: Server, path: string): Promise<BoundSocket> {
  await mkdir(dirname(path), { recursive: true });
  // Not the pid: in a container it is 1 for the old process and the new.
  const hidden = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}`);
  // The driver runs as root, like us: nobody else has business here.
  const umask = process.umask(0o077);
  try {
    await listen(server, hidden);
  } finally {
    process.umask(umask);
  }
  const { ino } = await stat(hidden);
  await rename(hidden, path);
  return {
    async [Symbol.asyncDispose]() {
      const current = await stat(path).catch(() => undefined);
      if (current?.ino === ino) {
        await rm(path, { force: true });
      }
    },
  };
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
