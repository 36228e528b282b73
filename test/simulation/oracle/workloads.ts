import type { KubeObject } from '../../fakes/kube/kube-object.ts';
import { versionsIn } from '../aws-account.ts';
import type { DeploymentModel } from '../deployments.ts';
import type { SimulatedPod } from '../driver-model.ts';
import { NAMESPACE, roleOf } from '../objects.ts';
import { filesIn } from '../volume-files.ts';
import { INTERVAL_MS, MIN_RESTART_MS, type World } from '../world.ts';
import type { Findings } from './findings.ts';
import { textsOf } from './secrets.ts';

export interface WorkloadCheck {
  /** Looks at a Deployment that a node has written. */
  checkWrite(node: string, deployment: KubeObject): void;
  /** Files that containers of a pod see have changed. */
  filesChanged(pod: SimulatedPod): void;
  /** Looks for rolls that are late. */
  check(): void;
  checkRest(): void;
}

/** By which the times are apart that two nodes take from AWS, and what a controller takes to see a change. */
const SKEW_MS = 5_000;
/** From a volume with new files to the roll that they call for, where nothing stands in between. */
const ROLL_WITHIN_MS = 30_000;
/** Where the driver writes the files, only its calls can lead to a roll. */
const DRIVER_CALLS_WITHIN_MS = 130_000;
/** From a changed template to pods of the next generation. */
const CONTROLLER_MS = 5_000;
/** From the answer of AWS for a Mount call to the end of the call. */
const START_MS = 10_000;
/** Nodes take the time from AWS, which tells whole seconds. */
const CLOCKS_AGREE_MS = 2_000;

export function createWorkloadCheck(world: World, { violated }: Findings): WorkloadCheck {
  const { clock, aws, api, nodes, deployments, classes, editedAt, accounts, secrets } = world;
  const templates = new Map<string, string>();
  /** When the versions that a workload mounts were first recorded, by its name: what came before restarts nothing. */
  const notedAt = new Map<string, number>();
  /** Since when the files of a pod call for a roll of its workload, by its name. */
  const due = new Map<string, number>();
  /** When a node rolled a workload, by its name. */
  const rolledBy = new Map<string, number>();
  /** Pods that started while AWS could not tell what is new: they may start with what the node's cache holds. */
  const startedInTrouble = new Set<SimulatedPod>();
  let troubledAt = 0;

  function deploymentOf(name: string): DeploymentModel | undefined {
    return deployments.find(({ plan }) => plan.name === name);
  }

  /** Whether something keeps a poll from its end. */
  function isTroubled(): boolean {
    const roles = accounts.map(roleOf);
    return (
      api.fault !== undefined ||
      aws.fault !== undefined ||
      roles.some((role) => secrets.some((secret) => !aws.mayRead(role, secret)))
    );
  }

  /** What is newer is told by clocks, and by what AWS shows a node. */
  function agreeOnNewest(): boolean {
    return aws.propagationMs === 0 && nodes.every(({ wrongUntil }) => wrongUntil === 0);
  }

  /** A container that takes variables from the Secret starts with what is in it now. */
  function checkSecretIsNew(node: string, { plan }: DeploymentModel): void {
    const secretName = classes.get(plan.className)?.secretName;
    const secret = api.find(`/api/v1/namespaces/${NAMESPACE}/secrets/${secretName}`);
    const pods = nodes.filter(({ name }) => name === node).flatMap(({ pods: its }) => [...its]);
    const held = pods
      .filter((pod) => pod.plan === plan && pod.mountedAt !== undefined)
      .map((pod) => new Map([...filesIn(pod).values()].flatMap(versionsIn)));
    for (const [name, version] of secret === undefined ? [] : textsOf(secret).flatMap(versionsIn)) {
      const least = Math.min(...held.map((versions) => versions.get(name) ?? 0));
      if (version < least && least !== Number.POSITIVE_INFINITY) {
        violated(`${node} rolled ${plan.name} while the Secret ${secretName} had version ${version} of ${name}`);
      }
    }
  }

  function checkRolls({ plan, rolledAt }: DeploymentModel): void {
    const edited = editedAt.get(plan.className)?.length ?? 0;
    // A secret may have been rotated while the class had it.
    const mounted = edited > 0 ? aws.names() : (classes.get(plan.className)?.secrets ?? []);
    const changes = mounted.reduce((sum, secret) => sum + aws.currentOf(secret) - 1, edited);
    if (!plan.restarts && rolledAt.length > 0) {
      violated(`${plan.name} was rolled, though it does not ask for it`);
    }
    if (!agreeOnNewest()) {
      return;
    }
    if (rolledAt.length > changes) {
      violated(`${plan.name} was rolled ${rolledAt.length} times for ${changes} changes`);
    }
    const pauses = rolledAt.slice(1).map((at, index) => at - (rolledAt[index] ?? 0));
    if (pauses.some((pause) => pause < MIN_RESTART_MS - SKEW_MS)) {
      violated(`${plan.name} was rolled twice within ${Math.min(...pauses)} ms`);
    }
  }

  /** Containers that cannot reload have started with what AWS has. */
  function checkStarts({ plan, pods }: DeploymentModel): void {
    const mounted = classes.get(plan.className)?.secrets ?? [];
    const changedAt = Math.max(...mounted.map(aws.rotatedAt), editedAt.get(plan.className)?.at(-1) ?? 0);
    // Rolled within a second or two: for another node what it read just before the change may count as later.
    const rolledIn = (rolledBy.get(plan.name) ?? 0) - changedAt;
    const isHasty = rolledIn >= 0 && rolledIn < CLOCKS_AGREE_MS;
    if (
      !plan.restarts ||
      isHasty ||
      !agreeOnNewest() ||
      (notedAt.get(plan.name) ?? Number.POSITIVE_INFINITY) > changedAt
    ) {
      return;
    }
    const starts = [...pods].filter((pod) => !startedInTrouble.has(pod));
    for (const { name, startedWith = new Map<string, string>() } of starts) {
      const old = [...startedWith.values()].flatMap(versionsIn).find(([secret, at]) => at !== aws.currentOf(secret));
      if (old !== undefined) {
        violated(`at rest ${name} still runs with version ${old[1]} of ${old[0]}, which it started with`);
      }
    }
  }

  return {
    checkWrite(node, { metadata, spec }) {
      const deployment = deploymentOf(metadata.name);
      if (deployment === undefined) {
        return;
      }
      notedAt.set(metadata.name, notedAt.get(metadata.name) ?? clock.now());
      const template = JSON.stringify((spec as { readonly template?: object } | undefined)?.template);
      const before = templates.get(metadata.name) ?? template;
      templates.set(metadata.name, template);
      if (template !== before) {
        due.delete(metadata.name);
        rolledBy.set(metadata.name, clock.now());
        checkSecretIsNew(node, deployment);
      }
    },
    filesChanged(pod) {
      const { plan, generation } = pod;
      // A pod of the generation before may be told only now what the others were rolled for.
      const isNewest = deploymentOf(plan.name)?.generation === generation;
      const isAfterRoll = (rolledBy.get(plan.name) ?? Number.NEGATIVE_INFINITY) + CONTROLLER_MS < clock.now();
      if (
        plan.restarts &&
        agreeOnNewest() &&
        !startedInTrouble.has(pod) &&
        isNewest &&
        isAfterRoll &&
        notedAt.has(plan.name) &&
        !due.has(plan.name)
      ) {
        due.set(plan.name, clock.now());
      }
    },
    check() {
      const now = clock.now();
      if (isTroubled()) {
        troubledAt = now;
        const starting = nodes
          .flatMap(({ pods }) => [...pods])
          .filter(({ mountedAt = now }) => mountedAt > now - START_MS);
        starting.forEach((pod) => startedInTrouble.add(pod));
      }
      const lastTrouble = Math.max(troubledAt, ...nodes.map(({ killedAt }) => killedAt));
      for (const [name, since] of due) {
        const wasTroubled = lastTrouble > since - INTERVAL_MS;
        const rolled = deploymentOf(name)?.rolledAt.at(-1) ?? Number.NEGATIVE_INFINITY;
        const from = Math.max(since, rolled + MIN_RESTART_MS, lastTrouble + (wasTroubled ? 2 * INTERVAL_MS : 0));
        const allowedMs = ROLL_WITHIN_MS + SKEW_MS + (world.traits.driverWrites ? DRIVER_CALLS_WITHIN_MS : 0);
        if (now > from + allowedMs) {
          violated(`${name} is not rolled for the files that came at ${(since / 1_000).toFixed(0)} s`);
          due.delete(name);
        }
      }
    },
    checkRest() {
      deployments.forEach(checkRolls);
      deployments.forEach(checkStarts);
    },
  };
}
