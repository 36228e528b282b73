import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Access, accessTo } from './access.ts';
import type { KubeApiServer } from './kube-api-server.ts';
import type { StandIns } from './start-stand-ins.ts';

/** The node of a run: its folders, and the way to everything outside. */
export interface Surroundings extends Disposable {
  readonly standIns: StandIns;
  /** On a tmpfs, as volumes are; goes with the run. Also the kubelet's root directory. */
  readonly runFolder: string;
  /** The kubelet's. */
  readonly podsFolder: string;
  /** On a disk; stays. */
  readonly diskFolder: string;
  /** What all providers of the run have said, to be read after it. */
  readonly providerLog: string;
  readonly access: Access;
  /** Absent where a stand-in takes its place, in which every account exists. */
  readonly kubeApi: KubeApiServer | undefined;
}

/** @param kubeApi a real API server instead of the stand-in */
export function prepareSurroundings(
  standIns: StandIns,
  diskFolder: string,
  kubeApi: KubeApiServer | undefined,
): Surroundings {
  const runFolder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'aws-secrets-csi-bench-'));
  const podsFolder = join(runFolder, 'pods');
  mkdirSync(podsFolder);
  const providerLog = join(diskFolder, 'provider.log');
  writeFileSync(providerLog, '');
  return {
    standIns,
    runFolder,
    podsFolder,
    diskFolder,
    providerLog,
    kubeApi,
    access: accessTo(standIns, runFolder, kubeApi?.port),
    [Symbol.dispose]: () => rmSync(runFolder, { recursive: true, force: true }),
  };
}

/** A word that no run has used before. */
export function newName(): string {
  return `bench-${randomBytes(4).toString('hex')}`;
}
