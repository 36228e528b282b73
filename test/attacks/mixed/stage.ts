import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CallError } from '../../../src/grpc/client.ts';
import { type AttackedNode, type AttackPod, NEVER } from '../node/attacked-node.ts';
import type { Random } from '../../fakes/random.ts';

export const BIG_OBJECTS = 62;
const NAMESPACES = 12;
const CLASS = { apiVersion: 'secrets-store.csi.x-k8s.io/v1', kind: 'SecretProviderClass' };

/** Where attacks take place, and the source of their random variants. */
export interface Stage {
  readonly node: AttackedNode;
  readonly random: Random;
}

/** Fills the account with what attackers read, and creates their service accounts. */
export async function prepareStage(node: AttackedNode): Promise<void> {
  const names = Array.from({ length: BIG_OBJECTS }, (_, index) => `big-${index}`);
  for (const name of names) {
    await node.seed.secret(name, 'x'.repeat(63 * 1024));
  }
  const entries = Array.from({ length: 1_000 }, (_, index) => [`key${index}`, { a: index, b: ['x', 'y', index] }]);
  await node.seed.secret('tiny', 'x');
  await node.seed.secret('json', JSON.stringify({ list: entries, ...Object.fromEntries(entries) }));
  for (let index = 0; index < NAMESPACES; index += 1) {
    node.addAccount(`attacker-${index}`, 'web');
  }
  putClass(node, 'victims', 'class', VICTIM);
}

const VICTIM = { objects: '[{objectName: victim, objectType: secretsmanager}]' };

/** Creates a class, as a tenant does with kubectl. */
export function putClass(
  { api }: AttackedNode,
  namespace: string,
  name: string,
  parameters: Readonly<Record<string, string>>,
  secretObjects: readonly object[] = [],
): void {
  api.put({ ...CLASS, metadata: { namespace, name }, spec: { provider: 'aws', parameters, secretObjects } });
}

/** A pod in one of the attackers' namespaces, deleted afterwards. */
export async function withPod<Result>(
  { node, random }: Stage,
  work: (pod: AttackPod) => Promise<Result>,
  className = 'class',
): Promise<Result> {
  const namespace = `attacker-${random.int(0, NAMESPACES - 1)}`;
  return await whileThere(node, await node.addPod(namespace, `pod-${random.int(0, 2 ** 31)}`, 'web', className), work);
}

async function whileThere<Result>(
  { api }: AttackedNode,
  pod: AttackPod,
  work: (pod: AttackPod) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(pod);
  } finally {
    api.remove(`/api/v1/namespaces/${pod.namespace}/pods/${pod.name}`);
    // A cancelled call may still be writing.
    await rm(dirname(pod.targetPath), { recursive: true, force: true, maxRetries: 20 });
  }
}

let victims = 0;

/** A mount of one small secret by a service account that no attacker uses. @returns milliseconds that it took */
export async function victimMount(node: AttackedNode): Promise<number> {
  victims += 1;
  return await whileThere(node, await node.addPod('victims', `victim-${victims}`, 'victim'), async (pod) => {
    const started = performance.now();
    await node.mount(pod, VICTIM);
    return performance.now() - started;
  });
}

/** The outcome of a call: "OK", or its status. */
export async function outcomeOf(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => 'OK',
    (error: unknown) => (error instanceof CallError ? error.code : 'error of the test itself'),
  );
}

/** A Mount call whose attributes need not be what a driver sends. */
export async function rawMount(
  { node }: Stage,
  attributes: string,
  targetPath: string,
  signal: AbortSignal = NEVER,
): Promise<string> {
  return await outcomeOf(
    node.client.mount({ attributes, secrets: 'null', targetPath, permission: '420', currentObjectVersion: [] }, signal),
  );
}
