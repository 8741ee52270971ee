import { defineConfig } from 'vitest/config';

/**
 * `npm run test:containers`: one file after the other, because they share ports and a Docker. run.sh starts
 * it.
 */
export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/containers/*.containers.ts'],
    fileParallelism: false,
    sequence: { concurrent: false },
    bail: 5,
    expect: { poll: { interval: 100, timeout: 60_000 } },
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
