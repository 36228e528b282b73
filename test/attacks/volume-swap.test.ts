import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { finish } from '../../src/concurrency/time-slices.ts';
import type { PlannedFile } from '../../src/model/mount-plan.ts';
import { publish } from '../../src/mount/volume/publish.ts';
import { readVolume } from '../../src/mount/volume/volume.ts';
import { beforeCall } from '../contract/publish/at-call.ts';
import { plannedFile, temporaryVolume } from '../contract/publish/pod-view.ts';

/** Replaces each directory at this depth of a volume by a symlink. */
function swap(volume: string, depth: number, to: string): void {
  for (const path of readdirSync(volume, { recursive: true, encoding: 'utf8', withFileTypes: true })) {
    const full = join(path.parentPath, path.name);
    if (path.isDirectory() && full.slice(volume.length).split('/').length === depth + 1) {
      renameSync(full, `${full}.away`);
      symlinkSync(to, full);
    }
  }
}

function textsIn(volume: string): string {
  try {
    return finish(readVolume(volume))
      .files.map(({ value }) => value.exposeText())
      .join();
  } catch {
    return '';
  }
}

function publishUnlessRefused(volume: string, files: readonly PlannedFile[]): void {
  try {
    finish(publish(volume, files));
  } catch {
    // Only what it has written matters.
  }
}

it.for([1, 2, 3])(
  'replacing directories %s deep in a volume by symlinks, at any step, has no effect outside',
  { timeout: 180_000 },
  (depth) => {
    let hasSwapped = true;
    for (let step = 1; hasSwapped; step += 1) {
      using volume = temporaryVolume();
      using elsewhere = temporaryVolume();
      finish(publish(volume.path, [plannedFile('dir/deep/file', 'old')]));
      mkdirSync(join(volume.path, 'stray/inner/most'), { recursive: true });
      writeFileSync(join(volume.path, 'stray/inner/most/file'), 'x');
      writeFileSync(join(elsewhere.path, 'file'), "another's");
      mkdirSync(join(elsewhere.path, 'deep'));
      writeFileSync(join(elsewhere.path, 'deep/file'), "another's");
      chmodSync(elsewhere.path, 0o700);
      let read = '';
      {
        using swapping = beforeCall(step, () => swap(volume.path, depth, elsewhere.path));
        read = textsIn(volume.path);
        publishUnlessRefused(volume.path, [plannedFile('dir/deep/file', 'new')]);
        hasSwapped = swapping.hasHappened();
      }

      expect(read).not.toContain("another's");
      expect(readdirSync(elsewhere.path, { recursive: true, encoding: 'utf8' })).toHaveLength(3);
      expect(readFileSync(join(elsewhere.path, 'file'), 'utf8')).toBe("another's");
      expect(readFileSync(join(elsewhere.path, 'deep/file'), 'utf8')).toBe("another's");
      expect(statSync(elsewhere.path).mode & 0o777).toBe(0o700);
    }
  },
);
