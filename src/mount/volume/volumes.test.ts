import { mkdirSync, readdirSync, readlinkSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SYSTEM_CLOCK } from '../../concurrency/clock.ts';
import {
  layoutOf,
  layoutWith,
  plannedFile,
  podView,
  statsBelow,
  temporaryVolume,
  viewOf,
} from '../../../test/contract/publish/pod-view.ts';
import { createKeyedLock } from '../../concurrency/keyed-lock.ts';
import { SecretBytes } from '../../model/secret-bytes.ts';
import type { MountSpec, ObjectSpec } from '../../model/mount-spec.ts';
import type { MountPlan, PlannedFile } from '../../model/mount-plan.ts';
import { createTimeSlices, finish, type TimeSlices } from '../../concurrency/time-slices.ts';
import { publish } from './publish.ts';
import { createVolumes } from './volumes.ts';
import { createWriteBudget, memoryOf } from './write-budget.ts';

const SLICES = createTimeSlices(SYSTEM_CLOCK);

const NEVER = new AbortController().signal;
const OBJECT: ObjectSpec = {
  store: 'secretsmanager',
  name: 'db',
  path: 'db',
  mode: 0o644,
  primary: { name: 'db' },
  failover: { name: 'db' },
  extractions: [],
};
const PLAN: Pick<MountPlan, 'files' | 'versions'> = {
  files: [plannedFile('db', 'secret')],
  versions: new Map([['db', 'v1']]),
};

function specOf(targetPath: string, changes: Partial<MountSpec> = {}): MountSpec {
  return {
    regions: ['us-east-1'],
    authentication: { kind: 'irsa' },
    objects: [OBJECT],
    targetPath,
    pod: { namespace: 'shop', name: 'web-1', uid: '6f2c', serviceAccount: 'web' },
    tokens: new Map(),
    ...changes,
  };
}

it('tells with what it filled a volume, to the same spec', async () => {
  using volume = temporaryVolume();
  const held = createVolumes({ slices: SLICES });

  expect(await held.versionsIn(specOf(volume.path))).toBeUndefined();
  expect(await held.publish(specOf(volume.path), PLAN, NEVER)).toBe(true);
  expect(await held.versionsIn(specOf(volume.path))).toEqual(PLAN.versions);
  expect(await held.publish(specOf(volume.path), PLAN, NEVER)).toBe(false);
  expect(await held.versionsIn(specOf(volume.path))).toEqual(PLAN.versions);
});

it('leaves a volume alone that holds these very files, whatever the spec', async () => {
  using volume = temporaryVolume();
  const held = createVolumes({ slices: SLICES });
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
  const held = createVolumes({ slices: SLICES });
  await held.publish(specOf(volume.path), PLAN, NEVER);

  expect(await held.publish(specOf(volume.path), { ...PLAN, files }, NEVER)).toBe(true);
  expect(podView(volume.path)).toEqual(viewOf(files));
});

it('does nothing for a call that has ended', async () => {
  using volume = temporaryVolume();
  const held = createVolumes({ slices: SLICES });
  const ended = AbortSignal.abort(new Error('the driver ended the call'));

  await expect(held.publish(specOf(volume.path), PLAN, ended)).rejects.toThrow('the driver ended the call');
  expect(podView(volume.path)).toEqual(viewOf([]));
});

it('knows a volume without files too', async () => {
  using volume = temporaryVolume();
  const held = createVolumes({ slices: SLICES });
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
])('does not take a spec for the same that has another %s', async ([, changes]) => {
  using volume = temporaryVolume();
  const held = createVolumes({ slices: SLICES });
  await held.publish(specOf(volume.path), PLAN, NEVER);

  expect(await held.versionsIn(specOf(volume.path, changes))).toBeUndefined();
});

it('takes a spec with newer tokens for the same', async () => {
  using volume = temporaryVolume();
  const held = createVolumes({ slices: SLICES });
  await held.publish(specOf(volume.path), PLAN, NEVER);
  const tokens = new Map([['sts.amazonaws.com', SecretBytes.fromText('newer')]]);

  expect(await held.versionsIn(specOf(volume.path, { tokens }))).toEqual(PLAN.versions);
});

describe('knows nothing of a volume that is not as it left it', () => {
  it.for<readonly [string, (path: string) => unknown]>([
    ['emptied', (path) => readdirSync(path).forEach((name) => rmSync(join(path, name), { recursive: true }))],
    ['gone', (path) => rmSync(path, { recursive: true })],
    [
      'another directory by now',
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
    const held = createVolumes({ slices: SLICES });
    await held.publish(specOf(path), PLAN, NEVER);
    await spoil(path);

    expect(await held.versionsIn(specOf(path))).toBeUndefined();
  });

  it('since a publish failed', async () => {
    using volume = temporaryVolume();
    const held = createVolumes({ slices: SLICES });
    await held.publish(specOf(volume.path), PLAN, NEVER);
    const outside = { ...PLAN, files: [plannedFile('../x', 'x')] };
    await expect(held.publish(specOf(volume.path), outside, NEVER)).rejects.toThrow('no path inside a volume');

    expect(await held.versionsIn(specOf(volume.path))).toBeUndefined();
    expect(podView(volume.path)).toEqual(viewOf(PLAN.files));
  });

  it('since a publish was cancelled, at any step of it, unless it was too late', async () => {
    const next = planOf(['db', 'dir/a', 'dir/b'].map((path) => plannedFile(path, 'next')));
    const outcomes: string[] = [];
    for (let step = 1; outcomes.at(-1) !== 'not cancelled'; step += 1) {
      using volume = temporaryVolume();
      const cancelling = new AbortController();
      const held = createVolumes({
        slices: SLICES,
        write: beforeStep(step, () => cancelling.abort(new Error('cancelled'))),
      });
      finish(publish(volume.path, PLAN.files));

      const outcome = await held.publish(specOf(volume.path), next, cancelling.signal).then(
        () => (cancelling.signal.aborted ? 'too late' : 'not cancelled'),
        (error: Error) => error.message,
      );

      const [files, versions] = outcome === 'cancelled' ? [PLAN.files, undefined] : [next.files, next.versions];
      expect(podView(volume.path)).toEqual(viewOf(files));
      expect(await held.versionsIn(specOf(volume.path))).toEqual(versions);
      outcomes.push(outcome);
    }

    expect(new Set(outcomes)).toEqual(new Set(['cancelled', 'too late', 'not cancelled']));
  });
});

it('holds no memory for a publish that was cancelled, at any step of it', async () => {
  const bytes = memoryOf(PLAN.files);
  let isCancelled = true;
  for (let step = 1; isCancelled; step += 1) {
    using volume = temporaryVolume();
    const cancelling = new AbortController();
    const write = beforeStep(step, () => cancelling.abort(new Error('cancelled')));
    // A namespace may have one such volume; the node three, and room for one that is replaced.
    const budget = createWriteBudget({ maxVolumeBytes: bytes, maxNodeBytes: 4 * bytes });
    const [first = '', ...others] = ['a', 'b', 'c'].map((name) => join(volume.path, name));
    [first, ...others].forEach((path) => mkdirSync(path));
    await createVolumes({ slices: SLICES, budget }).publish(specOf(first), PLAN, NEVER);

    const replaced = { ...PLAN, files: [plannedFile('db', 'another')] };
    await createVolumes({ slices: SLICES, budget, write })
      .publish(specOf(first), replaced, cancelling.signal)
      .catch(() => undefined);
    isCancelled = cancelling.signal.aborted;

    for (const path of others) {
      const pod = { ...specOf(path).pod, namespace: path };
      expect(await createVolumes({ slices: SLICES, budget }).publish(specOf(path, { pod }), PLAN, NEVER)).toBe(true);
    }
  }
});

it('tells of the last of two publishes at once', async () => {
  using volume = temporaryVolume();
  const held = createVolumes({ slices: SLICES });
  const next = { files: [plannedFile('db', 'next')], versions: new Map([['db', 'v2']]) };
  await Promise.all([held.publish(specOf(volume.path), PLAN, NEVER), held.publish(specOf(volume.path), next, NEVER)]);

  expect(await held.versionsIn(specOf(volume.path))).toEqual(next.versions);
  expect(podView(volume.path)).toEqual(viewOf(next.files));
});

it('tells of what is in a volume by the end of the question, not by its beginning', async () => {
  using volume = temporaryVolume();
  const asked = Promise.withResolvers<void>();
  let isAsking = false;
  const slices: TimeSlices = {
    async run(_key, steps) {
      if (isAsking) {
        isAsking = false;
        steps.next();
        await asked.promise;
      }
      return finish(steps);
    },
  };
  const held = createVolumes({ slices });
  await held.publish(specOf(volume.path), PLAN, NEVER);
  isAsking = true;
  const versions = held.versionsIn(specOf(volume.path));
  const next = { files: [plannedFile('db', 'next')], versions: new Map([['db', 'v2']]) };
  await held.publish(specOf(volume.path), next, NEVER);
  asked.resolve();

  expect(await versions).toEqual(next.versions);
});

it('takes turns by service account, not by volume', async () => {
  const keys = new Set<string>();
  const slices: TimeSlices = {
    run(key, ...work) {
      keys.add(key);
      return SLICES.run(key, ...work);
    },
  };
  const held = createVolumes({ slices });
  for (let count = 0; count < 2; count += 1) {
    using volume = temporaryVolume();
    await held.publish(specOf(volume.path), PLAN, NEVER);
    await held.versionsIn(specOf(volume.path));
    await held.read(specOf(volume.path));
  }

  expect([...keys]).toEqual(['shop/web']);
});

it('keeps no trace of more volumes than a node has', async () => {
  using volume = temporaryVolume();
  const held = createVolumes({
    slices: SLICES,
    // The layout is no matter here: only the names of volumes are.
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

it('serialises publishes to one volume, however its path is written; the last asked is what stays', async () => {
  using volume = temporaryVolume();
  const lock = createKeyedLock();
  const volumes = createVolumes({ slices: SLICES, lock });
  const sets = Array.from({ length: 8 }, (_, n) => [plannedFile('user', `u${n}`), plannedFile(`only-${n}`, `p${n}`)]);

  const outcomes = await Promise.all(
    sets.map((files, n) =>
      volumes.publish(specOf(n % 2 === 0 ? volume.path : `${volume.path}/`), planOf(files), NEVER),
    ),
  );

  expect(outcomes).toEqual(sets.map(() => true));
  expect(podView(volume.path)).toEqual(viewOf(sets[7]!));
  expect(layoutOf(volume.path)).toEqual(layoutWith('user', 'only-7'));
  expect(lock.size).toBe(0);
});

it('reads between two publishes, never amid one', async () => {
  using volume = temporaryVolume();
  const volumes = createVolumes({ slices: SLICES });
  const [old, next] = [[plannedFile('user', 'old')], [plannedFile('user', 'new'), plannedFile('password', 'new')]];

  const [, first, , second] = await Promise.all([
    volumes.publish(specOf(volume.path), planOf(old), NEVER),
    volumes.read(specOf(volume.path)),
    volumes.publish(specOf(volume.path), planOf(next), NEVER),
    volumes.read(specOf(volume.path)),
  ]);

  expect(viewOf(first.files)).toEqual(viewOf(old));
  expect(viewOf(second.files)).toEqual(viewOf(next));
});

it('lets go of a volume whose publish failed', async () => {
  using volume = temporaryVolume();
  const lock = createKeyedLock();
  const volumes = createVolumes({ slices: SLICES, lock });

  const refused = volumes.publish(specOf(volume.path), planOf([plannedFile('../outside', 'x')]), NEVER);
  const served = volumes.publish(specOf(volume.path), planOf([plannedFile('user', 'x')]), NEVER);

  await expect(refused).rejects.toThrow('no path inside a volume');
  await expect(served).resolves.toBe(true);
  expect(lock.size).toBe(0);
});

it('tells a volume that somebody filled from one that is empty or gone', async () => {
  using volume = temporaryVolume();
  const volumes = createVolumes({ slices: SLICES });
  const before = await volumes.isFilled(volume.path);

  await volumes.publish(specOf(volume.path), planOf([]), NEVER);

  expect([before, await volumes.isFilled(volume.path), await volumes.isFilled(join(volume.path, 'gone'))]).toEqual([
    false,
    true,
    false,
  ]);
});

/** `publish`, where this happens just before so many of its steps, counted from 1. */
function beforeStep(at: number, happens: () => void): typeof publish {
  return (...set) => {
    const steps = publish(...set);
    const next = steps.next.bind(steps);
    let step = 0;
    return Object.assign(steps, {
      next() {
        step += 1;
        if (step === at) {
          happens();
        }
        return next();
      },
    });
  };
}

function planOf(files: readonly PlannedFile[]) {
  return { files, versions: new Map(files.map(({ path }) => [path, 'v1'])) };
}
