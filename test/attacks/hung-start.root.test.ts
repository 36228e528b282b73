import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startProcess } from './node/attacked-process.ts';

const SOON = { timeout: 60_000 };

/** A directory on a file system that never responds. */
async function mountHangingFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'hangs-'));
  const device = openSync('/dev/fuse', 'r+');
  const options = 'fd=3,rootmode=40000,user_id=0,group_id=0';
  execFileSync('mount', ['-i', '-t', 'fuse', '-o', options, 'none', path], {
    stdio: ['ignore', 'ignore', 'inherit', device],
  });
  return {
    path,
    async [Symbol.asyncDispose]() {
      closeSync(device);
      execFileSync('umount', [path]);
      await rm(path, { recursive: true });
    },
  };
}

it.skipIf(process.getuid?.() !== 0)(
  'a start whose socket directory hangs ends with 1 at the first SIGTERM',
  async () => {
    await using hanging = await mountHangingFolder();
    await using provider = await startProcess({
      args: [`--provider-volume=${hanging.path}/providers`, '--health-address=127.0.0.1:0', '--aws-region=eu-west-1'],
      waits: false,
    });
    await expect.poll(() => provider.log.join(), SOON).toContain('starting');

    void provider.stop('SIGTERM');

    await expect.poll(() => provider.ended(), SOON).toBe('1');
    expect(provider.log.join()).toContain('stopped before it had started');
  },
);
