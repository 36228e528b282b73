import { mkdirSync, readdirSync, readlinkSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SYSTEM_CLOCK } from '../../concurrency/clock.ts';
import { beforeRename } from '../../../test/contract/publish/at-call.ts';
import {
  filesOf,
  layoutOf,
  layoutWith,
  plannedFile,
  plant,
  podView,
  temporaryVolume,
  viewOf,
} from '../../../test/contract/publish/pod-view.ts';
import { createTimeSlices, finish, type Steps } from '../../concurrency/time-slices.ts';
import { publish } from './publish.ts';

const OLD = filesOf({ user: 'old', gone: 'old', 'dir/file': 'old' });
const NEW = filesOf({ user: 'new', added: 'new', 'dir/file': 'new', 'deep/er/file': 'new' });
const NEW_LAYOUT = layoutWith('user', 'added', 'dir', 'deep');

interface Start {
  readonly start: string;
  readonly prepare: (target: string) => void;
  /** Lasts as long as the publish. */
  readonly beside?: () => Disposable;
  /** A layout that shows the same files as before. */
  readonly midway?: string[];
}

describe.for<Start>([
  { start: 'an empty volume', prepare: () => undefined },
  { start: 'a set of ours', prepare: (target) => void finish(publish(target, OLD)) },
  {
    start: 'a set of ours, with other names',
    prepare(target) {
      finish(publish(target, OLD));
      symlinkSync('/etc/hostname', join(target, 'added'));
      symlinkSync('..data/old', join(target, 'deep'));
    },
  },
  {
    start: "plain files of AWS's provider",
    prepare(target) {
      ['dir', 'gone'].forEach((name) => mkdirSync(join(target, name)));
      plant(target, { user: 'old', 'gone/file': 'old', 'dir/file': 'old' });
    },
    midway: layoutWith('user', 'gone', 'dir'),
  },
  {
    start: 'a set of ours, while another process clears the new one away',
    prepare: (target) => void finish(publish(target, OLD)),
    beside: () => beforeRename((link) => rmSync(link.replace(/\.link$/, ''), { recursive: true })),
  },
])('cancelling a publish over $start', ({ prepare, beside, midway }) => {
  it('changes nothing, at any step, unless it comes too late', () => {
    const outcomes: Outcome[] = [];
    for (let step = 0; outcomes.at(-1) !== 'not given up'; step += 1) {
      using volume = temporaryVolume();
      prepare(volume.path);
      const before = { layout: layoutOf(volume.path), view: podView(volume.path) };

      const other = beside?.();
      const outcome = giveUpAfter(step, publish(volume.path, NEW));
      other?.[Symbol.dispose]();

      const isOld = outcome === 'given up';
      expect(openFilesIn(volume.path)).toEqual([]);
      expect(podView(volume.path)).toEqual(isOld ? before.view : viewOf(NEW));
      // The first half of a takeover may be done: the old content in our layout.
      expect(isOld ? [before.layout, midway] : [NEW_LAYOUT]).toContainEqual(layoutOf(volume.path));
      outcomes.push(outcome);
    }

    expect(new Set(outcomes)).toEqual(new Set(['given up', 'too late', 'not given up']));
    expect(outcomes.length).toBeGreaterThan(10);
  });
});

it('cleans up completely if a file cannot be written, whenever the caller cancels', () => {
  const files = [...NEW, plannedFile(`dir/${'n'.repeat(256)}`, 'new')];
  const outcomes: Outcome[] = [];
  for (let step = 0; outcomes.at(-1) !== 'not given up'; step += 1) {
    using volume = temporaryVolume();
    finish(publish(volume.path, OLD));
    const before = layoutOf(volume.path);

    outcomes.push(giveUpAfter(step, publish(volume.path, files)));

    expect(openFilesIn(volume.path)).toEqual([]);
    expect(podView(volume.path)).toEqual(viewOf(OLD));
    expect(layoutOf(volume.path)).toEqual(before);
  }

  expect(new Set(outcomes)).toEqual(new Set(['given up', 'too late', 'not given up']));
});

it('does nothing if the caller has cancelled before', async () => {
  using volume = temporaryVolume();
  const reason = new Error('the driver gave up');

  const publishing = createTimeSlices(SYSTEM_CLOCK).run(
    ['shop', 'web'],
    publish(volume.path, [plannedFile('user', 'x')]),
    AbortSignal.abort(reason),
  );

  await expect(publishing).rejects.toBe(reason);
  expect(readdirSync(volume.path)).toEqual([]);
});

type Outcome = 'given up' | 'too late' | 'not given up';

/** @returns the outcome, whether the steps failed or not */
function giveUpAfter(count: number, steps: Steps<unknown>): Outcome {
  const reason = new Error('the driver gave up');
  let isTold = false;
  try {
    for (let step = 0; step < count; step += 1) {
      if (steps.next().done === true) {
        return 'not given up';
      }
    }
    isTold = true;
    if (steps.throw(reason).done !== true) {
      finish(steps);
    }
    return 'too late';
  } catch (error) {
    const outcome = isTold ? 'too late' : 'not given up';
    return error === reason ? 'given up' : outcome;
  }
}

function openFilesIn(target: string): string[] {
  const path = realpathSync(target);
  return readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    })
    .filter((opened) => opened.startsWith(path));
}
