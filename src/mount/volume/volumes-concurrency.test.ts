import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  layoutOf,
  layoutWith,
  plannedFile,
  podView,
  temporaryVolume,
  viewOf,
} from '../../../test/contract/publish/pod-view.ts';
import { PLAN, planOf, specOf } from '../../../test/contract/publish/shop-mount.ts';
import { SYSTEM_CLOCK } from '../../concurrency/clock.ts';
import { createKeyedLock } from '../../concurrency/keyed-lock.ts';
import { createTimeSlices, finish, type TimeSlices } from '../../concurrency/time-slices.ts';
import { publish } from './publish.ts';
import { createVolumes } from './volumes.ts';
import { createWriteBudget, memoryOf } from './write-budget.ts';

const SLICES = createTimeSlices(SYSTEM_CLOCK);
const NEVER = new AbortController().signal;

it('serialises publishes to one volume, however its path is written; the last one wins', async () => {
  using volume = temporaryVolume();
  const lock = createKeyedLock();
  const volumes = createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES, lock });
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

it('reads between two publishes, never during one', async () => {
  using volume = temporaryVolume();
  const volumes = createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES });
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

it('releases a volume whose publish failed', async () => {
  using volume = temporaryVolume();
  const lock = createKeyedLock();
  const volumes = createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES, lock });

  const refused = volumes.publish(specOf(volume.path), planOf([plannedFile('../outside', 'x')]), NEVER);
  const served = volumes.publish(specOf(volume.path), planOf([plannedFile('user', 'x')]), NEVER);

  await expect(refused).rejects.toThrow('not a path inside a volume');
  await expect(served).resolves.toBe(true);
  expect(lock.size).toBe(0);
});

it('knows the last of two concurrent publishes', async () => {
  using volume = temporaryVolume();
  const held = createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES });
  const next = { files: [plannedFile('db', 'next')], versions: new Map([['db', 'v2']]) };
  await Promise.all([held.publish(specOf(volume.path), PLAN, NEVER), held.publish(specOf(volume.path), next, NEVER)]);

  expect(await held.versionsIn(specOf(volume.path))).toEqual(next.versions);
  expect(podView(volume.path)).toEqual(viewOf(next.files));
});

it('returns what is in a volume at the end of the check, not at its start', async () => {
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
  const held = createVolumes({ clock: SYSTEM_CLOCK, slices });
  await held.publish(specOf(volume.path), PLAN, NEVER);
  isAsking = true;
  const versions = held.versionsIn(specOf(volume.path));
  const next = { files: [plannedFile('db', 'next')], versions: new Map([['db', 'v2']]) };
  await held.publish(specOf(volume.path), next, NEVER);
  asked.resolve();

  expect(await versions).toEqual(next.versions);
});

it('schedules fairly by service account, not by volume', async () => {
  const parties = new Set<string>();
  const slices: TimeSlices = {
    run(party, ...work) {
      parties.add(party.join('/'));
      return SLICES.run(party, ...work);
    },
  };
  const held = createVolumes({ clock: SYSTEM_CLOCK, slices });
  for (let count = 0; count < 2; count += 1) {
    using volume = temporaryVolume();
    await held.publish(specOf(volume.path), PLAN, NEVER);
    await held.versionsIn(specOf(volume.path));
    await held.read(specOf(volume.path));
  }

  expect([...parties]).toEqual(['shop/web']);
});

it('does nothing for a call that has ended', async () => {
  using volume = temporaryVolume();
  const held = createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES });
  const ended = AbortSignal.abort(new Error('the driver ended the call'));

  await expect(held.publish(specOf(volume.path), PLAN, ended)).rejects.toThrow('the driver ended the call');
  expect(podView(volume.path)).toEqual(viewOf([]));
});

it('does not trust its record of a volume after a publish was cancelled at any step, unless that was too late', async () => {
  const next = planOf(['db', 'dir/a', 'dir/b'].map((path) => plannedFile(path, 'next')));
  const outcomes: string[] = [];
  for (let step = 1; outcomes.at(-1) !== 'not cancelled'; step += 1) {
    using volume = temporaryVolume();
    const cancelling = new AbortController();
    const held = createVolumes({
      clock: SYSTEM_CLOCK,
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

it('reserves no memory for a publish that was cancelled, at any step', async () => {
  const bytes = memoryOf(PLAN.files);
  let isCancelled = true;
  for (let step = 1; isCancelled; step += 1) {
    using volume = temporaryVolume();
    const cancelling = new AbortController();
    const write = beforeStep(step, () => cancelling.abort(new Error('cancelled')));
    // A namespace may have one such volume; the node three, and space for one that is replaced.
    const budget = createWriteBudget({ maxVolumeBytes: bytes, maxNodeBytes: 4 * bytes });
    const [first = '', ...others] = ['a', 'b', 'c'].map((name) => join(volume.path, name));
    [first, ...others].forEach((path) => mkdirSync(path));
    await createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES, budget }).publish(specOf(first), PLAN, NEVER);

    const replaced = { ...PLAN, files: [plannedFile('db', 'another')] };
    await createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES, budget, write })
      .publish(specOf(first), replaced, cancelling.signal)
      .catch(() => undefined);
    isCancelled = cancelling.signal.aborted;

    for (const path of others) {
      const pod = { ...specOf(path).pod, namespace: path };
      expect(
        await createVolumes({ clock: SYSTEM_CLOCK, slices: SLICES, budget }).publish(
          specOf(path, { pod }),
          PLAN,
          NEVER,
        ),
      ).toBe(true);
    }
  }
});

/** `publish`, in which this happens right before the step with this number, counted from 1. */
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
