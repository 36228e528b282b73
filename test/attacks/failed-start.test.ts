import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { startProcess } from './node/attacked-process.ts';

const SOON = { timeout: 30_000 };

async function start(sockets: string, waits: boolean) {
  return await startProcess({
    args: [`--provider-volume=${sockets}`, '--health-address=127.0.0.1:0', '--aws-region=eu-west-1'],
    waits,
  });
}

/** Leaves the file of a socket without a listener. */
async function leaveSocket(path: string): Promise<void> {
  const program = 'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';
  await promisify(execFile)(process.execPath, ['-e', program, path]).catch(() => undefined);
}

describe('a start that fails midway', () => {
  it('ends the process, reports why and leaves no socket', async () => {
    const sockets = await mkdtemp(join(tmpdir(), 'sockets-'));
    await mkdir(join(sockets, 'aws.sock', 'not-empty'), { recursive: true });
    await using provider = await start(sockets, false);
    await expect.poll(() => provider.ended(), SOON).toBe('1');

    expect(provider.log.join('\n')).toContain('cannot create the socket');
    expect(await readdir(sockets)).toEqual(['aws.sock']);
  });

  it('ends the process if the directory is a file', async () => {
    const sockets = await mkdtemp(join(tmpdir(), 'sockets-'));
    await writeFile(join(sockets, 'file'), '');
    await using provider = await start(join(sockets, 'file'), false);
    await expect.poll(() => provider.ended(), SOON).toBe('1');
  });
});

describe('a start after a crash', () => {
  it('removes hidden sockets without a listener, and no others', async () => {
    const sockets = await mkdtemp(join(tmpdir(), 'sockets-'));
    const names = ['.aws.sock.0123abcd', '.aws.sock.89abcdef', '.other.sock.0123abcd'];
    await Promise.all(names.map((name) => leaveSocket(join(sockets, name))));
    await writeFile(join(sockets, '.aws.sock.00000000'), 'a file');
    const listening = createServer();
    await new Promise<void>((resolve) => {
      listening.listen(join(sockets, '.aws.sock.11111111'), resolve);
    });
    await using _provider = await start(sockets, true);
    const left = await readdir(sockets);
    listening.close();

    expect(left.toSorted()).toEqual(['.aws.sock.00000000', '.aws.sock.11111111', '.other.sock.0123abcd', 'aws.sock']);
  });
});
