import { describe, expect, it } from 'vitest';
import { CLASS, mountOf } from '../../test/fakes/kube/mounts.ts';
import type { RefreshedMount } from '../model/downstream.ts';
import { planRestart } from './plan-restart.ts';
import type { Workload, WorkloadPatch } from './workload-api.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const CLOCK = { now: NOW, minIntervalMs: 300_000 };
const SEEN = mountOf({ pod: 'web-1', files: { 'db.json': 'v1', 'api-url': '3' }, confirmedAt: NOW - 1_000 });
const ROLL = { patch: { templateAnnotations: expect.anything() } };
const ROTATED = { ...SEEN, versions: new Map([...SEEN.versions, ['db.json', 'v2']]) };

function workload(annotations: Readonly<Record<string, string>> = {}, className = CLASS): Workload {
  return {
    kind: 'Deployment',
    namespace: 'shop',
    name: 'web',
    resourceVersion: '1',
    annotations: new Map(Object.entries({ 'aws-secrets-csi/restart-on-rotation': 'true', ...annotations })),
    volumes: new Map(['secrets', 'more'].map((volume) => [volume, new Map([['secretProviderClass', className]])])),
  };
}

function patchOf(plan: ReturnType<typeof planRestart>): WorkloadPatch {
  if (!('patch' in plan)) {
    throw new Error('no patch');
  }
  return plan.patch;
}

/** The effect of the plan on the pods. */
function deedOf(plan: ReturnType<typeof planRestart>): 'note' | 'roll' {
  return patchOf(plan).templateAnnotations === undefined ? 'note' : 'roll';
}

/** After the mount was recorded, at its own time. */
function noted(mount: RefreshedMount, annotations: Readonly<Record<string, string>> = {}): Workload {
  return workload({ ...patchOf(planRestart(workload(), mount, CLOCK)).annotations, ...annotations });
}

describe('planRestart', () => {
  it.for(['false', 'True', ''])('does nothing for a workload whose annotation is "%s"', (annotation) => {
    const plan = planRestart(workload({ 'aws-secrets-csi/restart-on-rotation': annotation }), SEEN, CLOCK);

    expect(plan).toEqual({});
  });

  it('records what it sees first without a restart', () => {
    const plan = planRestart(workload(), SEEN, CLOCK);

    expect(deedOf(plan)).toBe('note');
    expect(JSON.parse(patchOf(plan).annotations?.['aws-secrets-csi/mounted-versions'] ?? '')).toEqual({
      secrets: {
        className: CLASS,
        hash: expect.stringMatching(/^[0-9a-f]{16}$/),
        asOf: '2026-03-01T11:59:59.000Z',
      },
    });
  });

  it('does nothing for the same versions, in whatever order and however late', () => {
    const reversed = { ...SEEN, versions: new Map([...SEEN.versions].toReversed()), confirmedAt: NOW };

    expect(planRestart(noted(SEEN), reversed, CLOCK)).toEqual({});
  });

  it('restarts for a version that AWS confirmed later', () => {
    const before = noted(SEEN);

    const plan = planRestart(before, { ...ROTATED, confirmedAt: NOW }, CLOCK);

    expect(plan).toMatchObject({
      patch: {
        annotations: { 'aws-secrets-csi/restarted-at': '2026-03-01T12:00:00.000Z' },
        templateAnnotations: { 'aws-secrets-csi/versions': expect.stringMatching(/^[0-9a-f]{16}$/) },
      },
    });
    expect(patchOf(plan).annotations?.['aws-secrets-csi/mounted-versions']).not.toBe(
      before.annotations.get('aws-secrets-csi/mounted-versions'),
    );
  });

  it.for([0, 0.4, -5_000])(
    'does not restart for a version that AWS confirmed %d ms after the recorded one, which is not later',
    (lead) => {
      const plan = planRestart(noted(SEEN), { ...ROTATED, confirmedAt: SEEN.confirmedAt + lead }, CLOCK);

      expect(plan).toEqual({ newerConfirmedAt: SEEN.confirmedAt });
    },
  );

  it.for([
    [59_000, { newerConfirmedAt: NOW + 59_000 }],
    [61_000, ROLL],
  ] as const)('decides, with a record that is %d ms in the future: %j', ([ahead, expected]) => {
    const plan = planRestart(noted({ ...SEEN, confirmedAt: NOW + ahead }), ROTATED, CLOCK);

    expect(plan).toMatchObject(expected);
  });

  it.for([
    ['2026-03-01T11:58:00.000Z', { dueInMs: 180_000 }],
    ['2026-03-01T11:55:00.001Z', { dueInMs: 1 }],
    ['2026-03-01T11:55:00.000Z', ROLL],
    ['2026-03-01T13:00:00.000Z', ROLL],
    ['yesterday', ROLL],
  ] as const)('decides, after a restart at %s: %j', ([restartedAt, expected]) => {
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
    '{"secrets":{"className":"class","hash":"x","asOf":"late"}}',
    '{"secrets":{"className":"class","hash":1,"asOf":"2026-03-01T11:00:00Z"}}',
  ])('treats a record of %j as missing', (text) => {
    const plan = planRestart(workload({ 'aws-secrets-csi/mounted-versions': text }), SEEN, CLOCK);

    expect(deedOf(plan)).toBe('note');
  });

  it('keeps the records of other volumes', () => {
    const both = patchOf(planRestart(noted(SEEN), { ...ROTATED, volume: 'more' }, CLOCK)).annotations;

    const plan = planRestart(workload(both), { ...ROTATED, confirmedAt: NOW }, CLOCK);

    const text = patchOf(plan).annotations?.['aws-secrets-csi/mounted-versions'] ?? '';
    expect(Object.keys(JSON.parse(text))).toEqual(['more', 'secrets']);
    expect(
      planRestart(workload({ 'aws-secrets-csi/mounted-versions': text }), { ...SEEN, volume: 'more' }, CLOCK),
    ).toEqual({ newerConfirmedAt: SEEN.confirmedAt });
  });

  it('ignores a pod whose class the workload no longer names, during a rollout', () => {
    const moved = workload(Object.fromEntries(noted(SEEN).annotations), 'class-2');

    const [old, young] = [ROTATED, { ...ROTATED, class: { ...ROTATED.class, name: 'class-2' } }].map((mount) =>
      planRestart(moved, { ...mount, confirmedAt: NOW }, CLOCK),
    );

    expect(old).toEqual({});
    expect(deedOf(young!)).toBe('note');
  });

  it('ignores a volume that the workload itself does not have', () => {
    const plan = planRestart({ ...noted(SEEN), volumes: new Map() }, { ...ROTATED, confirmedAt: NOW }, CLOCK);

    expect(plan).toEqual({});
  });
});
