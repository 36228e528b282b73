import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const DAYS = 3;
const RENEW_AFTER_MS = (DAYS - 1) * 86_400_000;

/** Files of one authority and of the certificate for loopback that it signed. */
export interface Certificates {
  readonly caFile: string;
  readonly cert: string;
  readonly key: string;
}

/** Made anew when there are none or they are about to expire, so that another provider can be started before a run. */
export async function ensureCertificates(folder: string): Promise<Certificates> {
  const caFile = join(folder, 'ca.crt');
  if (!existsSync(caFile) || Date.now() - statSync(caFile).mtimeMs > RENEW_AFTER_MS) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // The system's own settings must not add to what is said here.
    writeFileSync(join(folder, 'openssl.cnf'), '[req]\ndistinguished_name = name\n[name]\n');
    await make(folder, 'ca', '/CN=bench', ['basicConstraints=critical,CA:TRUE']);
    await make(folder, 'server', '/CN=localhost', ['subjectAltName=DNS:localhost,IP:127.0.0.1'], 'ca');
  }
  return {
    caFile,
    cert: readFileSync(join(folder, 'server.crt'), 'utf8'),
    key: readFileSync(join(folder, 'server.key'), 'utf8'),
  };
}

async function make(
  folder: string,
  name: string,
  subject: string,
  extensions: readonly string[],
  signer?: string,
): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-keyout', `${name}.key`];
  const signed = signer === undefined ? [] : ['-CA', `${signer}.crt`, '-CAkey', `${signer}.key`];
  const added = extensions.flatMap((extension) => ['-addext', extension]);
  const certificate = ['-x509', '-config', 'openssl.cnf', '-days', `${DAYS}`, '-subj', subject, '-out', `${name}.crt`];
  await run('openssl', ['req', ...certificate, ...key, ...signed, ...added], { cwd: folder });
}
