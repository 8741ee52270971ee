import config from './vitest.config.ts';

/**
 * The tests that `npm run mutants` runs (stryker.config.json): quick ones, without other processes. The record's transitions
 * alone, with the engine's tests: `MUTANTS=engine npm run mutants -- --mutate src/engine/transitions.ts`.
 */
const rooms = process.env.MUTANTS ?? '{loyalty,engine,store}';
const include = [`test/${rooms}/!(settlements|delivery|bodies).test.ts`];
/** What a mutant breaks never comes: do not wait for it as long as on a busy machine. */
const expect = { poll: { interval: 20, timeout: 1000 } };
const times = { testTimeout: process.env.MUTANTS === 'engine' ? 3000 : 6000, teardownTimeout: 1000 };

export default { ...config, test: { ...config.test, ...times, include, expect } };
