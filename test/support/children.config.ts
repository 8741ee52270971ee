import { mergeConfig } from 'vitest/config';
import suite from '../../vitest.config.ts';

/** The suite's settings for the one file whose hook fails. */
export default {
  ...mergeConfig(suite, {}),
  test: { ...suite.test, include: ['test/support/children-hook.ts'] },
};
