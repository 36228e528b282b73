import type { KubeObject } from '../../fakes/kube/kube-object.ts';
import { versionsIn } from '../aws-account.ts';
import type { SimulatedPod } from '../driver-model.ts';
import { filesOf, NAMESPACE, pathOfPod, roleOf } from '../objects.ts';
import { filesIn } from '../volume-files.ts';
import { INTERVAL_MS, type World } from '../world.ts';
import type { Findings } from './findings.ts';
import type { Holder } from './held-values.ts';

export interface SecretCheck {
  /** Looks at a Secret that a node has written. */
  checkWrite(node: string, secret: KubeObject): void;
  /** Looks at versions that a node has recorded: what follows from them comes before. */
  checkStatus(node: string, status: KubeObject): void;
  /** Each Secret that is asked for is there, current and owned; others are gone. */
  checkRest(): void;
}

/** Precision of the times of AWS's responses. */
const DATE_MS = 1_000;
/** A write may have been given up because of an API server that failed up to so long ago. */
const TROUBLE_MS = 60_000;
/** A pod that has run for so long is known to its node. */
const SETTLED_MS = 5_000;

interface Status {
  readonly podName?: string;
  readonly objects?: readonly { readonly id: string; readonly version: string }[];
}

export function createSecretCheck(
  { aws, api, nodes, deployments, classes, foreign, clock }: World,
  { violated }: Findings,
  checkValues: (holder: Holder) => void,
): SecretCheck {
  /** AWS tells the time in whole seconds. The value that it showed a node last is the newest for that node, and is cached for an interval. */
  function toleranceMs(): number {
    return DATE_MS + (aws.propagationMs === 0 ? 0 : aws.propagationMs + INTERVAL_MS);
  }

  function isHeldOn(name: string, text: string): boolean {
    return nodes
      .filter((node) => node.name === name)
      .some(({ pods }) => [...pods].some((pod) => [...filesIn(pod).values()].some((held) => held.includes(text))));
  }

  function checkSecretOf(pod: SimulatedPod): void {
    const plan = classes.get(pod.className);
    if (plan?.secretName === undefined || foreign.has(plan.secretName) || pod.mountedAt === undefined) {
      return;
    }
    const name = plan.secretName;
    const secret = api.find(`/api/v1/namespaces/${NAMESPACE}/secrets/${name}`);
    if (secret === undefined) {
      violated(`at rest there is no Secret ${name} for ${pod.name}`);
      return;
    }
    const texts = textsOf(secret);
    for (const [aSecret, version] of texts.flatMap(versionsIn)) {
      if (version !== aws.currentOf(aSecret)) {
        violated(`at rest Secret ${name} has version ${version} of ${aSecret}, not ${aws.currentOf(aSecret)}`);
      }
    }
    if (texts.length !== filesOf(plan).length) {
      violated(`at rest Secret ${name} has ${texts.length} keys`);
    }
    const owner = `replicaset-${pod.name.replace(/-\d+$/, '')}`;
    if (secret.metadata.ownerReferences?.some(({ uid }) => uid === owner) !== true) {
      violated(`at rest Secret ${name} is not owned by ${owner}`);
    }
  }

  function isTroubled(): boolean {
    return api.fault !== undefined || clock.now() < api.faultChangedAt + TROUBLE_MS;
  }

  /** A container that starts again would not find it. */
  function checkDeletion(node: string, secretName: string): void {
    const needing = nodes
      .flatMap(({ pods }) => [...pods])
      .find(
        ({ name, className, mountedAt = Infinity }) =>
          mountedAt + SETTLED_MS < clock.now() &&
          classes.get(className)?.secretName === secretName &&
          api.find(pathOfPod(name))?.metadata['deletionTimestamp'] === undefined,
      );
    if (needing !== undefined && !isTroubled()) {
      violated(`${node} deleted the Secret ${secretName}, which ${needing.name} needs`);
    }
  }

  function checkLeftSecrets(): void {
    const pods = nodes.flatMap((node) => [...node.pods]);
    const used = new Set(pods.map(({ className }) => classes.get(className)?.secretName));
    for (const { kind, metadata } of api.all()) {
      if (kind === 'Secret' && !used.has(metadata.name) && !foreign.has(metadata.name)) {
        violated(`at rest the Secret ${metadata.name} is still there, though no class asks for it`);
      }
    }
  }

  return {
    checkWrite(node, { metadata, ...secret }) {
      if (secret['isDeleted'] === true) {
        checkDeletion(node, metadata.name);
        return;
      }
      if (foreign.has(metadata.name)) {
        violated(`${node} has written the Secret ${metadata.name}, which is not ours`);
      }
      if ((metadata.ownerReferences ?? []).length === 0) {
        violated(`${node} has left the Secret ${metadata.name} without an owner`);
      }
      const plan = [...classes.values()].find(({ secretName }) => secretName === metadata.name);
      const writer = deployments.find((each) => each.plan.className === plan?.name && each.plan.isTrusted);
      if (writer !== undefined) {
        checkValues({
          name: `the Secret ${metadata.name} (${metadata.uid})`,
          role: roleOf(writer.plan.account),
          texts: textsOf(secret),
          toleranceMs: toleranceMs(),
          mirrors: (text) => isHeldOn(node, text),
        });
      }
    },
    checkStatus(node, { metadata, status }) {
      const { podName = '', objects = [] } = (status ?? {}) as Status;
      const pod = nodes.flatMap(({ pods }) => [...pods]).find(({ name }) => name === podName);
      const secretName = classes.get(pod?.className ?? '')?.secretName;
      const secret = api.find(`/api/v1/namespaces/${NAMESPACE}/secrets/${secretName}`);
      const isEnding = api.find(pathOfPod(podName))?.metadata['deletionTimestamp'] !== undefined;
      if (secret === undefined || foreign.has(secretName ?? '') || isEnding || isTroubled() || aws.propagationMs > 0) {
        return;
      }
      const held = new Map(textsOf(secret).flatMap(versionsIn));
      for (const { id, version } of objects) {
        if ((held.get(id) ?? Infinity) < Number(/\d+$/.exec(version)?.[0])) {
          violated(`${node} recorded ${version} in ${metadata.name} before it was in the Secret ${secretName}`);
        }
      }
    },
    checkRest() {
      nodes.forEach(({ pods }) => pods.forEach(checkSecretOf));
      checkLeftSecrets();
    },
  };
}

/** What a Kubernetes Secret holds. */
export function textsOf(secret: Readonly<Record<string, unknown>>): readonly string[] {
  const data = (secret['data'] ?? {}) as Readonly<Record<string, string>>;
  return Object.values(data).map((value) => Buffer.from(value, 'base64').toString());
}
