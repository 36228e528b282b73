import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startAttackedNode } from './node/attacked-node.ts';
import { healthPortOf, livez } from './node/health-port.ts';

const HALF = `GET /livez HTTP/1.1\r\nHost: ${'h'.repeat(1_000)}\r\n`;
const ENDLESS = `GET /livez HTTP/1.1\r\nX: ${'x'.repeat(100_000)}`;

describe('the health port', () => {
  it('answers the kubelet while a client holds thousands of connections, and takes no memory for them', async () => {
    await using node = await startAttackedNode();
    const port = healthPortOf(node);
    const before = await node.provider.condition();
    const held: Socket[] = [];
    for (let round = 0; round < 20; round += 1) {
      held.push(...(await Promise.all(Array.from({ length: 100 }, () => halfRequest(port)))));

      expect(await livez(port)).toBe(200);
    }
    const during = await node.provider.condition();
    const open = held.filter((socket) => !socket.destroyed && !socket.readableEnded);

    expect(during.rssMiB - before.rssMiB).toBeLessThan(40);
    expect(open.length).toBeLessThan(400);
    expect(await node.victimMount()).toBeGreaterThan(0);
    for (const socket of held) {
      socket.destroy();
    }
  });

  it('closes incomplete requests within seconds, and refuses long headers', async () => {
    await using node = await startAttackedNode();
    const port = healthPortOf(node);
    const halves = await Promise.all(Array.from({ length: 40 }, () => halfRequest(port)));
    const long = connect({ port, host: '127.0.0.1', noDelay: true });
    long.on('error', () => undefined);
    long.write(ENDLESS);
    const [answer] = (await once(long, 'data')) as [Buffer];

    expect(answer.toString()).toContain('431');
    // They are closed without a write of ours; on a busy machine the time does not matter.
    await expect.poll(() => halves.every((socket) => socket.closed), { timeout: 20_000 }).toBe(true);
  });
});

async function halfRequest(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect');
  socket.write(HALF);
  return socket;
}
