import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeCgroups, removeCgroups } from './cgroups.ts';
import { credential, NODE_NAME } from './certificates.ts';
import { runCommand } from './command.ts';
import { cniConfig, NODE_ADDRESS, POD_RANGE } from './network.ts';
import { CGROUP, CHECKOUT, CONFIG, NODE_VAR, program } from './layout.ts';
import { containerdConfig, kubeletConfig, kubeProxyConfig } from './node-config.ts';
import { childrenOf } from './process-identity.ts';
import { runningProcess, startProcess, waitUntilReady } from './processes.ts';
import { waitFor } from './wait.ts';

const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';
const HOLDER = 'node';

/** Region and zone, as a cloud's controller would label the node. */
const LABELS = 'topology.kubernetes.io/region=us-east-1,topology.kubernetes.io/zone=us-east-1a';

/**
 * Lays the node's disk over /var and an empty /run over the host's, in mount and process namespaces of the node: it then
 * looks like a machine of its own, with the usual paths, and is gone as by the power switch when its first process is.
 */
const BOOT = `set -e
case "$CHECKOUT" in /var/*) mkdir -p "$DISK/\${CHECKOUT#/var/}"; mount --rbind "$CHECKOUT" "$DISK/\${CHECKOUT#/var/}";; esac
mount --rbind "$DISK" /var
mount -t tmpfs -o mode=755 tmpfs /run
mount --make-rshared /
touch /run/booted
exec "$PAUSE"`;

/** Writes the configuration and an empty disk. */
export async function prepareNode(): Promise<void> {
  await mkdir(path.join(CONFIG, 'cni'), { recursive: true });
  for (const folder of ['lib/kubelet', 'lib/cni', 'log', 'tmp']) {
    await mkdir(path.join(NODE_VAR, folder), { recursive: true });
  }
  await symlink('/run', path.join(NODE_VAR, 'run'));
  // No name server runs there, so a look-up fails at once; a scenario that needs names may start one.
  await writeFile(path.join(CONFIG, 'resolv.conf'), `nameserver ${NODE_ADDRESS}\n`);
  await writeFile(path.join(CONFIG, 'cni/10-pods.conflist'), cniConfig());
  await writeFile(path.join(CONFIG, 'containerd.toml'), containerdConfig(path.join(CONFIG, 'cni')));
  await writeFile(
    path.join(CONFIG, 'kubelet.yaml'),
    kubeletConfig({
      cgroup: CGROUP,
      clientAuthority: credential('ca.crt'),
      containerdSocket: CONTAINERD_SOCKET,
      resolvConf: path.join(CONFIG, 'resolv.conf'),
    }),
  );
  await writeFile(
    path.join(CONFIG, 'kube-proxy.yaml'),
    kubeProxyConfig(credential('kube-proxy.kubeconfig'), POD_RANGE),
  );
}

/** Switches the node on, without yet starting the kubelet. */
export async function bootNode(): Promise<void> {
  await makeCgroups();
  const unshare = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'] as const;
  await startProcess({
    name: HOLDER,
    command: [...unshare, 'sh', '-c', BOOT],
    env: { CHECKOUT, DISK: NODE_VAR, PAUSE: program('pause') },
  });
  await waitUntilReady(HOLDER, async () => existsSync(await nodePath('/run/booted')), 10_000);
  await startInNode('containerd', [program('containerd'), '--config', path.join(CONFIG, 'containerd.toml')]);
  await waitUntilReady('containerd', async () => (await ctr('version')) !== '', 30_000);
}

/** Needs the API server. */
export async function startKubelet(): Promise<void> {
  await startInNode('kube-proxy', [
    program('kube-proxy'),
    `--config=${path.join(CONFIG, 'kube-proxy.yaml')}`,
    `--hostname-override=${NODE_NAME}`,
  ]);
  await startInNode('kubelet', [
    program('kubelet'),
    `--config=${path.join(CONFIG, 'kubelet.yaml')}`,
    `--kubeconfig=${credential('kubelet.kubeconfig')}`,
    `--hostname-override=${NODE_NAME}`,
    `--node-ip=${NODE_ADDRESS}`,
    `--node-labels=${LABELS}`,
  ]);
  const health = 'http://127.0.0.1:10248/healthz';
  await waitUntilReady('kubelet', async () => (await fetch(health, { signal: AbortSignal.timeout(2_000) })).ok, 60_000);
}

/** Switches the node off: every process on it is killed, its memory and mounts are lost, its disk stays. */
export async function cutPower(): Promise<void> {
  const pid = await firstProcess();
  process.kill(pid, 'SIGKILL');
  await waitFor('the node is off', async () => (await runningProcess(HOLDER)) === undefined, { timeoutMs: 20_000 });
  // They would not survive a reboot either, and the next kubelet would take them for running containers.
  await removeCgroups();
}

/** Starts a program on the node. */
export async function startInNode(
  name: string,
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  // The shim and the CNI plugins are found by the path.
  const search = `${path.dirname(program('ctr'))}:${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  await startProcess({ name, command, env: { ...env, PATH: search }, inside: await firstProcess() });
}

/** Runs a command on the node to its end. */
export async function runInNode(command: readonly string[], timeoutMs = 60_000): Promise<string> {
  const enter = ['--target', `${await firstProcess()}`, '--mount', '--pid', '--'];
  return runCommand('nsenter', [...enter, ...command], { timeoutMs });
}

/** Where a file of the node, volumes of its pods included, is found by a process outside of it. Changes with a reboot. */
export async function nodePath(file: string): Promise<string> {
  return `/proc/${await firstProcess()}/root${file}`;
}

export function ctr(...args: string[]): Promise<string> {
  return runInNode([program('ctr'), '--address', CONTAINERD_SOCKET, '--namespace', 'k8s.io', ...args], 120_000);
}

async function firstProcess(): Promise<number> {
  const holder = await runningProcess(HOLDER);
  const pid = holder === undefined ? undefined : childrenOf(holder.pid)[0];
  if (pid === undefined) {
    throw new Error('the node is switched off');
  }
  return pid;
}
