import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { inject } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { startDaemon } from '../../../src/daemon/daemon.ts';
import { connect, type ProviderClient } from '../../../src/grpc/client.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { LOGS } from '../cluster/layout.ts';
import { AWS_PORT } from './facts.ts';
import { textsIn } from './node-volume.ts';
import { STORY_LABEL, type Scenario } from './scenario.ts';

/**
 * Nodes that are objects and no machines, with a provider each that runs in this process, on the real API server. In place of kubelet and
 * driver, what is here calls the providers for the pods that the scheduler puts there, and says that these are ready; nothing runs in them.
 */
export interface MadeUpNodes extends AsyncDisposable {
  readonly names: readonly string[];
  /** For the spec of a workload's pods, by its name: they go there and nowhere else, and to different ones. */
  spread(workload: string): object;
  /** For that of a pod: it goes to this one. */
  on(node: string): object;
  /** Folders of the volumes there, by `<pod>/<volume>`. */
  readonly volumes: ReadonlyMap<string, string>;
  /** What they held when their pods began, by the same. */
  readonly firstTexts: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

interface Node {
  readonly name: string;
  readonly client: ProviderClient;
}

interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly spec: {
    readonly nodeName?: string;
    readonly serviceAccountName: string;
    readonly volumes: readonly { readonly name: string; readonly csi: { readonly volumeAttributes: Attributes } }[];
  };
}

type Attributes = Readonly<Record<string, string>>;

const NEVER = new AbortController().signal;
const LOOK_EVERY_MS = 500;
/** Kubernetes says of a node that no kubelet speaks for that it is not ready. */
const TOLERATIONS = [{ operator: 'Exists' }];

/** @param flags of `serve`, besides those that lead to API server and AWS; an entry a node */
export async function startMadeUpNodes(
  cluster: Cluster,
  scenario: Scenario,
  flags: readonly (readonly string[])[],
): Promise<MadeUpNodes> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), 'made-up-nodes-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const names = flags.map((_, index) => `${scenario.namespace}-node-${index}`);
  const [label = '', value = ''] = STORY_LABEL.split('=');
  // No label of an operating system: no DaemonSet of the provider may want to run there.
  const labels = { [label]: value, 'made-up-for': scenario.namespace };
  await cluster.apply(
    names.map((name) => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { ...labels, 'kubernetes.io/hostname': name } },
    })),
  );
  opening.defer(async () => void (await cluster.kubectl(['delete', 'node', ...names])));
  const room = JSON.stringify({ status: { allocatable: { cpu: '8', memory: '8Gi', pods: '50' } } });
  for (const name of names) {
    await cluster.kubectl(['patch', 'node', name, '--subresource=status', `--patch=${room}`]);
  }
  const nodes = new Map<string, Node>();
  for (const [index, name] of names.entries()) {
    nodes.set(name, opening.use(await startNode(name, { cluster, folder, args: flags[index] ?? [] })));
  }
  const volumes = new Map<string, string>();
  const firstTexts = new Map<string, Readonly<Record<string, string>>>();
  const kubelet = keepPods({ scenario, nodes, folder, volumes, firstTexts });
  opening.use(kubelet);

  const opened = opening.move();
  return {
    names,
    spread: (workload) => ({
      nodeSelector: { 'made-up-for': scenario.namespace },
      tolerations: TOLERATIONS,
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'kubernetes.io/hostname',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: workload } },
        },
      ],
    }),
    on: (node) => ({ nodeSelector: { 'kubernetes.io/hostname': node }, tolerations: TOLERATIONS }),
    volumes,
    firstTexts,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function startNode(
  name: string,
  { cluster, folder, args }: { readonly cluster: Cluster; readonly folder: string; readonly args: readonly string[] },
): Promise<Node & AsyncDisposable> {
  await using opening = new AsyncDisposableStack();
  const providerVolume = path.join(folder, name, 'providers');
  const authority = path.join(folder, 'authority.pem');
  await writeFile(authority, inject('provider').certificates.authority);
  const config = readConfig(
    [
      `--provider-volume=${providerVolume}`,
      `--kubeconfig=${cluster.kubeconfig}`,
      `--node-name=${name}`,
      `--kubelet-dir=${path.join(folder, name)}`,
      '--require-mounted-volumes=false',
      '--health-address=127.0.0.1:0',
      `--endpoint-url=https://${cluster.hostAddress}:${AWS_PORT}`,
      `--ca-bundle=${authority}`,
      '--aws-region=us-east-1',
      // No call sends any.
      '--token-request',
      ...args,
    ],
    {},
  );
  const log = pino({ base: null }, pino.destination({ dest: path.join(LOGS, `${name}.log`), sync: true }));
  opening.use(await startDaemon(config, log));
  const client = opening.use(connect(config.socketPath, 60_000));
  const opened = opening.move();
  return { name, client, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

interface Kubelet {
  readonly scenario: Scenario;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly folder: string;
  readonly volumes: Map<string, string>;
  readonly firstTexts: Map<string, Readonly<Record<string, string>>>;
}

/** Watches the pods: fills the volumes of new ones and empties those of deleted pods. */
function keepPods({ scenario, nodes, folder, volumes, firstTexts }: Kubelet): AsyncDisposable {
  const closing = new AbortController();
  const mounted = new Set<string>();

  function folderOf({ metadata, spec }: Pod): string {
    return path.join(folder, spec.nodeName ?? '', 'pods', metadata.uid);
  }

  async function start(pod: Pod, node: Node): Promise<void> {
    for (const { name, csi } of pod.spec.volumes) {
      const targetPath = path.join(folderOf(pod), 'volumes', 'kubernetes.io~csi', name, 'mount');
      await mkdir(targetPath, { recursive: true });
      const attributes = JSON.stringify(await attributesOf(pod, csi.volumeAttributes));
      await node.client.mount(
        { attributes, secrets: 'null', targetPath, permission: '420', currentObjectVersion: [] },
        NEVER,
      );
      firstTexts.set(`${pod.metadata.name}/${name}`, await textsIn(targetPath));
      volumes.set(`${pod.metadata.name}/${name}`, targetPath);
    }
    const ready = JSON.stringify({ status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } });
    await scenario.kubectl(
      'patch',
      'pod',
      pod.metadata.name,
      '--subresource=status',
      '--type=merge',
      `--patch=${ready}`,
    );
    mounted.add(folderOf(pod));
  }

  async function attributesOf({ metadata, spec }: Pod, own: Attributes): Promise<Attributes> {
    const name = own['secretProviderClass'] ?? '';
    const found: { readonly spec: { readonly parameters: Attributes } } = JSON.parse(
      await scenario.kubectl('get', 'secretproviderclass', name, '--output=json'),
    );
    return {
      ...found.spec.parameters,
      ...own,
      'csi.storage.k8s.io/pod.name': metadata.name,
      'csi.storage.k8s.io/pod.namespace': scenario.namespace,
      'csi.storage.k8s.io/pod.uid': metadata.uid,
      'csi.storage.k8s.io/serviceAccount.name': spec.serviceAccountName,
      'csi.storage.k8s.io/ephemeral': 'true',
    };
  }

  async function look(): Promise<void> {
    const { items }: { readonly items: readonly Pod[] } = JSON.parse(
      await scenario.kubectl('get', 'pods', '--output=json'),
    );
    const present = items.flatMap((pod) => {
      const node = nodes.get(pod.spec.nodeName ?? '');
      return node === undefined ? [] : [{ pod, node, place: folderOf(pod) }];
    });
    const places = new Set(present.map(({ place }) => place));
    for (const place of [...mounted].filter((of) => !places.has(of))) {
      await rm(place, { recursive: true });
      mounted.delete(place);
    }
    for (const [name, targetPath] of volumes) {
      if (![...places].some((place) => targetPath.startsWith(place))) {
        volumes.delete(name);
      }
    }
    await Promise.all(present.filter(({ place }) => !mounted.has(place)).map(({ pod, node }) => start(pod, node)));
  }

  async function keep(): Promise<void> {
    while (!closing.signal.aborted) {
      // What fails, as a mount may, is tried again; the provider's log says why.
      await look().catch(() => undefined);
      await sleep(LOOK_EVERY_MS);
    }
  }

  const kept = keep();
  return {
    async [Symbol.asyncDispose]() {
      closing.abort();
      await kept;
    },
  };
}
