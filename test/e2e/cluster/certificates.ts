import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from './command.ts';
import { CREDENTIALS, KUBECONFIG } from './layout.ts';
import { API_SERVICE_ADDRESS, NODE_ADDRESS } from './network.ts';

export const NODE_NAME = 'e2e-node';

/** Who gets a certificate, and as whom the API server knows its bearer. */
const CLIENTS: Readonly<Record<string, string>> = {
  admin: '/O=system:masters/CN=admin',
  'kube-apiserver-kubelet': '/O=system:masters/CN=kube-apiserver-kubelet',
  'kube-controller-manager': '/CN=system:kube-controller-manager',
  'kube-scheduler': '/CN=system:kube-scheduler',
  'kube-proxy': '/CN=system:kube-proxy',
  kubelet: `/O=system:nodes/CN=system:node:${NODE_NAME}`,
};

const API_SERVER_NAMES = [
  ...['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'].map((name) => `DNS:${name}`),
  ...['127.0.0.1', NODE_ADDRESS, API_SERVICE_ADDRESS].map((address) => `IP:${address}`),
];

/** The path of a certificate, key or kubeconfig of the cluster. */
export function credential(file: string): string {
  return path.join(CREDENTIALS, file);
}

/** Makes the cluster's authority, all certificates, the key of its service account tokens and a kubeconfig for each client. */
export async function makeCredentials(apiPort: number): Promise<void> {
  await mkdir(CREDENTIALS, { recursive: true, mode: 0o700 });
  await writeFile(credential('openssl.cnf'), '[req]\ndistinguished_name = name\n[name]\n');
  await makeCertificate('ca', '/CN=e2e', ['basicConstraints=critical,CA:TRUE', 'keyUsage=keyCertSign,cRLSign']);
  const server = makeCertificate(
    'kube-apiserver',
    '/CN=kube-apiserver',
    [`subjectAltName=${API_SERVER_NAMES.join(',')}`, 'extendedKeyUsage=serverAuth'],
    'ca',
  );
  const clients = Object.entries(CLIENTS).map(async ([name, subject]) => {
    await makeCertificate(name, subject, ['extendedKeyUsage=clientAuth'], 'ca');
    const config = await clientKubeconfig(name, apiPort);
    await writeFile(name === 'admin' ? KUBECONFIG : credential(`${name}.kubeconfig`), config, { mode: 0o600 });
  });
  await Promise.all([server, ...clients, makeServiceAccountKeys()]);
}

/** A kubeconfig for a bearer token. */
export async function tokenKubeconfig(token: string, apiPort: number): Promise<string> {
  return kubeconfig(apiPort, await readFile(credential('ca.crt')), { token });
}

async function makeCertificate(name: string, subject: string, extensions: string[], issuer?: string): Promise<void> {
  const signedBy = issuer === undefined ? [] : ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-keyout', `${name}.key`];
  const add = extensions.flatMap((extension) => ['-addext', extension]);
  await runCommand(
    'openssl',
    [
      'req',
      '-x509',
      '-config',
      'openssl.cnf',
      '-days',
      '2',
      '-subj',
      subject,
      ...signedBy,
      ...key,
      ...add,
      '-out',
      `${name}.crt`,
    ],
    { cwd: CREDENTIALS },
  );
}

/** RSA, as on EKS: AWS's STS takes RS256 tokens. */
async function makeServiceAccountKeys(): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(credential('service-account.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeFile(credential('service-account.key'), pem, { mode: 0o600 });
}

async function clientKubeconfig(name: string, apiPort: number): Promise<string> {
  const [authority, certificate, key] = await Promise.all([
    readFile(credential('ca.crt')),
    readFile(credential(`${name}.crt`)),
    readFile(credential(`${name}.key`)),
  ]);
  return kubeconfig(apiPort, authority, {
    'client-certificate-data': certificate.toString('base64'),
    'client-key-data': key.toString('base64'),
  });
}

function kubeconfig(apiPort: number, authority: Buffer, user: Readonly<Record<string, string>>): string {
  const server = `https://127.0.0.1:${apiPort}`;
  // JSON is YAML.
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'e2e', cluster: { server, 'certificate-authority-data': authority.toString('base64') } }],
    users: [{ name: 'e2e', user }],
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: 'e2e' } }],
    'current-context': 'e2e',
  });
}
