import config from './vitest.config.ts';

/** The tests that `npm run mutants` runs (stryker.config.json): quick ones, without other processes. */
const include = ['test/{engine,loyalty}/!(settlements).test.ts', 'test/store/encryption.test.ts'];

export default { ...config, test: { ...config.test, include } };
