import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { keepTemporaryFilesInMemory } from './setup/memory-folder.ts';
import { requireOwnNode } from './setup/own-node.ts';

requireOwnNode();
keepTemporaryFilesInMemory();

export default defineConfig({
  test: {
    // Much of a test is waiting, for another process too: one worker more than cores leaves none of them idle. Files of a worker share what they import.
    maxWorkers: availableParallelism() + 1,
    isolate: false,
    restoreMocks: true,
    unstubEnvs: true,
    // Bounds of what never comes: what does come is waited for on a machine that is busy, too.
    expect: { poll: { timeout: 60_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'test/bench/**/*.test.ts',
            'test/mutants/**/*.test.ts',
            'test/structure/**/*.test.ts',
          ],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: { name: 'simulation', include: ['test/simulation/**/*.test.ts'], testTimeout: 60_000 },
      },
      {
        extends: true,
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          globalSetup: ['test/contract/global-setup.ts'],
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'attacks',
          // Those that need root or a minute are of `npm run attacks` alone.
          include: ['test/attacks/**/*.test.ts'],
          exclude: ['test/attacks/**/*.root.test.ts'],
          globalSetup: ['test/contract/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'attacks-root',
          include: ['test/attacks/**/*.root.test.ts'],
          globalSetup: ['test/contract/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: { name: 'charts', include: ['test/charts/**/*.test.ts'], testTimeout: 60_000 },
      },
    ],
  },
});
