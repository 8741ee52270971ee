import config from './vitest.config.ts';

/** The tests that `npm run mutants` runs (stryker.config.json): quick ones, without other processes. */
const include = ['test/{engine,loyalty}/!(settlements).test.ts', 'test/store/encryption.test.ts'];
/** What a mutant breaks never comes: do not wait for it as long as on a busy machine. */
const expect = { poll: { interval: 20, timeout: 2000 } };

export default { ...config, test: { ...config.test, include, expect } };
