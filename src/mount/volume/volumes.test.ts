import { mkdirSync, readdirSync, readlinkSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plannedFile, podView, statsBelow, temporaryVolume, viewOf } from '../../../test/contract/publish/pod-view.ts';
import { OBJECT, PLAN, planOf, specOf } from '../../../test/contract/publish/shop-mount.ts';
import { SYSTEM_CLOCK } from '../../concurrency/clock.ts';
import { createTimeSlices, finish } from '../../concurrency/time-slices.ts';
import type { MountSpec } from '../../model/mount-spec.ts';
import { SecretBytes } from '../../model/secret-bytes.ts';
import { publish } from './publish.ts';
import { createVolumes } from './volumes.ts';

const SLICES = createTimeSlices(SYSTEM_CLOCK);
const NEVER = new AbortController().signal;

it('returns the versions that it wrote into a volume, for the same spec', async () => {
  using volume = temporaryVolume();
  const held = createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES });

  expect(await held.versionsIn(specOf(volume.path))).toBeUndefined();
  expect(await held.publish(specOf(volume.path), PLAN, NEVER)).toBe(true);
  expect(await held.versionsIn(specOf(volume.path))).toEqual(PLAN.versions);
  expect(await held.publish(specOf(volume.path), PLAN, NEVER)).toBe(false);
  expect(await held.versionsIn(specOf(volume.path))).toEqual(PLAN.versions);
});

it('does not write a volume that already has the same files, whatever the spec', async () => {
  using volume = temporaryVolume();
  const held = createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES });
  await held.publish(specOf(volume.path), PLAN, NEVER);
  const before = statsBelow(volume.path);
  const other = specOf(volume.path, { regions: ['us-west-2'] });
  const next = { ...PLAN, versions: new Map([['db', 'v2']]) };

  expect(await held.publish(other, next, NEVER)).toBe(false);
  expect(statsBelow(volume.path)).toEqual(before);
  expect(await held.versionsIn(other)).toEqual(next.versions);
  expect(await held.versionsIn(specOf(volume.path))).toBeUndefined();
});

it.for([
  ['content', [plannedFile('db', 'secre2')]],
  ['mode', [plannedFile('db', 'secret', 0o400)]],
  ['path', [plannedFile('db2', 'secret')]],
  ['number', [plannedFile('db', 'secret'), plannedFile('db2', 'secret')]],
  ['number, to none', []],
] as const)('publishes files of another %s', async ([, files]) => {
  using volume = temporaryVolume();
  const held = createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES });
  await held.publish(specOf(volume.path), PLAN, NEVER);

  expect(await held.publish(specOf(volume.path), { ...PLAN, files }, NEVER)).toBe(true);
  expect(podView(volume.path)).toEqual(viewOf(files));
});

it('also returns versions of a volume without files', async () => {
  using volume = temporaryVolume();
  const held = createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES });
  const spec = specOf(volume.path, { objects: [] });
  await held.publish(spec, { files: [], versions: new Map([['no-objects', 'none']]) }, NEVER);

  expect(await held.versionsIn(spec)).toEqual(new Map([['no-objects', 'none']]));
});

it.for<readonly [string, Partial<MountSpec>]>([
  ['region', { regions: ['us-west-2'] }],
  ['failover region', { regions: ['us-east-1', 'us-west-2'] }],
  ['way to prove who it is', { authentication: { kind: 'pod-identity', addressType: 'auto' } }],
  ['pod', { pod: { namespace: 'shop', name: 'web-1', uid: 'another', serviceAccount: 'web' } }],
  ['service account', { pod: { namespace: 'shop', name: 'web-1', uid: '6f2c', serviceAccount: 'other' } }],
  ['mode', { objects: [{ ...OBJECT, mode: 0o400 }] }],
  ['file', { objects: [{ ...OBJECT, path: 'database' }] }],
  ['version', { objects: [{ ...OBJECT, primary: { name: 'db', version: 'v1' } }] }],
  ['failover object', { objects: [{ ...OBJECT, failover: { name: 'db-2' } }] }],
  ['extraction', { objects: [{ ...OBJECT, extractions: [{ expression: 'a', alias: 'a', path: 'a', mode: 0o644 }] }] }],
  ['further object', { objects: [OBJECT, { ...OBJECT, path: 'twice' }] }],
])('does not treat a spec with another %s as the same', async ([, changes]) => {
  using volume = temporaryVolume();
  const held = createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES });
  await held.publish(specOf(volume.path), PLAN, NEVER);

  expect(await held.versionsIn(specOf(volume.path, changes))).toBeUndefined();
});

it('treats a spec with newer tokens as the same', async () => {
  using volume = temporaryVolume();
  const held = createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES });
  await held.publish(specOf(volume.path), PLAN, NEVER);
  const tokens = new Map([['sts.amazonaws.com', SecretBytes.fromText('newer')]]);

  expect(await held.versionsIn(specOf(volume.path, { tokens }))).toEqual(PLAN.versions);
});

describe('returns nothing for a volume that has changed', () => {
  it.for<readonly [string, (path: string) => unknown]>([
    ['emptied', (path) => readdirSync(path).forEach((name) => rmSync(join(path, name), { recursive: true }))],
    ['gone', (path) => rmSync(path, { recursive: true })],
    [
      'another directory',
      (path) => {
        renameSync(path, `${path}.old`);
        mkdirSync(path);
      },
    ],
    ['without its files', (path) => rmSync(join(path, readlinkSync(join(path, '..data'))), { recursive: true })],
    ['filled by another since', (path) => finish(publish(path, [plannedFile('db', 'of another')]))],
  ])('%s', async ([, spoil]) => {
    using volume = temporaryVolume();
    const path = join(volume.path, 'mount');
    mkdirSync(path);
    const held = createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES });
    await held.publish(specOf(path), PLAN, NEVER);
    await spoil(path);

    expect(await held.versionsIn(specOf(path))).toBeUndefined();
  });

  it('after a failed publish', async () => {
    using volume = temporaryVolume();
    const held = createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES });
    await held.publish(specOf(volume.path), PLAN, NEVER);
    const outside = { ...PLAN, files: [plannedFile('../x', 'x')] };
    await expect(held.publish(specOf(volume.path), outside, NEVER)).rejects.toThrow('not a path inside a volume');

    expect(await held.versionsIn(specOf(volume.path))).toBeUndefined();
    expect(podView(volume.path)).toEqual(viewOf(PLAN.files));
  });
});

it('keeps records of no more volumes than a node has', async () => {
  using volume = temporaryVolume();
  const held = createVolumes({
    clock: SYSTEM_CLOCK,
    slices: SLICES,
    // The layout does not matter here, only the names of volumes do.
    *write() {
      yield;
      return { changed: false, dataDir: readlinkSync(join(volume.path, '..data')) };
    },
  });
  finish(publish(volume.path, PLAN.files));
  await held.publish(specOf(volume.path), PLAN, NEVER);
  const known = await held.versionsIn(specOf(volume.path));
  for (let index = 0; index < 2_000; index += 1) {
    await held.publish(specOf(`/of-pod-${index}`), PLAN, NEVER);
  }

  expect([known, await held.versionsIn(specOf(volume.path))]).toEqual([PLAN.versions, undefined]);
});

it('distinguishes a volume with files from one that is empty or missing', async () => {
  using volume = temporaryVolume();
  const volumes = createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES });
  const before = await volumes.isFilled(volume.path);

  await volumes.publish(specOf(volume.path), planOf([]), NEVER);

  expect([before, await volumes.isFilled(volume.path), await volumes.isFilled(join(volume.path, 'gone'))]).toEqual([
    false,
    true,
    false,
  ]);
});
