import { defineConfig } from 'vitest/config';
import type { VitestPluginContext } from 'vitest/node';
import { planted } from './test/mutants/planted.ts';

/** Plants the mutant that is looked for (`npm run mutants`): its file has a transform, and a place in the cache, of its own. */
const mutants = {
  name: 'mutants',
  enforce: 'pre' as const,
  transform: (source: string, path: string) => planted(path, source),
  configureVitest: ({ defineCacheKeyGenerator }: VitestPluginContext) =>
    defineCacheKeyGenerator(({ id, sourceCode }) => planted(id, sourceCode)),
};

export default defineConfig({
  plugins: [mutants],
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
