import { readdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connect } from '../../src/grpc/client.ts';
import { NEVER, startAttackedNode } from './node/attacked-node.ts';

const SOON = { timeout: 30_000 };

async function reached(socketPath: string): Promise<string> {
  using client = connect(socketPath, 2_000);
  return await client.version(NEVER).then(
    ({ runtimeName }) => runtimeName,
    () => 'nobody',
  );
}

describe('a socket that another program removes', () => {
  it('is bound again, each time, and mounts continue', async () => {
    await using node = await startAttackedNode();
    for (let round = 0; round < 3; round += 1) {
      await rm(node.socketPath);
      await expect.poll(() => reached(node.socketPath), SOON).toBe('aws-secrets-csi');
    }
    await rm(dirname(node.socketPath), { recursive: true });
    await expect.poll(() => reached(node.socketPath), SOON).toBe('aws-secrets-csi');

    expect(await node.victimMount()).toBeGreaterThan(0);
    expect(await readdir(dirname(node.socketPath))).toEqual(['aws.sock']);
    expect(await node.provider.stop()).toBe('0');
    expect(await readdir(dirname(node.socketPath))).toEqual([]);
  });
});
