import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import type { Statement } from '../../fakes/aws/policy.ts';
import type { Seed } from '../../fakes/aws/seed.ts';
import { type AwsFakes, READ_ALL, startAwsFakes } from '../../fakes/aws/start-aws-fakes.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { relay } from '../cluster/relay.ts';
import { waitFor } from '../cluster/wait.ts';
import { AWS_PORT } from './facts.ts';
import { deployment, pod, type PodOptions } from './objects.ts';
import { releasesAreReady } from './release.ts';
import { readSecret, type SyncedSecret } from './synced-secret.ts';
import { type Listing, LISTING, readListing } from './volume-listing.ts';

/** Kinds that make pods. */
const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;

export const STORY_LABEL = 'aws-secrets-csi-e2e=scenario';

type ScenarioPod = Omit<PodOptions, 'image' | 'serviceAccount'> & Partial<Pick<PodOptions, 'serviceAccount'>>;

/** A namespace and an AWS account of a scenario's own; the provider sees this AWS for as long as the scenario is open. */
export interface Scenario extends AsyncDisposable {
  readonly namespace: string;
  readonly aws: AwsFakes;
  /** Fills the account in the node's region. */
  readonly seed: Seed;
  /** The role of the service account `app`, which may read everything. */
  readonly appRole: string;

  /** kubectl in the scenario's namespace. */
  kubectl(...args: readonly string[]): Promise<string>;
  /** Applies objects in the scenario's namespace. */
  apply(...objects: readonly object[]): Promise<void>;
  /** Makes a service account with a role that may do this, by its annotation. @returns the role's ARN */
  addServiceAccount(name: string, allows?: readonly Statement[]): Promise<string>;

  /** A pod that sleeps; default service account: `app`. */
  pod(name: string, options: ScenarioPod): object;
  deployment(name: string, options: ScenarioPod): object;
  /** Applies pods and what makes pods, and returns when all are ready. Says what their events say if they do not get so. */
  startPods(...pods: readonly object[]): Promise<void>;
  /** Runs a command in a pod, or in one of `deployment/<name>`. */
  exec(pod: string, ...command: readonly string[]): Promise<string>;
  /** What a pod reads in the volume of a class. */
  filesOf(pod: string, className: string): Promise<Listing>;
  /** The provider's events on a pod. */
  eventsOf(pod: string): Promise<readonly PodEvent[]>;
  /** A Kubernetes Secret; undefined where there is none. */
  secretOf(name: string): Promise<SyncedSecret | undefined>;
  /** Waits until an event says that a volume of a pod cannot be mounted, with this in its message. @returns the message */
  mountFailure(pod: string, fragment: string): Promise<string>;
}

interface PodEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

export async function openScenario(cluster: Cluster, name: string): Promise<Scenario> {
  const { motoUrl, issuer, certificates } = inject('provider');
  // The scenario before may have switched the node off.
  await releasesAreReady(cluster);
  await using opening = new AsyncDisposableStack();
  const aws = opening.use(await startAwsFakes({ motoUrl, issuer, certificates }));
  const listen = { host: cluster.hostAddress, port: AWS_PORT };
  opening.use(await relay(listen, { port: Number(new URL(aws.gate.url).port) }));
  const namespace = `${name}-${randomBytes(3).toString('hex')}`;
  const [label = '', value = ''] = STORY_LABEL.split('=');
  await cluster.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { [label]: value } } },
  ]);
  opening.defer(async () => {
    await cluster.kubectl(['delete', 'namespace', namespace, '--wait=false']);
    // Its pods are deleted before its AWS stops: otherwise they would call the next scenario's.
    await kubectl('delete', 'pods', '--all');
  });

  function kubectl(...args: readonly string[]): Promise<string> {
    return cluster.kubectl([`--namespace=${namespace}`, ...args]);
  }

  function exec(podName: string, ...command: readonly string[]): Promise<string> {
    return kubectl('exec', podName, '--', ...command);
  }

  async function apply(...objects: readonly object[]): Promise<void> {
    await cluster.apply(objects.map((object) => inNamespace(object, namespace)));
  }

  async function addServiceAccount(account: string, allows: readonly Statement[] = [READ_ALL]): Promise<string> {
    const roleArn = aws.addRole(`${namespace}-${account}`, [`${namespace}/${account}`], allows);
    const annotations = { 'eks.amazonaws.com/role-arn': roleArn };
    await apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, annotations } });
    return roleArn;
  }

  async function startPods(...pods: readonly object[]): Promise<void> {
    await apply(...pods);
    const named = pods.flatMap((object) => nameOf(object, 'Pod'));
    const made = WORKLOADS.flatMap((kind) =>
      pods.flatMap((object) => nameOf(object, kind).map((of) => `${kind}/${of}`)),
    );
    const waits = [
      ...(named.length > 0 ? [kubectl('wait', '--for=condition=Ready', 'pod', ...named, '--timeout=90s')] : []),
      ...made.map((of) => kubectl('rollout', 'status', of, '--timeout=90s')),
    ];
    await Promise.all(waits).catch(async (error: unknown) => {
      const events = await kubectl('get', 'events', '--sort-by=.lastTimestamp', '--no-headers');
      throw new Error(`${String(error)}\nThe events of the namespace:\n${events}`, { cause: error });
    });
  }

  const defaults = { image: cluster.appImage, serviceAccount: 'app' };
  const seed = await aws.seed();
  const appRole = await addServiceAccount('app');
  const opened = opening.move();
  return {
    namespace,
    aws,
    seed,
    appRole,
    kubectl,
    apply,
    addServiceAccount,
    pod: (podName, options) => pod(podName, { ...defaults, ...options }),
    deployment: (deploymentName, options) => deployment(deploymentName, { ...defaults, ...options }),
    startPods,
    exec,
    filesOf: async (podName, className) => readListing(await exec(podName, 'sh', '-c', LISTING, className)),
    async eventsOf(podName) {
      const selector = `--field-selector=involvedObject.name=${podName}`;
      const events: EventList = JSON.parse(await kubectl('get', 'events', selector, '--output=json'));
      return events.items
        .filter(({ source }) => source.component === 'aws-secrets-csi')
        .map(({ type, reason, message }) => ({ type, reason, message }));
    },
    async secretOf(secret) {
      const found = await kubectl(
        'get',
        'secret',
        secret,
        '--ignore-not-found',
        '--output=json',
        '--show-managed-fields',
      );
      return found === '' ? undefined : readSecret(found);
    },
    mountFailure: (podName, fragment) =>
      waitFor(
        `an event of ${podName} that says "${fragment}"`,
        async () => {
          const selector = `--field-selector=reason=FailedMount,involvedObject.name=${podName}`;
          const events: EventList = JSON.parse(await kubectl('get', 'events', selector, '--output=json'));
          return events.items.map(({ message }) => message).find((message) => message.includes(fragment));
        },
        { timeoutMs: 60_000, everyMs: 500 },
      ),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

interface EventList {
  readonly items: readonly (PodEvent & { readonly source: { readonly component?: string } })[];
}

function inNamespace(object: object, namespace: string): object {
  const { metadata } = object as { readonly metadata: object };
  return { ...object, metadata: { ...metadata, namespace } };
}

function nameOf(object: object, kind: string): readonly string[] {
  const { kind: actual, metadata } = object as { readonly kind: string; readonly metadata: { readonly name: string } };
  return actual === kind ? [metadata.name] : [];
}
