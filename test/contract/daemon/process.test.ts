import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { connect } from '../../../src/grpc/client.ts';
import { type AwsFakes, startAwsFakes } from '../../fakes/aws/start-aws-fakes.ts';
import type { Seed } from '../../fakes/aws/seed.ts';
import { type ApiServer, startApiServer } from '../../fakes/kube/api-server.ts';
import { type ProviderProcess, startProvider } from '../../fakes/provider-process.ts';
import { contentsOf, NEVER, POD, requestFor, serviceAccount, targetOf } from './node.ts';

const OBJECTS = ['a', 'b', 'c'].map((name) => `{objectName: pair, objectType: secretsmanager, objectAlias: ${name}}`);
const PARAMETERS = { region: 'us-east-1', objects: `[${OBJECTS.join(',')}]` };

/** A process starts slowly on a busy machine. */
const SOON = { timeout: 60_000 };

let aws: AwsFakes;
let api: ApiServer;
let seed: Seed;
let folder: string;
let volumes = 0;

beforeAll(async () => {
  aws = await startAwsFakes({ motoUrl: inject('motoUrl') });
  api = await startApiServer({ objects: [serviceAccount('shop', 'web', aws.addRole('web', ['shop/web']))] });
  seed = await aws.seed();
  await seed.secret('pair', 'v0');
  folder = await mkdtemp(join(tmpdir(), 'process-'));
});
afterAll(async () => {
  await aws[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function start(...args: readonly string[]): Promise<ProviderProcess> {
  return await startProvider(
    [
      '--provider-volume',
      folder,
      '--kubeconfig',
      api.kubeconfig,
      '--health-address',
      '127.0.0.1:0',
      `--kubelet-dir=${folder}`,
      '--require-mounted-volumes=false',
      '--rotation-poll-interval=1us',
      ...args,
    ],
    { AWS_ENDPOINT_URL: aws.gate.url },
  );
}

async function newTarget(): Promise<string> {
  volumes += 1;
  const path = join(folder, targetOf(POD, `volume-${volumes}`));
  await mkdir(path, { recursive: true });
  return path;
}

describe('the process', () => {
  it('is not ready after SIGTERM, and ends with 0 after the mount in progress, with its socket removed', async () => {
    await using provider = await start();
    using client = connect(join(folder, 'aws.sock'), 120_000);
    const held = Promise.withResolvers<void>();
    using _ = aws.gate.state.inject({ kind: 'hold', until: held.promise }, { action: 'secretsmanager:GetSecretValue' });
    const targetPath = await newTarget();
    const call = client.mount(requestFor(PARAMETERS, { targetPath }), NEVER);
    await expect.poll(() => aws.gate.state.count({ action: 'secretsmanager:GetSecretValue' }), SOON).toBeGreaterThan(0);
    const [, port] = /"healthPort":(\d+)/.exec(provider.log.join()) ?? [];
    const ready = `http://127.0.0.1:${port}/readyz`;
    const before = await fetch(ready);
    const stopped = provider.stop('SIGTERM');
    await expect.poll(() => provider.log.join(), SOON).toContain('stopping');
    const draining = await fetch(ready);
    held.resolve();
    const code = await stopped;

    expect([before.status, draining.status]).toEqual([200, 503]);
    expect(code).toBe(0);
    expect((await call).objectVersion).toHaveLength(3);
    expect((await readdir(folder)).filter((name) => name.includes('.sock'))).toEqual([]);
  });

  it('ends at once at a second signal', async () => {
    await using provider = await start('--drain-timeout=60s');
    using client = connect(join(folder, 'aws.sock'), 120_000);
    using _ = aws.gate.state.inject({ kind: 'hang' });
    const before = aws.gate.state.calls.length;
    const call = client
      .mount(requestFor(PARAMETERS, { targetPath: await newTarget() }), NEVER)
      .catch(() => 'broken off');
    await expect.poll(() => aws.gate.state.calls.length, SOON).toBeGreaterThan(before);
    const stopped = provider.stop('SIGTERM');
    await expect.poll(() => provider.log.join(), SOON).toContain('stopping');
    process.kill(provider.pid, 'SIGTERM');
    await stopped;

    expect(await call).toBe('broken off');
  });

  it('reports every invalid setting and ends with 2', async () => {
    const starting = start('--mount-timeout=soon', '--log-level=loud');

    await expect(starting).rejects.toThrow(/--mount-timeout: expected[^]*--log-level: expected/);
  });

  it('reports that the health address is in use', async () => {
    await using first = await start();
    const [, port] = /"healthPort":(\d+)/.exec(first.log.join()) ?? [];

    await expect(start(`--health-address=127.0.0.1:${port}`)).rejects.toThrow('choose another --health-address');
  });

  it('is the one that the driver reaches once it has started beside an older one, and remains so', async () => {
    await using older = await start();
    await using _newer = await start();
    await older.stop();
    using client = connect(join(folder, 'aws.sock'), 120_000);
    const targetPath = await newTarget();
    await client.mount(requestFor(PARAMETERS, { targetPath }), NEVER);

    expect(Object.keys(await contentsOf(targetPath))).toEqual(['a', 'b', 'c']);
  });

  it('killed at any moment, leaves a complete set, and the next one continues from there', async () => {
    const targetPath = await newTarget();
    await mkdir(targetPath, { recursive: true });
    const values = new Set<string>(['v0']);
    for (let round = 1; round <= 2; round += 1) {
      await using provider = await start();
      using client = connect(join(folder, 'aws.sock'), 120_000);
      await client.mount(requestFor(PARAMETERS, { targetPath }), NEVER);
      await seed.secretVersion('pair', `v${round}`);
      values.add(`v${round}`);
      const call = client
        .mount(requestFor(PARAMETERS, { targetPath }), AbortSignal.timeout(60_000))
        .catch(() => 'killed');
      // Any time is fine.
      await sleep(5 * round);
      await provider.stop('SIGKILL');
      await call;
      const contents = Object.values(await contentsOf(targetPath)).map(([, text]) => text);

      expect(contents).toHaveLength(3);
      expect(new Set(contents).size).toBe(1);
      expect(values).toContain(contents[0]);
    }
    await using _provider = await start();
    using client = connect(join(folder, 'aws.sock'), 120_000);
    await client.mount(requestFor(PARAMETERS, { targetPath }), NEVER);

    expect(await contentsOf(targetPath)).toEqual({ a: ['644', 'v2'], b: ['644', 'v2'], c: ['644', 'v2'] });
    expect((await readdir(targetPath)).filter((name) => name.startsWith('..'))).toHaveLength(2);
  });
});
