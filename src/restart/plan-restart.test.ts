import { describe, expect, it } from 'vitest';
import { planRestart, type Sighting } from './plan-restart.ts';
import type { Workload, WorkloadPatch } from './workload-api.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const CLOCK = { now: NOW, minIntervalMs: 300_000 };
const SEEN: Sighting = {
  volume: 'secrets',
  class: { name: 'shop' },
  versions: new Map([
    ['db.json', 'v1'],
    ['api-url', '3'],
  ]),
  confirmedAt: NOW - 1_000,
};
const ROTATED: Sighting = { ...SEEN, versions: new Map([...SEEN.versions, ['db.json', 'v2']]) };

function workload(annotations: Readonly<Record<string, string>> = {}, className = 'shop'): Workload {
  return {
    kind: 'Deployment',
    namespace: 'shop',
    name: 'web',
    resourceVersion: '1',
    annotations: new Map(Object.entries({ 'aws-secrets-csi/restart-on-rotation': 'true', ...annotations })),
    templateAnnotations: new Map(),
    volumes: new Map(['secrets', 'more'].map((volume) => [volume, new Map([['secretProviderClass', className]])])),
  };
}

function patchOf(plan: ReturnType<typeof planRestart>): WorkloadPatch {
  if (plan.kind !== 'note' && plan.kind !== 'roll') {
    throw new Error(`no patch in ${plan.kind}`);
  }
  return plan.patch;
}

/** After the sighting was noted, at its own time. */
function noted(sighting: Sighting, annotations: Readonly<Record<string, string>> = {}): Workload {
  return workload({ ...patchOf(planRestart(workload(), sighting, CLOCK)).annotations, ...annotations });
}

describe('planRestart', () => {
  it.for(['false', 'True', ''])('leaves a workload alone whose annotation is "%s"', (annotation) => {
    const plan = planRestart(workload({ 'aws-secrets-csi/restart-on-rotation': annotation }), SEEN, CLOCK);

    expect(plan).toEqual({ kind: 'none' });
  });

  it('notes what it sees first without a restart', () => {
    const plan = planRestart(workload(), SEEN, CLOCK);

    expect(plan).toMatchObject({ kind: 'note' });
    expect(patchOf(plan)).not.toHaveProperty('templateAnnotations');
    expect(JSON.parse(patchOf(plan).annotations?.['aws-secrets-csi/mounted-versions'] ?? '')).toEqual({
      secrets: {
        className: 'shop',
        hash: expect.stringMatching(/^[0-9a-f]{16}$/),
        asOf: '2026-03-01T11:59:59.000Z',
      },
    });
  });

  it('does nothing for the same versions, in whatever order and however late', () => {
    const reversed = { ...SEEN, versions: new Map([...SEEN.versions].toReversed()), confirmedAt: NOW };

    expect(planRestart(noted(SEEN), reversed, CLOCK)).toEqual({ kind: 'none' });
  });

  it('restarts for a version that AWS told later', () => {
    const before = noted(SEEN);

    const plan = planRestart(before, { ...ROTATED, confirmedAt: NOW }, CLOCK);

    expect(plan).toMatchObject({
      kind: 'roll',
      patch: {
        annotations: { 'aws-secrets-csi/restarted-at': '2026-03-01T12:00:00.000Z' },
        templateAnnotations: { 'aws-secrets-csi/versions': expect.stringMatching(/^[0-9a-f]{16}$/) },
      },
    });
    expect(patchOf(plan).annotations?.['aws-secrets-csi/mounted-versions']).not.toBe(
      before.annotations.get('aws-secrets-csi/mounted-versions'),
    );
  });

  it.for([0, 0.4, -5_000])('never for what AWS told %d ms after what is noted, which is not later', (lead) => {
    const plan = planRestart(noted(SEEN), { ...ROTATED, confirmedAt: SEEN.confirmedAt + lead }, CLOCK);

    expect(plan).toEqual({ kind: 'newer elsewhere' });
  });

  it.for([
    [59_000, 'newer elsewhere'],
    [61_000, 'roll'],
  ] as const)('comes, of a note that is %d ms in the future, to %s', ([ahead, kind]) => {
    const plan = planRestart(noted({ ...SEEN, confirmedAt: NOW + ahead }), ROTATED, CLOCK);

    expect(plan.kind).toBe(kind);
  });

  it.for([
    ['2026-03-01T11:58:00.000Z', { kind: 'later', afterMs: 180_000 }],
    ['2026-03-01T11:55:00.001Z', { kind: 'later', afterMs: 1 }],
    ['2026-03-01T11:55:00.000Z', { kind: 'roll' }],
    ['2026-03-01T13:00:00.000Z', { kind: 'roll' }],
    ['yesterday', { kind: 'roll' }],
  ] as const)('after a restart at %s comes to %j', ([restartedAt, expected]) => {
    const before = noted(SEEN, { 'aws-secrets-csi/restarted-at': restartedAt });

    expect(planRestart(before, { ...ROTATED, confirmedAt: NOW }, CLOCK)).toMatchObject(expected);
  });

  it.for([
    '',
    'not json',
    'null',
    '[]',
    '7',
    '{"secrets":null}',
    '{"secrets":{"className":"shop","hash":"x","asOf":"late"}}',
    '{"secrets":{"className":"shop","hash":1,"asOf":"2026-03-01T11:00:00Z"}}',
  ])('reads a note of %j as none', (text) => {
    const plan = planRestart(workload({ 'aws-secrets-csi/mounted-versions': text }), SEEN, CLOCK);

    expect(plan.kind).toBe('note');
  });

  it('keeps what is noted of other volumes', () => {
    const both = patchOf(planRestart(noted(SEEN), { ...ROTATED, volume: 'more' }, CLOCK)).annotations;

    const plan = planRestart(workload(both), { ...ROTATED, confirmedAt: NOW }, CLOCK);

    const text = patchOf(plan).annotations?.['aws-secrets-csi/mounted-versions'] ?? '';
    expect(Object.keys(JSON.parse(text))).toEqual(['more', 'secrets']);
    expect(
      planRestart(workload({ 'aws-secrets-csi/mounted-versions': text }), { ...SEEN, volume: 'more' }, CLOCK),
    ).toEqual({ kind: 'newer elsewhere' });
  });

  it('hears nothing of a pod whose class the workload no longer names, in the middle of its roll-out', () => {
    const moved = workload(Object.fromEntries(noted(SEEN).annotations), 'shop-2');

    const [old, young] = [ROTATED, { ...ROTATED, class: { name: 'shop-2' } }].map((sighting) =>
      planRestart(moved, { ...sighting, confirmedAt: NOW }, CLOCK),
    );

    expect(old).toEqual({ kind: 'none' });
    expect(young).toMatchObject({ kind: 'note' });
  });

  it('hears nothing of a volume that the workload itself does not name', () => {
    const plan = planRestart({ ...noted(SEEN), volumes: new Map() }, { ...ROTATED, confirmedAt: NOW }, CLOCK);

    expect(plan.kind).toBe('none');
  });
});
