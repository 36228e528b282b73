import { readFile } from 'node:fs/promises';
import https from 'node:https';
import path from 'node:path';
import { credential } from './certificates.ts';
import { DISK, program } from './layout.ts';
import { NODE_ADDRESS, SERVICE_RANGE } from './network.ts';
import { startProcess, waitUntilReady } from './processes.ts';

/** etcd speaks plain HTTP: its network namespace contains nothing else. */
const ETCD = 'http://127.0.0.1:2379';

export async function startEtcd(): Promise<void> {
  await startProcess({
    name: 'etcd',
    command: [
      program('etcd'),
      `--data-dir=${path.join(DISK, 'etcd')}`,
      `--listen-client-urls=${ETCD}`,
      `--advertise-client-urls=${ETCD}`,
      '--listen-peer-urls=http://127.0.0.1:2380',
      // The data need not survive a power failure of this machine.
      '--unsafe-no-fsync',
    ],
  });
  await waitUntilReady(
    'etcd',
    async () => (await fetch(`${ETCD}/health`, { signal: AbortSignal.timeout(2_000) })).ok,
    30_000,
  );
}

export async function startApiServer(port: number): Promise<void> {
  await startProcess({
    name: 'kube-apiserver',
    command: [
      program('kube-apiserver'),
      `--etcd-servers=${ETCD}`,
      '--bind-address=0.0.0.0',
      `--advertise-address=${NODE_ADDRESS}`,
      `--secure-port=${port}`,
      `--service-cluster-ip-range=${SERVICE_RANGE}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      '--allow-privileged=true',
      `--client-ca-file=${credential('ca.crt')}`,
      `--tls-cert-file=${credential('kube-apiserver.crt')}`,
      `--tls-private-key-file=${credential('kube-apiserver.key')}`,
      `--kubelet-client-certificate=${credential('kube-apiserver-kubelet.crt')}`,
      `--kubelet-client-key=${credential('kube-apiserver-kubelet.key')}`,
      '--kubelet-preferred-address-types=InternalIP',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${credential('service-account.pub')}`,
      `--service-account-signing-key-file=${credential('service-account.key')}`,
    ],
  });
  await waitUntilReady('kube-apiserver', () => isReady(port), 90_000);
}

export async function startControllers(): Promise<void> {
  await startProcess({
    name: 'kube-controller-manager',
    command: [
      program('kube-controller-manager'),
      `--kubeconfig=${credential('kube-controller-manager.kubeconfig')}`,
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
      '--use-service-account-credentials',
      // With its own limits it takes six seconds to start.
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
      `--service-account-private-key-file=${credential('service-account.key')}`,
      `--root-ca-file=${credential('ca.crt')}`,
    ],
  });
  await startProcess({
    name: 'kube-scheduler',
    command: [
      program('kube-scheduler'),
      `--kubeconfig=${credential('kube-scheduler.kubeconfig')}`,
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
    ],
  });
}

async function isReady(port: number): Promise<boolean> {
  const files = ['ca.crt', 'admin.crt', 'admin.key'].map((file) => readFile(credential(file)));
  const [ca, cert, key] = await Promise.all(files);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const request = https.get(
    { host: '127.0.0.1', port, path: '/readyz', ca, cert, key, agent: false, timeout: 2_000 },
    (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    },
  );
  request.on('timeout', () => request.destroy());
  request.on('error', () => resolve(false));
  return promise;
}
