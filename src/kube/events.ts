import type { CoreV1Event } from '@kubernetes/client-node';
import { createHash } from 'node:crypto';
import { createCache } from '../concurrency/cache.ts';
import type { PodEvent } from '../model/kube-objects.ts';
import { type Logger, mountFields } from '../observability/logger.ts';
import { ProviderError } from '../model/errors.ts';
import { cutText, visible } from '../text/visible-text.ts';
import type { Kube } from './client.ts';

export interface EventSource {
  /** Name of the component that reports the event. */
  readonly component: string;
  readonly nodeName?: string;
}

/** Never throws: an event that cannot be written is only logged. */
export type EventRecorder = (event: PodEvent, signal: AbortSignal) => Promise<void>;

/** An equal event is repeated after this time, because the API server deletes events after an hour. */
const REPEAT_AFTER_MS = 10 * 60_000;
const MAX_RECORDED = 1_000;

/** The API server's limit (validation/events.go). */
const MAX_MESSAGE_BYTES = 1024;

/** A name has at most 253 characters, and a dot and sixteen digits are appended. */
const MAX_POD_NAME_PART = 253 - 17;

/** Records events of pods. Skips an event that was recorded a short while ago, and increases the count of one that still exists. */
export function createEventRecorder(kube: Kube, source: EventSource, log: Logger): EventRecorder {
  /** Names of recent events. */
  const recorded = createCache<true>(kube.clock, { ttlMs: REPEAT_AFTER_MS, maxEntries: MAX_RECORDED });

  async function send(name: string, event: PodEvent, signal: AbortSignal): Promise<void> {
    const target = { resource: 'events', namespace: event.pod.namespace, name } as const;
    const body = apiEvent(name, event, source, kube.clock.wallNow());
    const created = await kube.ask({ verb: 'create', ...target, body, accepts: [409] }, signal);
    if (created.status !== 409) {
      return;
    }
    // The first patch returns the count, so that no permission to read events is needed.
    const again = { lastTimestamp: body.lastTimestamp };
    const seen = await kube.ask<CoreV1Event>({ verb: 'merge', ...target, body: again, accepts: [404] }, signal);
    const { count = 0, metadata } = seen.object;
    const counted = { count: count + 1, metadata: { resourceVersion: metadata?.resourceVersion } };
    await kube.ask({ verb: 'merge', ...target, body: counted, accepts: [404, 409] }, signal);
  }

  return async (event, signal) => {
    const name = nameOf(event);
    if (recorded.has(name)) {
      return;
    }
    recorded.set(name, true);
    try {
      await send(name, event, signal);
    } catch (thrown) {
      recorded.delete(name);
      if (!signal.aborted) {
        log.warn({ ...mountFields(event.pod), error: ProviderError.from(thrown).message }, 'event not written');
      }
    }
  };
}

/** The parts of equal messages of AWS that differ each time: request ids and Unix times. */
const VOLATILE = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b\d{10}\b/g;

function nameOf({ pod, type, reason, message }: PodEvent): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([pod.uid, type, reason, message.replaceAll(VOLATILE, '')]))
    .digest('hex');
  // The character before a dot must be a letter or a digit.
  const podPart = pod.name.slice(0, MAX_POD_NAME_PART).replace(/[^a-z0-9]+$/, '');
  return `${podPart}.${hash.slice(0, 16)}`;
}

function apiEvent(
  name: string,
  { pod, type, reason, message }: PodEvent,
  { component, nodeName }: EventSource,
  wallNow: number,
) {
  const { namespace, uid } = pod;
  const now = `${new Date(wallNow).toISOString().slice(0, 19)}Z`;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name: pod.name, uid },
    type,
    reason,
    message: cut(message),
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
    source: { component, ...(nodeName !== undefined && { host: nodeName }) },
    reportingComponent: component,
    ...(nodeName !== undefined && { reportingInstance: nodeName }),
  };
}

/** Shortens a message to the limit, without splitting a character. */
function cut(message: string): string {
  const shown = visible(cutText(message, MAX_MESSAGE_BYTES + 1));
  const bytes = new TextEncoder().encode(shown).length;
  if (bytes <= MAX_MESSAGE_BYTES) {
    return shown;
  }
  const room = MAX_MESSAGE_BYTES - new TextEncoder().encode('…').length;
  const { read } = new TextEncoder().encodeInto(shown, new Uint8Array(room));
  return `${shown.slice(0, read)}…`;
}
