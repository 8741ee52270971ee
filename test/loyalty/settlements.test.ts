import { describe, expect, it } from 'vitest';
import { fc } from '../support/properties.ts';
import {
  type Call,
  type Cashiers,
  CHECKS_MS,
  NOT_APPLIED_MS,
  type Redemption,
  TIMEOUT_MS,
  World,
} from './settlements.world.ts';

const MINUTE_MS = 60_000;
const MAX_SKEW_MS = 2 * MINUTE_MS;
const RUNS = 200;
const LAST_MS = CHECKS_MS.at(-1) ?? 0;

type Act = { where: 0 | 1; call: Call; cashiers: Cashiers | undefined; thinkMs: number };

/** `hiddenMs`: how long AntCRM's history may keep a record back. */
function acts(hiddenMs: number, cashiers: fc.Arbitrary<Cashiers | undefined>): fc.Arbitrary<Act[]> {
  const hidden = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: hiddenMs }), fc.constant(hiddenMs));
  const call = fc.record({
    fate: fc.constantFrom<Call['fate'][]>('applied', 'lost', 'vanished', 'refused', 'refused and lost'),
    afterMs: fc.integer({ min: 0, max: TIMEOUT_MS - 1 }),
    hiddenMs: hidden,
  });
  return fc.array(
    fc.record({
      where: fc.constantFrom<(0 | 1)[]>(0, 1),
      call,
      cashiers,
      // A person reads the answer before they confirm anew.
      thinkMs: fc.oneof(
        fc.integer({ min: 3000, max: 30_000 }),
        fc.integer({ min: 3000, max: 10 * MINUTE_MS }),
        fc.integer({ min: 3000, max: 60 * MINUTE_MS }),
      ),
    }),
    { minLength: 1, maxLength: 4 },
  );
}

const anyCashiers = fc.option(
  fc.record<Cashiers>({
    afterMs: fc.oneof(
      fc.integer({ min: 0, max: 2 * MINUTE_MS }),
      fc.integer({ min: 0, max: 30 * MINUTE_MS }),
    ),
    hiddenMs: fc.integer({ min: 0, max: NOT_APPLIED_MS }),
    status: fc.constantFrom('succeeded', 'failed'),
  }),
  { nil: undefined },
);
const nobody = fc.constant(undefined);
const anySkew = fc.oneof(
  fc.integer({ min: -30 * MINUTE_MS, max: 30 * MINUTE_MS }),
  fc.integer({ min: -MAX_SKEW_MS, max: MAX_SKEW_MS }),
);
const smallSkew = fc.integer({ min: -MAX_SKEW_MS + 1000, max: MAX_SKEW_MS - 1000 });
/** `Date` has whole seconds. */
const measured = fc.integer({ min: -500, max: 500 });

async function play(all: readonly Act[], skewMs: number, measuredMs: number): Promise<World> {
  const world = new World(skewMs, measuredMs);
  for (const { where, call, cashiers, thinkMs } of all) {
    await world.redeem(where, call, cashiers);
    await world.pass(thinkMs);
    await world.settle();
  }
  await world.pass(LAST_MS + MINUTE_MS);
  return world;
}

/** The record that a success was told of: its own, or the one by which a check settled it. */
const recordOf = ({ settledBy, record }: Redemption): string | undefined => settledBy?.id ?? record;

function expectTrue({ redemptions }: World): void {
  const done = redemptions.filter(({ told }) => told.includes('done'));
  expect(done.filter((one) => recordOf(one) === undefined)).toEqual([]);
  expect(new Set(done.map(recordOf)).size).toBe(done.length);
  for (const { called, told } of redemptions) {
    if (called) expect(told.length).toBeGreaterThan(0);
  }
}

/** Whose a record is could not be told then, so staff are asked. */
function runsAtLastCheckOf({ confirmedMs }: Redemption, other: Redemption): boolean {
  const lastMs = confirmedMs + TIMEOUT_MS + LAST_MS;
  return other.confirmedMs < lastMs && other.confirmedMs + TIMEOUT_MS + NOT_APPLIED_MS >= lastMs;
}

describe('whatever AntCRM’s clock says, however late its history, whatever cashiers do', () => {
  it('no record is told as two successes, and no success as not applied', async () => {
    await fc.assert(
      fc.asyncProperty(
        acts(NOT_APPLIED_MS, anyCashiers),
        anySkew,
        measured,
        async (all, skewMs, measuredMs) => {
          const world = await play(all, skewMs, measuredMs);
          expectTrue(world);
          for (const { record, told } of world.redemptions) {
            if (record !== undefined) expect(told).not.toContain('not applied');
          }
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('a success told as not applied, because its record came even later, goes to staff', async () => {
    await fc.assert(
      fc.asyncProperty(acts(LAST_MS, anyCashiers), anySkew, measured, async (all, skewMs, measuredMs) => {
        const world = await play(all, skewMs, measuredMs);
        expectTrue(world);
        for (const { record, told } of world.redemptions) {
          if (record !== undefined && told[0] === 'not applied') expect(told).toContain('with staff');
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('all is told without staff where AntCRM’s clock is right and no cashier interferes', async () => {
    await fc.assert(
      fc.asyncProperty(acts(NOT_APPLIED_MS, nobody), smallSkew, measured, async (all, skewMs, measuredMs) => {
        const { redemptions } = await play(all, skewMs, measuredMs);
        for (const one of redemptions.filter(({ called }) => called)) {
          const truth = one.record === undefined ? 'not applied' : 'done';
          const isDisturbed = redemptions.some((other) => runsAtLastCheckOf(one, other));
          expect(isDisturbed ? one.told.slice(0, 1) : one.told).toEqual([truth]);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('nothing is told as not applied because no record is there, where AntCRM’s clock is out of order', async () => {
    const large = fc
      .integer({ min: MAX_SKEW_MS + 1000, max: 30 * MINUTE_MS })
      .chain((ms) => fc.constantFrom(ms, -ms));
    await fc.assert(
      fc.asyncProperty(large, measured, async (skewMs, measuredMs) => {
        const call = { fate: 'vanished', afterMs: 10, hiddenMs: 0 } as const;
        const { redemptions } = await play(
          [{ where: 0, call, cashiers: undefined, thinkMs: 3000 }],
          skewMs,
          measuredMs,
        );
        expect(redemptions[0]?.told).toEqual(['with staff']);
      }),
      { numRuns: 50 },
    );
  });
});
