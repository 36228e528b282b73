import type { TestProject } from 'vitest/node';
import { startMoto } from '../fakes/aws/moto.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of a moto that all contract tests share; each takes an account of its own. */
    readonly motoUrl: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const moto = await startMoto();
  project.provide('motoUrl', moto.url);
  return async () => moto[Symbol.asyncDispose]();
}
