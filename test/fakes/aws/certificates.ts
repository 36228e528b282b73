import { execFile } from 'node:child_process';
import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** PEM texts of a server's certificate and of the CA that signed it. */
export interface Certificates {
  readonly key: string;
  readonly cert: string;
  readonly authority: string;
}

const run = promisify(execFile);
const NEW_KEY = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'.split(' ');

/** @param names what the server's certificate is for, as in subjectAltName, e.g. `DNS:*.us-east-1.amazonaws.com` */
export async function makeCertificates(names: readonly string[]): Promise<Certificates> {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'aws-fakes-'));
  const cwd = directory.path;
  const authority = ['-subj', '/CN=test authority', '-keyout', 'ca.key', '-out', 'ca.pem'];
  const server = [
    '-subj',
    '/CN=test server',
    '-keyout',
    'key.pem',
    '-out',
    'cert.pem',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
  ];
  const extensions = ['-addext', `subjectAltName=${names.join(',')}`, '-addext', 'basicConstraints=critical,CA:FALSE'];
  await run('openssl', ['req', '-x509', ...NEW_KEY, ...authority], { cwd });
  await run('openssl', ['req', '-x509', ...NEW_KEY, ...server, ...extensions], { cwd });
  const texts = ['key.pem', 'cert.pem', 'ca.pem'].map((name) => readFile(join(cwd, name), 'utf8'));
  const [key = '', cert = '', ca = ''] = await Promise.all(texts);
  return { key, cert, authority: ca };
}
