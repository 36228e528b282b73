import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failureOf, startAttackedNode } from './node/attacked-node.ts';
import { startProcess } from './node/attacked-process.ts';

const FORGED = '2026-01-31T12:00:00.000Z info  mount served  namespace=victims pod=victim';

describe('a log line', () => {
  it.for(['text', 'json'])('is not forged by a class, as %s', async (format) => {
    await using node = await startAttackedNode({ args: [`--log-format=${format}`] });
    const pod = await node.addPod('shop', 'attacker', 'web');
    for (const end of ['\n', '\r', '\u2028', '\u0085', '\u001b[2K\u001b[1G', ' reason=None ', '\u202e']) {
      const forged = `x${end}${FORGED}`;
      const objects = JSON.stringify([{ objectName: forged, objectType: forged }]);
      const refused = await failureOf(node.mount(pod, { secretProviderClass: forged, region: forged, objects }));

      expect(refused.message).toMatch(/^[\P{C}]+$/u);
    }
    await expect
      .poll(() => node.provider.log.filter((line) => line.includes('mount failed')).length, { timeout: 10_000 })
      .toBe(7);
    for (const line of node.provider.log) {
      expect(line).not.toMatch(/^2026-01-31T/);
      expect(line).not.toMatch(/ pod=victim(?:$| )/);
      expect(line).toMatch(/^[\P{C}]+$/u);
    }
  });

  it('does not contain the password of a malformed proxy URL', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'proxy-'));
    for (const proxy of [
      'socks5://me:hunter2@proxy:1',
      'me:hunter2@proxy:1',
      'http://me:hunter2',
      'http//me:hunter2@p',
    ]) {
      await using provider = await startProcess({
        args: [`--provider-volume=${folder}`, `--https-proxy=${proxy}`, `--http-proxy`, proxy, '--', proxy],
        waits: false,
      });
      await expect.poll(() => provider.ended(), { timeout: 30_000 }).toBe('2');

      expect(provider.log.join('\n')).toContain('--https-proxy: expected a URL');
      expect(provider.log.join('\n')).not.toContain('hunter2@');
    }
  });
});
