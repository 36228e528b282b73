// The main job end to end: an emulated AWS account, the provider as its own process, and the CSI driver's part played by `mount`.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/cli/commands.ts';
import { startMoto } from '../fakes/aws/moto.ts';
import { mintToken } from '../fakes/aws/web-token.ts';
import { startApiServer } from '../fakes/kube/api-server.ts';
import { openAccount, rotate, SERVICE_ACCOUNT } from './account.ts';
import { startProvider } from '../fakes/provider-process.ts';

const MANIFEST = fileURLToPath(new URL('shop.yaml', import.meta.url));
/** Two minutes unless told; nobody wants to watch a demo for so long. */
const INTERVAL_MS = 2_000;
const started = performance.now();
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stopping.abort());
}

function step(text: string): void {
  stopping.signal.throwIfAborted();
  console.log(`\n[${((performance.now() - started) / 1000).toFixed(1)} s] ${text}`);
}

async function demo(): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'aws-secrets-csi-demo-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));

  step('An AWS account (the emulator moto) with two secrets, a parameter and a role that may read them');
  const moto = opened.use(await startMoto());
  const account = await openAccount(moto.url);
  opened.use(account.fakes);
  console.log(`  role ${account.roleArn}`);

  step(`An API server (a stand-in) with service account ${SERVICE_ACCOUNT}, annotated with that role`);
  const [namespace = '', name = ''] = SERVICE_ACCOUNT.split('/');
  const annotations = { 'eks.amazonaws.com/role-arn': account.roleArn };
  const api = opened.use(
    await startApiServer({ objects: [{ kind: 'ServiceAccount', metadata: { namespace, name, annotations } }] }),
  );

  step('The provider, a process of its own');
  const providers = join(folder, 'providers');
  const provider = opened.use(
    await startProvider(
      [
        '--provider-volume',
        providers,
        `--rotation-poll-interval=${INTERVAL_MS}ms`,
        '--kubeconfig',
        api.kubeconfig,
        '--health-address',
        '127.0.0.1:0',
      ],
      { AWS_ENDPOINT_URL: account.fakes.gate.url, LOG_FORMAT: 'text' },
      stopping.signal,
    ),
  );
  console.log(`  listens on ${join(providers, 'aws.sock')} as process ${provider.pid}`);

  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, mintToken(SERVICE_ACCOUNT), { mode: 0o600 });
  let seen: ReadonlySet<string> = new Set();
  async function mount(pod: string): Promise<void> {
    const target = join(folder, 'volumes', pod);
    await mkdir(target, { recursive: true });
    const callsBefore = account.fakes.gate.state.calls.length;
    const now = new Set<string>();
    const caller = ['--namespace', namespace, '--pod', pod, '--service-account', name];
    const code = await run(
      [
        'mount',
        MANIFEST,
        `--socket=${join(providers, 'aws.sock')}`,
        `--target=${target}`,
        `--token-file=sts.amazonaws.com=${tokenFile}`,
        '--show-values',
        ...caller,
      ],
      {
        out(line) {
          const isNew = seen.size > 0 && !line.startsWith('MODE') && !seen.has(line);
          now.add(line);
          console.log(`${isNew ? ' *' : '  '}${line}`);
        },
        err: (line) => console.error(`  ${line}`),
        signal: stopping.signal,
        env: {},
      },
    );
    if (code !== 0) {
      throw new Error('the mount failed');
    }
    seen = now;
    const calls = account.fakes.gate.state.calls.slice(callsBefore).map(({ action }) => action);
    console.log(`  asked of AWS: ${calls.join(', ') || 'nothing'}`);
  }

  step('A pod starts: the driver calls Mount, and this is what the pod sees (demo values, so shown)');
  await mount('shop-1');

  step('Another pod of the same service account starts within the poll interval: AWS is not asked again');
  await mount('shop-2');

  step('The database password is rotated in Secrets Manager');
  await rotate(account);

  step('Past the interval the driver calls again for the first pod: what changed is marked *');
  await delay(INTERVAL_MS, undefined, { signal: stopping.signal });
  await mount('shop-1');

  step('What the provider logged');
  for (const line of provider.log) {
    console.log(`  ${line}`);
  }

  step('Everything stops');
}

try {
  await demo();
  console.log(`\nDone in ${((performance.now() - started) / 1000).toFixed(1)} s; nothing is left behind.`);
} catch (error) {
  if (stopping.signal.aborted) {
    console.log('\nStopped; nothing is left behind.');
  } else {
    console.error(error);
  }
  process.exitCode = stopping.signal.aborted ? 130 : 1;
}
