import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REGION } from './accounts.ts';
import { NODE_NAME } from './api-server.ts';
import { inPod } from './launch.ts';
import type { StandIns } from './start-stand-ins.ts';
import { imageSettings } from '../fakes/image-settings.ts';

/** How a provider reaches what is outside the node. */
export interface Access {
  /** Flags of `serve`. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Puts a command line into the surroundings that make this hold. */
  readonly wrap: (command: readonly string[]) => readonly string[];
  /** For the reader of a result. */
  readonly note: string;
}

/** The stand-in takes any; a real API server is told of it. */
export const API_TOKEN = 'bench';

/**
 * As root the provider finds the API server as it does in a pod; else by a kubeconfig.
 * @param folder for files of the way there
 * @param apiPort of a real API server instead of the stand-in
 */
export function accessTo({ ports, caFile }: StandIns, folder: string, apiPort = ports.api): Access {
  const flags = [
    `--endpoint-url=https://127.0.0.1:${ports.aws}`,
    `--ca-bundle=${caFile}`,
    `--aws-region=${REGION}`,
    `--node-name=${NODE_NAME}`,
    `--pod-identity-endpoint-ipv4=http://127.0.0.1:${ports.agent}`,
    '--health-address=127.0.0.1:0',
  ];
  const env = { ...imageSettings().env, PATH: process.env['PATH'] ?? '', HOME: folder };
  if (process.getuid?.() === 0) {
    const account = join(folder, 'service-account');
    mkdirSync(account);
    writeFileSync(join(account, 'token'), API_TOKEN);
    copyFileSync(caFile, join(account, 'ca.crt'));
    return {
      flags,
      env: { ...env, KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: `${apiPort}` },
      wrap: (command) => inPod(account, command),
      note: 'API server found as in a pod',
    };
  }
  const file = writeKubeconfig(join(folder, 'kubeconfig'), apiPort, caFile);
  return {
    flags: [...flags, `--kubeconfig=${file}`],
    env,
    wrap: (command) => command,
    note: 'API server found by a kubeconfig',
  };
}

export function writeKubeconfig(file: string, apiPort: number, caFile: string): string {
  const authority = readFileSync(caFile).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'bench', cluster: { server: `https://127.0.0.1:${apiPort}`, 'certificate-authority-data': authority } },
    ],
    users: [{ name: 'bench', user: { token: API_TOKEN } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    'current-context': 'bench',
  };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}
