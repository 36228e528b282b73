import { defineConfig } from 'vitest/config';
import { requireOwnNode } from '../setup/own-node.ts';

requireOwnNode();

export default defineConfig({
  test: {
    name: 'e2e',
    include: ['test/e2e/scenarios/**/*.test.ts'],
    globalSetup: ['test/e2e/provider/global-setup.ts'],
    // There is one cluster, and some scenarios switch parts of it off.
    fileParallelism: false,
    reporters: ['verbose', 'json'],
    testTimeout: 180_000,
    hookTimeout: 300_000,
  },
});
