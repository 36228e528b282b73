// The main job end to end: an emulated AWS account, the provider as its own process, and simulated parts of kubelet and driver.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/cli/commands.ts';
import { finish } from '../../src/concurrency/time-slices.ts';
import { readVolume } from '../../src/mount/volume/volume.ts';
import { startMoto } from '../fakes/aws/moto.ts';
import { mintToken } from '../fakes/aws/web-token.ts';
import { startProvider } from '../fakes/provider-process.ts';
import { openAccount, rotate, SERVICE_ACCOUNT } from './account.ts';
import { type DemoPod, NODE_NAME, startDemoCluster } from './cluster.ts';

const MANIFEST = fileURLToPath(new URL('shop.yaml', import.meta.url));
/** Instead of two minutes, which is too long for a demo. */
const INTERVAL_MS = 2_000;
const PATIENCE_MS = 20_000;
const started = performance.now();
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stopping.abort());
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

function step(text: string): void {
  stopping.signal.throwIfAborted();
  console.log(`\n[${seconds(started)} s] ${text}`);
}

async function passwordIn({ targetPath }: DemoPod): Promise<string> {
  const { files } = finish(readVolume(targetPath));
  return files.find(({ path }) => path === 'db-password')?.value.exposeText() ?? '';
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

  step(
    `An API server (a stand-in) with service account ${SERVICE_ACCOUNT}, annotated with that role, and the class of shop.yaml`,
  );
  const [namespace = '', serviceAccount = ''] = SERVICE_ACCOUNT.split('/');
  const { roleArn } = account;
  const cluster = opened.use(
    await startDemoCluster({ manifest: MANIFEST, namespace, serviceAccount, roleArn, kubeletRoot: folder }),
  );

  step(`The provider, a process of its own, with rotation (every ${INTERVAL_MS / 1000} s) and Secret sync`);
  const providers = join(folder, 'providers');
  const provider = opened.use(
    await startProvider(
      [
        `--provider-volume=${providers}`,
        `--kubeconfig=${cluster.kubeconfig}`,
        `--node-name=${NODE_NAME}`,
        '--health-address=127.0.0.1:0',
        `--kubelet-dir=${folder}`,
        '--require-mounted-volumes=false',
        '--enable-secret-rotation',
        '--sync-secret',
        `--rotation-poll-interval=${INTERVAL_MS}ms`,
      ],
      { AWS_ENDPOINT_URL: account.fakes.gate.url, LOG_FORMAT: 'text' },
      stopping.signal,
    ),
  );
  console.log(`  listens on ${join(providers, 'aws.sock')} as process ${provider.pid}`);

  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, mintToken(SERVICE_ACCOUNT), { mode: 0o600 });

  async function askedOfAws(work: () => Promise<void>): Promise<void> {
    const before = account.fakes.gate.state.calls.length;
    await work();
    const calls = account.fakes.gate.state.calls.slice(before).map(({ action }) => action);
    console.log(`  asked of AWS: ${calls.join(', ') || 'nothing'}`);
  }

  /** The kubelet's and the driver's steps at a pod's start. */
  async function startPod(name: string): Promise<DemoPod> {
    const pod = cluster.addPod(name);
    await mkdir(pod.targetPath, { recursive: true });
    const caller = [`--pod=${name}`, `--pod-uid=${pod.uid}`, `--service-account=${serviceAccount}`];
    const code = await run(
      [
        'mount',
        MANIFEST,
        `--socket=${join(providers, 'aws.sock')}`,
        `--target=${pod.targetPath}`,
        `--token-file=sts.amazonaws.com=${tokenFile}`,
        '--show-values',
        ...caller,
      ],
      {
        out: (line) => console.log(`  ${line}`),
        err: (line) => console.error(`  ${line}`),
        signal: stopping.signal,
        env: {},
      },
    );
    if (code !== 0) {
      throw new Error('the mount failed');
    }
    cluster.noteMount(pod);
    return pod;
  }

  async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
    for (const since = performance.now(); !(await isSo());) {
      if (performance.now() - since > PATIENCE_MS) {
        throw new Error(`${what}: not within ${PATIENCE_MS / 1000} s`);
      }
      await delay(50, undefined, { signal: stopping.signal });
    }
  }

  async function show(pod: DemoPod): Promise<void> {
    console.log(`  ${pod.name}: db-password is "${await passwordIn(pod)}", noted version ${noted(pod)}`);
  }

  function noted(pod: DemoPod): string {
    return cluster.notedVersions(pod)['db-password'] ?? 'none yet';
  }

  step('A pod starts: the driver calls Mount, and this is what the pod sees (demo values, so shown)');
  const pods: DemoPod[] = [];
  await askedOfAws(async () => void pods.push(await startPod('shop-1')));
  console.log(`  Kubernetes Secret shop-db: ${JSON.stringify(cluster.secret('shop-db'))}`);

  step('Another pod of the same service account starts within the poll interval: AWS is not asked again');
  await askedOfAws(async () => void pods.push(await startPod('shop-2')));

  step('The database password is rotated in Secrets Manager; no Mount call follows');
  const rotatedAt = performance.now();
  await askedOfAws(async () => {
    await rotate(account);
    await until(
      async () => (await Promise.all(pods.map(passwordIn))).every((password) => password === 'battery-staple-2'),
      'the new password in both pods',
    );
    console.log(`  ${seconds(rotatedAt)} s later both pods have it:`);
    await until(async () => pods.every((pod) => cluster.notedVersions(pod)['db-password']?.length), 'noted versions');
  });
  for (const pod of pods) {
    await show(pod);
  }
  console.log(`  Kubernetes Secret shop-db: ${JSON.stringify(cluster.secret('shop-db'))}`);
  const [first] = pods;
  await until(async () => first !== undefined && cluster.eventsOf(first).length > 0, 'an event');
  console.log(`  event on shop-1: ${first === undefined ? '' : cluster.eventsOf(first).join('; ')}`);

  step('What the provider logged');
  for (const line of provider.log) {
    console.log(`  ${line}`);
  }

  step('Everything stops');
}

try {
  await demo();
  console.log(`\nDone in ${seconds(started)} s; nothing is left behind.`);
} catch (error) {
  if (stopping.signal.aborted) {
    console.log('\nStopped; nothing is left behind.');
  } else {
    console.error(error);
  }
  process.exitCode = stopping.signal.aborted ? 130 : 1;
}
