import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { imageSettings } from '../fakes/image-settings.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');

/** Our provider as it is started. */
export interface ProviderProgram {
  readonly command: readonly [node: string, ...args: string[]];
  /** Whether `serve` knows a flag; those of later versions are only given where they exist. */
  knowsFlag(name: string): boolean;
}

/**
 * @param fromSource runs src/main.ts instead of the bundle
 * @param nodeFlags absent means: those of the image
 */
export async function findProgram(fromSource: boolean, nodeFlags?: readonly string[]): Promise<ProviderProgram> {
  const entry = join(ROOT, ...(fromSource ? ['src', 'main.ts'] : ['dist', 'aws-secrets-csi.cjs']));
  if (!existsSync(entry)) {
    throw new Error(`there is no ${entry}: make it by "npm run bundle", or measure the source by --source`);
  }
  const { stdout: help } = await run(process.execPath, [entry, 'help']);
  return {
    command: [process.execPath, ...(nodeFlags ?? imageSettings().nodeFlags), entry],
    knowsFlag: (name) => new RegExp(`^\\s*--${name}\\b`, 'm').test(help),
  };
}
