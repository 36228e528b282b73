import { existsSync } from 'node:fs';
import { mkdir, readdir, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { CGROUP } from './layout.ts';
import { waitFor } from './wait.ts';

const ROOT = '/sys/fs/cgroup';

/** Version 2 is one tree, version 1 has a tree for each controller. */
async function trees(): Promise<string[]> {
  if (existsSync(path.join(ROOT, 'cgroup.controllers'))) {
    return [ROOT];
  }
  const entries = await readdir(ROOT, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(ROOT, entry.name));
}

/** The group all containers of the node are put under. */
export async function makeCgroups(): Promise<void> {
  for (const tree of await trees()) {
    await mkdir(path.join(tree, CGROUP), { recursive: true });
  }
}

/** Removes it; the kernel lets go of a group only some moments after its last process has ended. */
export async function removeCgroups(): Promise<void> {
  for (const tree of await trees()) {
    const group = path.join(tree, CGROUP);
    await waitFor(`cgroup ${group} is empty`, () => removeTree(group), { timeoutMs: 20_000, everyMs: 50 });
  }
}

async function removeTree(group: string): Promise<true> {
  if (existsSync(group)) {
    for (const entry of await readdir(group, { withFileTypes: true })) {
      if (entry.isDirectory()) {
        await removeTree(path.join(group, entry.name));
      }
    }
    await rmdir(group);
  }
  return true;
}
