import { rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { connect } from '../../src/grpc/client.ts';
import { type AttackedNode, NEVER, startAttackedNode } from './node/attacked-node.ts';
import { startProcess } from './node/attacked-process.ts';

const SOON = { timeout: 30_000 };
const OWN_POD = { POD_NAME: 'provider-1', POD_NAMESPACE: 'kube-system', POD_UID: 'uid-of-provider' };

async function ready({ provider }: Pick<AttackedNode, 'provider'>): Promise<number> {
  const port = /"healthPort":(\d+)/.exec(provider.log.join())?.[1];
  return (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
}

function eventsOf({ api }: AttackedNode) {
  return api.objects.filter(({ kind }) => kind === 'Event');
}

describe('a socket that is replaced by that of another program', () => {
  it('makes the provider not ready, is reported once, and is taken back when that program ends', async () => {
    await using node = await startAttackedNode({ env: OWN_POD });
    const other = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => {
      other.listen(`${node.socketPath}.other`, resolve);
    });
    await rename(`${node.socketPath}.other`, node.socketPath);
    await expect.poll(() => ready(node), SOON).toBe(503);
    await expect.poll(() => eventsOf(node).length, SOON).toBe(1);

    expect(eventsOf(node)).toMatchObject([
      {
        type: 'Warning',
        reason: 'SocketTaken',
        involvedObject: { kind: 'Pod', namespace: 'kube-system', name: 'provider-1', uid: 'uid-of-provider' },
      },
    ]);
    // Like AWS's provider when it stops: it closes, and removes the path.
    await new Promise((resolve) => {
      other.close(resolve);
    });
    await rm(node.socketPath, { force: true });
    await expect.poll(() => ready(node), SOON).toBe(200);
    using client = connect(node.socketPath, 5_000);

    expect(await client.version(NEVER)).toMatchObject({ runtimeName: 'aws-secrets-csi' });
    expect(node.provider.log.filter((line) => line.includes('was taken by'))).toHaveLength(1);
  });

  it('stays with a newer provider process, and is taken back if that is killed', async () => {
    await using node = await startAttackedNode({ env: OWN_POD });
    await using newer = await startProcess({
      args: [
        `--provider-volume=${node.folder}/providers`,
        `--kubeconfig=${node.api.kubeconfig}`,
        '--health-address=127.0.0.1:0',
        `--kubelet-dir=${node.kubeletDir}`,
        '--require-mounted-volumes=false',
      ],
      env: { AWS_ENDPOINT_URL: node.aws.gate.url },
    });
    await expect.poll(() => ready(node), SOON).toBe(503);
    expect(await ready({ provider: newer })).toBe(200);
    await newer.stop('SIGKILL');
    await expect.poll(() => ready(node), SOON).toBe(200);

    expect(await node.victimMount()).toBeGreaterThan(0);
    expect(node.provider.log.join()).toContain('a newer provider process');
    expect(eventsOf(node)).toEqual([]);
  });
});
