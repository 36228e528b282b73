import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ProviderError } from '../../../src/model/errors.ts';
import { finish } from '../../../src/concurrency/time-slices.ts';
import { publish } from '../../../src/mount/volume/publish.ts';
import { atCall, killedAt } from './at-call.ts';
import { filesOf, layoutOf, layoutWith, plant, podView, temporaryVolume, viewOf } from './pod-view.ts';

const OLD = filesOf({ user: 'old', gone: 'old', 'dir/file': 'old' });
const NEW_SET = { user: 'new', added: 'new', 'dir/file': 'new', 'deep/er/file': 'new' };
const NEW = filesOf(NEW_SET);
const PLAIN = filesOf({ user: 'old', gone: 'old' });
const PROGRAM = join(import.meta.dirname, 'publish-sets.ts');

describe.for([
  { start: 'an empty volume', old: [], prepare: () => undefined },
  { start: 'a set of ours', old: OLD, prepare: (target: string) => void finish(publish(target, OLD)) },
  {
    start: "plain files of AWS's provider",
    old: PLAIN,
    prepare: (target: string) => plant(target, { user: 'old', gone: 'old' }),
  },
])('at every single step of a publish over $start', ({ old, prepare }) => {
  it('a kill leaves the old set or the new one, and the next publish cleans up', () => {
    const views: object[] = [];
    let isKilled = true;
    for (let step = 1; isKilled; step += 1) {
      using volume = temporaryVolume();
      prepare(volume.path);

      isKilled = publishKilledAt(step, volume.path);
      const view = podView(volume.path);
      finish(publish(volume.path, NEW));

      expect([viewOf(old), viewOf(NEW)]).toContainEqual(view);
      expect(podView(volume.path)).toEqual(viewOf(NEW));
      expect(layoutOf(volume.path)).toEqual(layoutWith('user', 'added', 'dir', 'deep'));
      views.push(view);
    }

    expect(views.length).toBeGreaterThan(15);
    expect(views[0]).toEqual(viewOf(old));
    expect(views.at(-1)).toEqual(viewOf(NEW));
  });

  it('a failure is reported and changes nothing; one during the clean-up leaves the new set', () => {
    let failures = 0;
    let hasFailed = true;
    for (let step = 1; hasFailed; step += 1) {
      using volume = temporaryVolume();
      prepare(volume.path);
      const layoutBefore = layoutOf(volume.path);

      const reason = reasonOfFailureAt(step, volume.path);
      const view = podView(volume.path);
      const layout = layoutOf(volume.path);
      finish(publish(volume.path, NEW));

      hasFailed = reason !== undefined;
      failures += hasFailed ? 1 : 0;
      expect([undefined, 'VolumeUnwritable']).toContain(reason);
      expect([viewOf(old), viewOf(NEW)]).toContainEqual(view);
      // A takeover may stop when the old content is half in the layout: another layout, the same view.
      const isMidTakeover = layout.includes('..data -> <dir>') && layoutBefore.includes('gone');
      const isOld = !isMidTakeover && !('added' in view);
      expect(isOld ? layout : layoutBefore).toEqual(layoutBefore);
      expect(layoutOf(volume.path)).toEqual(layoutWith('user', 'added', 'dir', 'deep'));
    }

    expect(failures).toBeGreaterThan(15);
  });
});

it('a process that is killed at any moment leaves one set or the other', { timeout: 120_000 }, async () => {
  using volume = temporaryVolume();
  finish(publish(volume.path, OLD));
  const sets = JSON.stringify([NEW_SET, { user: 'old', gone: 'old', 'dir/file': 'old' }]);

  for (let round = 0; round < 10; round += 1) {
    const child = spawn(process.execPath, [PROGRAM, volume.path, sets], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    await once(child.stdout, 'data');
    // Any time is fine.
    await sleep(Math.random() * 40);
    child.kill('SIGKILL');
    await exited;
    const view = podView(volume.path);
    const [next, names] = round % 2 === 0 ? [NEW, ['user', 'added', 'dir', 'deep']] : [OLD, ['user', 'gone', 'dir']];
    finish(publish(volume.path, next));

    expect(child.signalCode).toBe('SIGKILL');
    expect([viewOf(OLD), viewOf(NEW)]).toContainEqual(view);
    expect(podView(volume.path)).toEqual(viewOf(next));
    expect(layoutOf(volume.path)).toEqual(layoutWith(...names));
  }
});

/** @returns whether the publish has come so far that it was killed */
function publishKilledAt(step: number, target: string): boolean {
  using killing = killedAt(step);
  try {
    finish(publish(target, NEW));
  } catch {
    // The process that would report it is killed.
  }
  return killing.isKilled();
}

/** @returns undefined if the publish does not come as far as that step */
function reasonOfFailureAt(step: number, target: string): string | undefined {
  using _failing = atCall(step, (syscall) => {
    throw Object.assign(new Error(`EIO: i/o error, ${syscall}`), { code: 'EIO', syscall });
  });
  try {
    finish(publish(target, NEW));
    return undefined;
  } catch (error) {
    return error instanceof ProviderError ? error.reason : String(error);
  }
}
