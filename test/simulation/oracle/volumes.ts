import { versionsIn } from '../aws-account.ts';
import type { SimulatedPod } from '../driver-model.ts';
import type { NodeModel } from '../node-model.ts';
import { filesOf, roleOf } from '../objects.ts';
import { filesIn, setIn } from '../volume-files.ts';
import { INTERVAL_MS, type World } from '../world.ts';
import type { Findings } from './findings.ts';
import type { Holder } from './held-values.ts';

export interface VolumeCheck {
  /** Looks at the volumes that have changed. @param onChange is told of each that its containers see change */
  check(onChange: (pod: SimulatedPod) => void): void;
  /** Each volume has what its class asks for, as AWS has it. */
  checkRest(): void;
}

/** From the first answer of AWS for a volume to its files. */
const FETCH_MS = 5_000;

export function createVolumeCheck(
  world: World,
  { violated }: Findings,
  checkValues: (holder: Holder) => void,
): VolumeCheck {
  const { aws, nodes, classes, clock, traits } = world;
  /** Name of the current set, by volume. */
  const seen = new Map<string, string>();
  const lookedAt = new Map<NodeModel, number>();

  /** Of secrets that were rotated together none must stay behind when a poll brings a volume up to date. A Mount call may use what is cached. */
  function checkPair(name: string, texts: readonly string[]): void {
    const held = new Map(texts.flatMap(versionsIn));
    const mixedForMs = aws.propagationMs + FETCH_MS + (traits.driver === 'without rotation' ? 0 : INTERVAL_MS);
    for (const { versions, at } of aws.pairs) {
      const ofPair = [...held].filter(([secret]) => versions.has(secret));
      const isNew = ofPair.map(([secret, version]) => version >= (versions.get(secret) ?? 0));
      if (new Set(isNew).size > 1 && clock.now() > at + mixedForMs) {
        const mix = ofPair.map(([secret, version]) => `${secret} ${version}`).join(', ');
        violated(`${name} mixes values from before and after ${(at / 1_000).toFixed(3)} s: ${mix}`);
      }
    }
  }

  function checkVolume(node: NodeModel, pod: SimulatedPod, onChange: (pod: SimulatedPod) => void): void {
    const set = setIn(pod);
    const before = seen.get(pod.targetPath);
    if (set === undefined || set === before) {
      return;
    }
    seen.set(pod.targetPath, set);
    const name = `the volume of ${pod.name} on ${node.name}`;
    const texts = [...filesIn(pod).values()];
    checkValues({ name, role: roleOf(pod.plan.account), texts, toleranceMs: 0, mirrors: () => false });
    if (before !== undefined) {
      checkPair(name, texts);
      onChange(pod);
    }
  }

  function checkEnded(node: NodeModel): void {
    for (const pod of node.ended.slice(lookedAt.get(node) ?? 0)) {
      if ((pod.leftovers ?? []).length > 0) {
        violated(`the emptied volume of ${pod.name} on ${node.name} was filled again`);
      }
    }
    lookedAt.set(node, node.ended.length);
  }

  function checkPod(node: NodeModel, pod: SimulatedPod): void {
    const plan = classes.get(pod.className);
    const role = roleOf(pod.plan.account);
    if (plan === undefined || plan.secrets.some((secret) => !aws.mayRead(role, secret))) {
      return;
    }
    const contents = filesIn(pod);
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
  }

  return {
    check(onChange) {
      for (const node of nodes) {
        node.pods.forEach((pod) => checkVolume(node, pod, onChange));
        checkEnded(node);
      }
    },
    checkRest() {
      nodes.forEach((node) => node.pods.forEach((pod) => checkPod(node, pod)));
    },
  };
}
