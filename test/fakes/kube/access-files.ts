import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
// Loaded here already, so that it takes no time of a request on a busy machine.
import '../../../src/kube/kubeconfig.ts';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** @returns path of the file */
export async function writeKubeconfig(directory: string, server: string, token: string, ca?: string): Promise<string> {
  const file = join(directory, 'kubeconfig');
  await writeFile(file, stringify(kubeconfigFor(server, token, ca)), { mode: 0o600 });
  return file;
}

/** For loopback, signed by itself, made by openssl; it is in `ca.crt` too. */
export async function makeCertificate(directory: string): Promise<Certificate> {
  const [keyFile, certFile] = [join(directory, 'tls.key'), join(directory, 'ca.crt')];
  const subject = ['-subj', '/CN=stand-in API server', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  await promisify(execFile)('openssl', ['req', '-x509', '-days', '2', ...key, ...subject, '-out', certFile]);
  return { key: await readFile(keyFile, 'utf8'), cert: await readFile(certFile, 'utf8') };
}

function kubeconfigFor(server: string, token: string, ca: string | undefined): unknown {
  const trust =
    ca === undefined
      ? { 'insecure-skip-tls-verify': true }
      : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'stand-in', cluster: { server, ...trust } }],
    users: [{ name: 'provider', user: { token } }],
    contexts: [{ name: 'stand-in', context: { cluster: 'stand-in', user: 'provider' } }],
    'current-context': 'stand-in',
  };
}
