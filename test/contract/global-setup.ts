import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { startMoto } from '../fakes/aws/moto.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of a moto that all contract tests share; each uses a separate account. */
    readonly motoUrl: string;
  }
}

/** Providers in separate processes run the bundle of the image. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, '..', '..', 'deploy', 'bundle.mjs')]);
  const moto = await startMoto();
  project.provide('motoUrl', moto.url);
  return async () => moto[Symbol.asyncDispose]();
}
