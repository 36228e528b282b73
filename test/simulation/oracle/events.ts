import type { SimulatedPod } from '../driver-model.ts';
import type { NodeModel } from '../node-model.ts';
import { roleOf } from '../objects.ts';
import { INTERVAL_MS, type World } from '../world.ts';
import type { Findings } from './findings.ts';

/** From a poll that failed to the event that says so. */
const SLACK_MS = 60_000;
/** How many lines of the story's seconds lie between two looks, which read all events. */
const EVERY_MS = 20_000;

/** A pod whose files could not be refreshed for two intervals has an event that says so. @returns the check, to be made each second */
export function createEventCheck(
  { clock, aws, api, nodes, classes, editedAt }: World,
  { violated }: Findings,
): () => void {
  let troubledAt = 0;
  let lookedAt = 0;

  function warned(): ReadonlySet<string> {
    const events = api.all().filter(({ kind, ...event }) => kind === 'Event' && event['type'] === 'Warning');
    return new Set(events.map((event) => (event['involvedObject'] as { readonly uid: string }).uid));
  }

  /** Since when nothing but a refusal of AWS keeps a pod from its values; undefined: none does. */
  function refusedSince(node: NodeModel, { plan, className, mountedAt }: SimulatedPod): number | undefined {
    const refused = (classes.get(className)?.secrets ?? []).flatMap(
      (secret) => aws.deniedSince(roleOf(plan.account), secret) ?? [],
    );
    return mountedAt === undefined || refused.length === 0
      ? undefined
      : Math.max(mountedAt, node.killedAt, troubledAt, editedAt.get(className)?.at(-1) ?? 0, Math.min(...refused));
  }

  return () => {
    const now = clock.now();
    if (api.fault !== undefined || aws.fault !== undefined) {
      troubledAt = now;
    }
    if (now < lookedAt + EVERY_MS) {
      return;
    }
    lookedAt = now;
    const late = nodes.flatMap((node) =>
      [...node.pods].filter((pod) => (refusedSince(node, pod) ?? now) + 2 * INTERVAL_MS + SLACK_MS < now),
    );
    const told = late.length === 0 ? new Set() : warned();
    for (const { name } of late.filter((pod) => !told.has(`pod-${pod.name}`))) {
      violated(`no event tells ${name} that its files cannot be refreshed`);
    }
  };
}
