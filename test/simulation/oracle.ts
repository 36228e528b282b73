import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../src/concurrency/clock.ts';
import type { KubeObject } from '../fakes/kube/kube-object.ts';
import type { ApiServerModel } from './api-server-model.ts';
import { type AwsModel, PROPAGATION_MS, versionsIn } from './aws-model.ts';
import type { DeploymentModel } from './deployments.ts';
import type { NodeModel, SimulatedPod } from './node-model.ts';
import { type ClassPlan, filesOf, NAMESPACE, roleOf } from './objects.ts';

/** Asks after each step whether all is as it must be. */
export interface Oracle {
  /** What must never have been, in the order in which it was seen. */
  readonly violations: readonly string[];
  /** Looks at the volumes that have changed. */
  checkVolumes(): void;
  /** Looks at a Secret that a node has written. */
  checkWrite(node: string, object: KubeObject): void;
  /** All that must hold once nothing has gone wrong for two intervals. */
  checkRest(): void;
}

export interface OracleDeps {
  readonly world: Clock;
  readonly aws: AwsModel;
  readonly api: ApiServerModel;
  readonly nodes: readonly NodeModel[];
  readonly deployments: readonly DeploymentModel[];
  readonly classes: ReadonlyMap<string, ClassPlan>;
  /** How often each class was changed. */
  readonly edits: ReadonlyMap<string, number>;
  /** Names of Secrets that somebody else has made. */
  readonly foreign: ReadonlySet<string>;
  readonly intervalMs: number;
  readonly minRestartMs: number;
}

/** From AWS's answer to what is made of it: some tries of the API server in between. */
const SLACK_MS = 60_000;
/** Precision of the times of AWS's responses. */
const DATE_MS = 1_000;
/** By which the clocks of two nodes are apart at most, and what a controller takes to see a change. */
const SKEW_MS = 62_000;

/** AWS may show a node the older value for some seconds after another node has written the newer one into a Secret. A volume has one node only. */
function toleranceOf(holder: string): number {
  return holder.startsWith('the Secret') ? PROPAGATION_MS + DATE_MS : 0;
}

export function createOracle(deps: OracleDeps): Oracle {
  const { world, aws, api, nodes, deployments, classes, edits, foreign, intervalMs, minRestartMs } = deps;
  const violations: string[] = [];
  /** Name of the current set, by volume. */
  const seen = new Map<string, string>();
  /** Greatest version of each secret that a volume or a Kubernetes Secret held. */
  const newest = new Map<string, { readonly version: number; readonly at: number }>();

  function violated(what: string): void {
    violations.push(`${(world.now() / 1_000).toFixed(3)} s: ${what}`);
  }

  /**
   * What holds these texts must hold one version of each secret, that its identity could read a short while ago, and none older than before.
   * @param mirrors whether it may show what pods hold though AWS has not confirmed it for long
   */
  function checkTexts(
    holder: string,
    role: string,
    texts: readonly string[],
    mirrors: (text: string) => boolean,
  ): void {
    const found = texts.flatMap(versionsIn);
    for (const [secret, version] of new Map(found)) {
      if (found.some(([other, another]) => other === secret && another !== version)) {
        violated(`${holder} holds two versions of ${secret}`);
      }
      const from = world.now() - intervalMs - SLACK_MS;
      const isRecent = aws.couldRead(role, secret, version, from, world.now());
      if (!isRecent && !mirrors(`${secret}#${version}#`)) {
        violated(`${holder} got version ${version} of ${secret}, which ${role} could not read within the interval`);
      }
      const key = `${holder} ${secret}`;
      const before = newest.get(key) ?? { version: 0, at: 0 };
      if (version >= before.version) {
        newest.set(key, { version, at: version > before.version ? world.now() : before.at });
      } else if (world.now() - before.at > toleranceOf(holder)) {
        violated(`${holder} went back from version ${before.version} to ${version} of ${secret}`);
      } else {
        newest.set(key, { version, at: before.at });
      }
    }
  }

  function isHeldOn(name: string, text: string): boolean {
    return nodes
      .filter((node) => node.name === name)
      .some(({ pods }) => [...pods].some((pod) => [...contentsOf(pod).values()].some((held) => held.includes(text))));
  }

  function checkVolume(node: NodeModel, pod: SimulatedPod): void {
    const set = setIn(pod);
    if (set === undefined || seen.get(pod.targetPath) === set) {
      return;
    }
    seen.set(pod.targetPath, set);
    checkTexts(
      `the volume of ${pod.name} on ${node.name}`,
      roleOf(pod.plan.account),
      [...contentsOf(pod).values()],
      () => false,
    );
  }

  function checkPod(node: NodeModel, pod: SimulatedPod): void {
    const plan = classes.get(pod.className);
    const role = roleOf(pod.plan.account);
    if (plan === undefined || plan.secrets.some((secret) => !aws.mayRead(role, secret))) {
      return;
    }
    const contents = contentsOf(pod);
    if ([...contents.keys()].toSorted().join(' ') !== filesOf(plan).toSorted().join(' ')) {
      violated(`at rest the volume of ${pod.name} on ${node.name} has the files ${[...contents.keys()].join(', ')}`);
    }
    for (const [secret, version] of [...contents.values()].flatMap(versionsIn)) {
      if (version !== aws.currentOf(secret)) {
        violated(
          `at rest ${pod.name} on ${node.name} has version ${version} of ${secret}, not ${aws.currentOf(secret)}`,
        );
      }
    }
    if (plan.secretName !== undefined && !foreign.has(plan.secretName)) {
      checkSecret(plan.secretName, plan, pod);
    }
  }

  function checkSecret(name: string, plan: ClassPlan, pod: SimulatedPod): void {
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

  function checkDeployment({ plan, rolledAt }: DeploymentModel): void {
    const secrets = classes.get(plan.className)?.secrets ?? [];
    const edited = edits.get(plan.className) ?? 0;
    // A secret may have been rotated while the class had it.
    const mounted = edited > 0 ? aws.names() : secrets;
    const changes = mounted.reduce((sum, secret) => sum + aws.currentOf(secret) - 1, edited);
    if (rolledAt.length > changes) {
      violated(`${plan.name} was rolled ${rolledAt.length} times for ${changes} changes`);
    }
    if (!plan.restarts && rolledAt.length > 0) {
      violated(`${plan.name} was rolled, though it does not ask for it`);
    }
    const pairs = rolledAt.slice(1).map((at, index) => at - (rolledAt[index] ?? 0));
    if (pairs.some((pause) => pause < minRestartMs - SKEW_MS)) {
      violated(`${plan.name} was rolled twice within ${Math.min(...pairs)} ms`);
    }
  }

  return {
    violations,
    checkVolumes() {
      for (const node of nodes) {
        node.pods.forEach((pod) => checkVolume(node, pod));
      }
    },
    checkWrite(node, object) {
      const { kind, metadata } = object;
      if (kind !== 'Secret') {
        return;
      }
      if (foreign.has(metadata.name)) {
        violated(`${node} has written the Secret ${metadata.name}, which is not ours`);
      }
      if ((metadata.ownerReferences ?? []).length === 0) {
        violated(`${node} has left the Secret ${metadata.name} without an owner`);
      }
      const plan = [...classes.values()].find(({ secretName }) => secretName === metadata.name);
      const accounts = new Set(
        deployments.filter(({ plan: { className } }) => className === plan?.name).map((each) => each.plan.account),
      );
      const [account] = accounts;
      if (account !== undefined) {
        checkTexts(`the Secret ${metadata.name} (${metadata.uid})`, roleOf(account), textsOf(object), (text) =>
          isHeldOn(node, text),
        );
      }
    },
    checkRest() {
      for (const node of nodes) {
        node.pods.forEach((pod) => checkPod(node, pod));
      }
      deployments.forEach(checkDeployment);
      checkLeftSecrets();
    },
  };

  function checkLeftSecrets(): void {
    const used = new Set(
      [...nodes].flatMap((node) => [...node.pods].map(({ className }) => classes.get(className)?.secretName)),
    );
    for (const { kind, metadata } of api.all()) {
      if (kind === 'Secret' && !used.has(metadata.name) && !foreign.has(metadata.name)) {
        violated(`at rest the Secret ${metadata.name} is still there, though no class asks for it`);
      }
    }
  }
}

function textsOf(secret: KubeObject): readonly string[] {
  const data = (secret['data'] ?? {}) as Readonly<Record<string, string>>;
  return Object.values(data).map((value) => Buffer.from(value, 'base64').toString());
}

function setIn({ targetPath }: SimulatedPod): string | undefined {
  try {
    return readlinkSync(join(targetPath, '..data'));
  } catch {
    return undefined;
  }
}

/** Text by file, as a container of the pod sees them. */
function contentsOf({ targetPath }: SimulatedPod): ReadonlyMap<string, string> {
  const names = readdirSync(targetPath).filter((name) => !name.startsWith('..'));
  return new Map(names.map((name) => [name, readFileSync(join(targetPath, name), 'utf8')]));
}
