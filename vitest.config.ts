import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/log-scan.ts'],
    pool: 'forks',
    // Some tests start processes of their own: leave them room.
    maxWorkers: 2,
    // No test waits for time to pass; a busy machine starts a process in ten seconds.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    restoreMocks: true,
  },
});
