import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createEventRecorder } from '../../../src/kube/events.ts';
import type { PodEvent } from '../../../src/model/kube-objects.ts';
import { NEVER, startKube } from './kube-fixture.ts';

const POD = { namespace: 'shop', name: 'web-1', uid: 'uid-1', serviceAccount: 'web' };
const SOURCE = { component: 'aws-secrets-csi', nodeName: 'node-1' };
const NO_LOG = pino({ level: 'silent' });
const EVENT: PodEvent = { pod: POD, type: 'Warning', reason: 'AccessDenied', message: 'cannot read "db"' };

describe('an event', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is on the pod, and names the component and the node', async () => {
    await using fixture = await startKube();

    await createEventRecorder(fixture.kube, SOURCE, NO_LOG)(EVENT, NEVER);

    expect(fixture.api.objects).toMatchObject([
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { namespace: 'shop', name: expect.stringMatching(/^web-1\.[0-9a-f]{16}$/) },
        involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web-1', uid: 'uid-1' },
        type: 'Warning',
        reason: 'AccessDenied',
        message: 'cannot read "db"',
        count: 1,
        source: { component: 'aws-secrets-csi', host: 'node-1' },
        reportingComponent: 'aws-secrets-csi',
      },
    ]);
  });

  it('is not repeated for ten minutes, and is counted then', async () => {
    await using fixture = await startKube();
    vi.useFakeTimers({ toFake: ['performance', 'Date'] });
    const record = createEventRecorder(fixture.kube, SOURCE, NO_LOG);
    await record(EVENT, NEVER);

    vi.advanceTimersByTime(600_000);
    await record(EVENT, NEVER);
    const requests = fixture.api.requests.length;
    vi.advanceTimersByTime(1);
    await record(EVENT, NEVER);

    expect(requests).toBe(1);
    const [event] = fixture.api.objects;
    expect(event).toMatchObject({ count: 2 });
    expect(Date.parse(String(event!['lastTimestamp'])) - Date.parse(String(event!['firstTimestamp']))).toBe(600_000);
  });

  it('is the same with another request id of AWS', async () => {
    await using fixture = await startKube();
    const record = createEventRecorder(fixture.kube, SOURCE, NO_LOG);

    for (const id of ['9001f285-d100-4566-b3ff-05921840133d', 'cb51a361-d1d5-4d53-a89b-a10132fbb3b5']) {
      await record({ ...EVENT, message: `cannot read "db" (request id ${id})` }, NEVER);
    }

    expect(fixture.api.objects).toMatchObject([{ message: expect.stringContaining('9001f285'), count: 1 }]);
  });

  it.for<readonly [string, Partial<PodEvent>]>([
    ['pod', { pod: { ...POD, uid: 'uid-2' } }],
    ['type', { type: 'Normal' }],
    ['reason', { reason: 'Other' }],
    ['message', { message: 'other' }],
  ])('is another with another %s', async ([, other]) => {
    await using fixture = await startKube();
    const record = createEventRecorder(fixture.kube, SOURCE, NO_LOG);

    await record(EVENT, NEVER);
    await record({ ...EVENT, ...other }, NEVER);

    expect(fixture.api.objects).toHaveLength(2);
  });

  it('is shortened to a kibibyte of whole characters, with a name that the API server accepts', async () => {
    await using fixture = await startKube();
    const pod = { ...POD, name: `${'a'.repeat(235)}-b` };

    await createEventRecorder(
      fixture.kube,
      { component: 'x' },
      NO_LOG,
    )({ ...EVENT, pod, message: `a${'😀'.repeat(400)}` }, NEVER);

    const [event] = fixture.api.objects;
    expect(event!['message']).toBe(`a${'😀'.repeat(255)}…`);
    expect(event!.metadata.name).toMatch(/^a{235}\.[0-9a-f]{16}$/);
    expect(event!['source']).toEqual({ component: 'x' });
  });

  it('that could not be written is logged, and written the next time', async () => {
    await using fixture = await startKube();
    const lines: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => lines.push(line) });
    const record = createEventRecorder(fixture.kube, SOURCE, log);
    fixture.api.fault = { kind: 'status', status: 403, message: 'forbidden' };
    await record(EVENT, NEVER);
    fixture.api.fault = undefined;

    await record(EVENT, NEVER);

    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({
        msg: 'event not written',
        namespace: 'shop',
        pod: 'web-1',
        error: expect.stringContaining('"create" "events"'),
      }),
    ]);
    expect(fixture.api.objects).toHaveLength(1);
  });

  it('is recorded for the last thousand only', async () => {
    await using fixture = await startKube();
    const record = createEventRecorder(fixture.kube, SOURCE, NO_LOG);
    for (let index = 0; index <= 1_000; index += 1) {
      await record({ ...EVENT, message: String(index) }, NEVER);
    }

    await record({ ...EVENT, message: '1' }, NEVER);
    const remembered = fixture.api.requests.length;
    await record({ ...EVENT, message: '0' }, NEVER);

    expect(remembered).toBe(1_001);
    expect(fixture.api.requests.length).toBeGreaterThan(1_001);
  });
});
