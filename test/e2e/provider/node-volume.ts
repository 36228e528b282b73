import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import type { Scenario } from './scenario.ts';

/** Where this process finds the volume of a class in a pod of our own cluster; reading there costs far less than asking the pod. */
export async function volumeOnNode(
  cluster: Cluster,
  scenario: Scenario,
  pod: string,
  className: string,
): Promise<string> {
  const uid = await scenario.kubectl('get', 'pod', pod, '--output=jsonpath={.metadata.uid}');
  return cluster.nodePath(`/var/lib/kubelet/pods/${uid}/volumes/kubernetes.io~csi/${className}/mount`);
}

/** Texts of its files, by name. */
export async function textsIn(volume: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(volume)).filter((name) => !name.startsWith('..'));
  const texts = names.map(async (name) => [name, await readFile(path.join(volume, name), 'utf8')] as const);
  return Object.fromEntries(await Promise.all(texts));
}
