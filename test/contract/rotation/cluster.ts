import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { Clock } from '../../../src/concurrency/clock.ts';
import type { Statement } from '../../fakes/aws/policy.ts';
import type { Seed } from '../../fakes/aws/seed.ts';
import { PATIENT } from '../../fakes/aws/settings.ts';
import { type AwsFakes, startAwsFakes } from '../../fakes/aws/start-aws-fakes.ts';
import { createFastClock } from '../../fakes/fast-clock.ts';
import { type ApiServer, startApiServer } from '../../fakes/kube/api-server.ts';
import { type ClusterNode, startNode } from './cluster-node.ts';
import { createKubeRest, type KubeRest } from './kube-rest.ts';
import { classObject, CLASSES, type ClassOptions, NAMESPACE, SERVICE_ACCOUNTS } from './objects.ts';
import { insideAt, type Start } from './provider.ts';

export type { ClusterNode } from './cluster-node.ts';
export { type ClassOptions, NAMESPACE, type PodOptions, type StartedPod, versionsOf } from './objects.ts';

export const REGION = 'us-east-1';

/** An AWS account and an API server, and nodes that use them. */
export interface TestCluster extends AsyncDisposable {
  /** Of the API server and of nodes in this process; default: a fast one. */
  readonly clock: Clock;
  readonly aws: AwsFakes;
  /** Of the region of the nodes. */
  readonly seed: Seed;
  readonly api: ApiServer;
  readonly kube: KubeRest;
  /** Adds a service account with a role. @returns the role's ARN */
  addAccount(name: string, allows?: readonly Statement[]): Promise<string>;
  /** Creates or replaces a class. */
  applyClass(name: string, options: ClassOptions): Promise<void>;
  removeClass(name: string): Promise<void>;
  /** @param args flags of `serve` besides those that connect it to the fakes and name the node */
  startNode(name: string, args: readonly string[], options?: NodeOptions): Promise<ClusterNode>;
  eventsOf(pod: string): Promise<readonly PodEvent[]>;
}

interface NodeOptions {
  /** Default: in this process. */
  readonly start?: Start;
  readonly env?: Readonly<Record<string, string>>;
  /** In front of the API server. */
  readonly kubeconfig?: string;
}

interface PodEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count?: number;
}

/** @param given the clock for nodes in separate processes, which have real time */
export async function startCluster(given?: Clock): Promise<TestCluster> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'cluster-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const fast = opening.use(createFastClock());
  const clock = given ?? fast;
  const aws = opening.use(await startAwsFakes({ motoUrl: inject('motoUrl'), clock }));
  const api = opening.use(await startApiServer({ clock }));
  let asked = 0;
  fast.run(() => {
    const before = asked;
    asked = aws.gate.state.calls.length + api.requests.length;
    return asked > before || aws.gate.isBusy() || api.isBusy;
  });
  const kube = createKubeRest(api.url, 'token-of-the-provider');
  const seed = await aws.seed(REGION);

  async function addAccount(name: string, allows?: readonly Statement[]): Promise<string> {
    const roleArn = aws.addRole(name, [`${NAMESPACE}/${name}`], allows);
    const annotations = { 'eks.amazonaws.com/role-arn': roleArn };
    await kube.create(SERVICE_ACCOUNTS, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace: NAMESPACE, name, annotations },
    });
    return roleArn;
  }
  await addAccount('web');

  const opened = opening.move();
  return {
    clock,
    aws,
    seed,
    api,
    kube,
    addAccount,
    async applyClass(name, options) {
      api.put(classObject(name, options));
    },
    removeClass: (name) => kube.remove(`${CLASSES}/${name}`),
    async startNode(name, args, options = {}) {
      const { start = insideAt(clock), env = {}, kubeconfig = api.kubeconfig } = options;
      const node = await startNode({
        name,
        args: [`--kubeconfig=${kubeconfig}`, ...PATIENT, ...args],
        env: { AWS_ENDPOINT_URL: aws.gate.url, AWS_REGION: REGION, ...env },
        folder,
        kube,
        start,
      });
      return opened.use(node);
    },
    async eventsOf(pod) {
      const events = await kube.list<PodEvent & { readonly involvedObject: { readonly name: string } }>(
        `/api/v1/namespaces/${NAMESPACE}/events`,
      );
      return events
        .filter(({ involvedObject }) => involvedObject.name === pod)
        .map(({ type, reason, message, count }) => ({ type, reason, message, ...(count !== undefined && { count }) }));
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
