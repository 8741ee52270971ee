import { describe, test } from 'vitest';
import { live } from '../support/faults-rows.ts';
import { clocks } from './rows/clocks.ts';
import { platforms } from './rows/platforms.ts';
import { processes } from './rows/processes.ts';
import { stores } from './rows/stores.ts';

/*
 * The world half alive, each way a row: accumulations, redemptions and histories are under way, each at another moment,
 * when it begins. `FAULTS=long` lives through all rows.
 */

const LONG = process.env.FAULTS === 'long';
const rows = [...stores, ...platforms, ...clocks, ...processes].filter(
  ({ isSample }) => LONG || isSample === true,
);

describe('nothing is lost, doubled or told falsely', () => {
  test.concurrent.for(rows.map((row) => [row.name, row] as const))(
    'while %s',
    { timeout: 300_000 },
    async ([, row], { expect, onTestFinished: finish }) => {
      expect(await live(row, (stop) => finish(async () => void (await stop())))).toEqual([]);
    },
  );
});
