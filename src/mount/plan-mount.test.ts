import { describe, expect, it } from 'vitest';
import { ProviderError } from '../model/errors.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import type { VersionedFile } from '../model/mount-plan.ts';
import { planMount } from './plan-mount.ts';

function fileOf(path: string, size: number, version = 'v1'): VersionedFile {
  return { path, mode: 0o600, version, value: new SecretBytes(new Uint8Array(size)) };
}

describe('planMount', () => {
  it('keeps the files in their order, and the version of each by its path', () => {
    const files = [fileOf('b', 1, 'v1'), fileOf('a', 2, 'v2')];

    const plan = planMount(files, 7);

    expect(plan.files).toEqual(files.map(({ path, mode, value }) => ({ path, mode, value })));
    expect([...plan.versions]).toEqual([
      ['b', 'v1'],
      ['a', 'v2'],
    ]);
    expect(plan.confirmedAt).toBe(7);
  });

  it('names one version for a volume without files, as the driver takes no empty list', () => {
    const plan = planMount([], 7);

    expect(plan.files).toEqual([]);
    expect(plan.versions.size).toBe(1);
  });

  it('takes what a response of 4 MiB can carry', () => {
    const files = Array.from({ length: 60 }, (_, index) => fileOf(`file-${index}`, 65_536));

    expect(planMount(files, 7).files).toHaveLength(60);
  });

  it('refuses more than that, saying how much it is', () => {
    const files = Array.from({ length: 64 }, (_, index) => fileOf(`file-${index}`, 65_536));

    expect(() => planMount(files, 7)).toThrow(ProviderError);
    expect(() => planMount(files, 7)).toThrow(/4194304 bytes/);
  });
});
