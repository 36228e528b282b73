import type { SimulatedPod } from './driver-model.ts';
import type { NodeModel } from './node-model.ts';
import { deploymentObject, NAMESPACE, replicaSetObject, type WorkloadPlan } from './objects.ts';
import type { Surroundings } from './surroundings.ts';

/** A Deployment, and what its controller does: another ReplicaSet with other pods whenever its template changes. */
export interface DeploymentModel {
  readonly plan: WorkloadPlan;
  readonly pods: ReadonlySet<SimulatedPod>;
  /** Of its newest pods, from 1. */
  readonly generation: number;
  /** Milliseconds of the world's clock at which its template changed. */
  readonly rolledAt: readonly number[];
  /** A pod is deleted, and another comes in its place. @param beforeUnmount is awaited before its volume is emptied */
  replacePod(beforeUnmount?: () => Promise<void>): void;
}

interface DeploymentDeps extends Surroundings {
  readonly nodes: readonly NodeModel[];
}

const TICK_MS = 1_000;

export function startDeployment(plan: WorkloadPlan, deps: DeploymentDeps): DeploymentModel {
  const { clock, random, api, nodes, tell } = deps;
  const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${plan.name}`;
  const rolledAt: number[] = [];
  const pods = new Set<SimulatedPod>();
  const nodeOf = new Map<SimulatedPod, NodeModel>();
  let generation = 0;
  let started = 0;
  let template = '';
  let isRolling = false;

  function templateNow(): string {
    return JSON.stringify((api.find(path)?.['spec'] as { readonly template?: unknown } | undefined)?.template);
  }

  function startPods(): readonly SimulatedPod[] {
    generation += 1;
    api.put(replicaSetObject(plan, generation));
    return Array.from({ length: plan.replicas }, startPod);
  }

  function startPod(): SimulatedPod {
    const node = random.pick(nodes);
    started += 1;
    const pod = node.runPod(plan, generation, `${plan.name}-${generation}-${started}`);
    pods.add(pod);
    nodeOf.set(pod, node);
    return pod;
  }

  async function end(pod: SimulatedPod, beforeUnmount?: () => Promise<void>): Promise<void> {
    await nodeOf.get(pod)?.endPod(pod, beforeUnmount);
    pods.delete(pod);
  }

  async function roll(): Promise<void> {
    const old = [...pods];
    isRolling = true;
    const oldGeneration = generation;
    const next = startPods();
    while (next.some(({ mountedAt }) => mountedAt === undefined)) {
      await clock.sleep(TICK_MS);
    }
    await Promise.all(old.map((pod) => end(pod)));
    isRolling = false;
    // Of those that are kept for a way back, one is enough here.
    api.remove(`/apis/apps/v1/namespaces/${NAMESPACE}/replicasets/${plan.name}-${oldGeneration - 1}`);
  }

  async function control(): Promise<void> {
    let version = '';
    for (;;) {
      await clock.sleep(TICK_MS);
      if (version === api.version) {
        continue;
      }
      version = api.version;
      const now = templateNow();
      if (now !== template) {
        template = now;
        rolledAt.push(clock.now());
        tell(`Deployment ${plan.name} is rolled`);
        await roll();
      }
    }
  }

  api.put(deploymentObject(plan));
  template = templateNow();
  startPods();
  void control();
  return {
    plan,
    pods,
    get generation() {
      return generation;
    },
    rolledAt,
    replacePod(beforeUnmount) {
      const [oldest] = pods;
      if (oldest !== undefined && !isRolling) {
        tell(`${oldest.name} is deleted`);
        startPod();
        void end(oldest, beforeUnmount);
      }
    },
  };
}
