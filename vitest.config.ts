import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * What waits most, for servers and pages, begins first, so that no worker is left with it at the end. Before all comes the file
 * whose library looks for its endpoint once in a process (Azure's).
 */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const waits = ({ moduleId }: TestSpecification) =>
      /teams\/authentication/.test(moduleId)
        ? 2
        : +/browser\.test|test\/(e2e|faults|store\/redis)\/|telemetry|transport/.test(moduleId);
    return (await super.sort(files)).sort((a, b) => waits(b) - waits(a));
  }
}

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/folder.ts',
    setupFiles: 'test/support/leftovers.ts',
    pool: 'forks',
    // Files share a process, and what it has loaded.
    isolate: false,
    sequence: { sequencer: SlowFirst },
    // A third of the time is spent on waiting for servers and pages.
    maxWorkers: 3,
    // What is awaited comes at once, or within seconds where a process starts or a replica takes over. A busy machine
    // takes ten times as long, and a failure may be told late.
    expect: { poll: { interval: 20, timeout: 30_000 } },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    restoreMocks: true,
  },
});
