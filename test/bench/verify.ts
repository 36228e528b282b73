import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outcome } from './driver.ts';
import { secretVersion } from './secrets.ts';

/**
 * What is wrong with a mount: no answer, a missing or stale file, a version that does not belong to it.
 * @param generation rotations of the stand-in so far
 * @param bytes size of each value
 */
export async function problemsOf(outcome: Outcome, generation: number, bytes: number): Promise<readonly string[]> {
  const { mount, response, failures } = outcome;
  if (response === undefined) {
    return [failures.at(-1) ?? 'no answer'];
  }
  const returned = new Map(response.files.map(({ path, contents }) => [path, Buffer.from(contents)]));
  const versions = new Map(response.objectVersion.map(({ id, version }) => [id, version]));
  const problems: string[] = [];
  for (const { name, type, path } of mount.objects) {
    const expected = secretVersion(name, generation, bytes);
    const contents = returned.get(path) ?? (await read(join(mount.request.targetPath, path)));
    const version = type === 'secretsmanager' ? expected.id : `${generation + 1}`;
    if (contents?.toString() !== expected.value) {
      problems.push(`${path}: ${contents === undefined ? 'not there' : 'not the value that the secret has'}`);
    }
    if (versions.get(path) !== version) {
      problems.push(`${path}: version ${versions.get(path)} reported instead of ${version}`);
    }
  }
  return problems;
}

async function read(file: string): Promise<Buffer | undefined> {
  return await readFile(file).catch(() => undefined);
}
