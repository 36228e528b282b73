import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventsOf, putClass, secretOf } from './node/attack-class.ts';
import { type AttackedNode, startAttackedNode } from './node/attacked-node.ts';
import { LONGEST_WORK_MS } from './node/attacked-process.ts';

const SOON = { timeout: 60_000, interval: 50 };
const FILES = ['a', 'b', 'c', 'd', 'e'];
/** By scheme: two parts each. */
const SCHEMES: Readonly<Record<string, string>> = {
  old: '-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES',
  new: '-keypbe AES-256-CBC -certpbe AES-256-CBC',
};
/** What one file may take, and what no file may. */
const ROUNDS = { most: 10_000, endless: 100_000 };

const folder = mkdtempSync(join(tmpdir(), 'pfx-'));
let node: AttackedNode;

function openssl(command: string): void {
  execFileSync('openssl', command.split(' '), { cwd: folder, stdio: 'pipe' });
}

function pfx(scheme: string, rounds: number): Buffer {
  const options = scheme === '' ? [] : scheme.split(' ');
  const command = ['pkcs12', '-export', '-inkey', 'key', '-in', 'crt', ...options, '-iter', String(rounds)];
  openssl([...command, '-passout', 'pass:', '-out', 'pfx'].join(' '));
  return readFileSync(join(folder, 'pfx'));
}

beforeAll(async () => {
  openssl('req -x509 -newkey rsa:2048 -nodes -keyout key -out crt -subj /CN=web -days 2');
  node = await startAttackedNode({ args: ['--sync-secret'] });
  for (const [kind, rounds] of Object.entries(ROUNDS)) {
    for (const [name, scheme] of Object.entries(SCHEMES)) {
      for (const file of FILES) {
        await node.seed.secret(`${kind}-${name}-${file}`, pfx(scheme, rounds));
      }
    }
  }
  await node.seed.secret('usual', pfx('', 2048));
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function mountTls(name: string, files: readonly string[]) {
  const objects = JSON.stringify(files.map((objectName) => ({ objectName, objectType: 'secretsmanager' })));
  const secretObjects = files.map((objectName) => ({
    secretName: `tls-${objectName}`,
    type: 'kubernetes.io/tls',
    data: ['tls.crt', 'tls.key'].map((key) => ({ objectName, key })),
  }));
  const parameters = putClass(node, 'shop', name, { objects }, secretObjects);
  const pod = await node.addPod('shop', `${name}-1`, 'web', name);
  await node.mount(pod, parameters);
  return pod;
}

it.for(Object.keys(ROUNDS).flatMap((kind) => Object.keys(SCHEMES).map((name) => `${kind}-${name}`)))(
  'five certificates that take long to read do not delay other mounts: %s',
  async (attack) => {
    await node.victimMount();
    await node.provider.condition();

    const pod = await mountTls(
      attack,
      FILES.map((file) => `${attack}-${file}`),
    );
    const victims = [await node.victimMount(), await node.victimMount()];
    await expect.poll(() => eventsOf(node, pod), SOON).not.toEqual([]);
    const { workMs } = await node.provider.condition();

    expect(eventsOf(node, pod).join('\n')).toContain('too many rounds of key derivation');
    const made = FILES.filter((file) => secretOf(node, 'shop', `tls-${attack}-${file}`) !== undefined);
    expect(made).toHaveLength(attack.startsWith('most') ? 1 : 0);
    expect(workMs).toBeLessThan(LONGEST_WORK_MS);
    expect(Math.max(...victims)).toBeLessThan(10_000);
  },
);

it('an ordinary certificate becomes a Secret', async () => {
  await mountTls('usual', ['usual']);

  await expect.poll(() => secretOf(node, 'shop', 'tls-usual'), SOON).toBeDefined();
});
