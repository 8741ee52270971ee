import config from './vitest.config.ts';

/** The tests that `npm run mutants` runs (stryker.config.json): quick ones, without processes and servers. */
export default {
  ...config,
  test: { ...config.test, include: ['test/loyalty/**/*.test.ts', 'test/store/encryption.test.ts'] },
};
