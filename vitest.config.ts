import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/log-scan.ts', 'test/support/leftovers.ts'],
    pool: 'forks',
    // Some tests start processes of their own: leave them room.
    maxWorkers: 2,
    // What is awaited comes at once, or within seconds where a process starts or a replica takes over. A busy machine
    // takes ten times as long, and a failure may be told late.
    expect: { poll: { interval: 20, timeout: 30_000 } },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    restoreMocks: true,
  },
});
