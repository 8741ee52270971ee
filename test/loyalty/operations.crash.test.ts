import { describe, expect, it } from 'vitest';
import type { Effect, Outcome } from '../../src/conversation/effect.ts';
import { createPerform } from '../../src/loyalty/loyalty.ts';
import { fc } from '../support/properties.ts';
import {
  FakeAntcrm,
  FakeStore,
  type Fate,
  Fuse,
  Killed,
  observe,
  PHONE,
  VirtualClock,
} from './operations.doubles.ts';

const REDEEM: Effect = { kind: 'redeem', operation: 'op-1', gift: 'DAUMAY01', by: PHONE };
const CUSTOMER = 'customer:475';
const FATES: Fate[] = ['applied', 'lost', 'vanished', 'refused', 'unavailable'];

/** What has become of the world when the turn is repeated. */
const AFTERWARDS = {
  'all is well': () => undefined,
  'contacts are down': ({ antcrm }: World) => antcrm.down.add('contact'),
  'the history is down': ({ antcrm }: World) => antcrm.down.add('history'),
  'another operation has the lock': ({ store }: World) => store.locks.set(CUSTOMER, 'op-2'),
  'the store does not replicate': ({ store }: World) => {
    store.isReplicated = false;
  },
  'AntCRM knows the customer by another id': ({ antcrm }: World) => {
    antcrm.contacts.length = 0;
  },
};

/** AntCRM and a store that outlive every process working on them. */
class World {
  readonly clock = new VirtualClock();
  readonly antcrm = new FakeAntcrm(this.clock);
  readonly store = new FakeStore(this.clock);

  constructor(fate: Fate) {
    this.antcrm.fate = fate;
    this.antcrm.contacts.push({ customerId: '475', phones: [PHONE.value], emails: [] });
    this.antcrm.records.push({
      id: 'before',
      type: 'gift',
      status: 'succeeded',
      code: 'DAUMAY01',
      atMs: this.clock.nowMs() - 1000,
    });
  }

  /** One process performs the effect; null if it is killed on the way. */
  async perform(effect: Effect, fuse = new Fuse(Infinity, 'before')): Promise<Outcome | null> {
    const operations = createPerform({
      antcrm: fuse.antcrm(this.antcrm),
      contacts: 'on',
      timeoutMs: 8000,
      observe,
      world: this.clock,
    });
    try {
      return await this.clock.run(operations(effect, fuse.context(this.store.lease())));
    } catch (error) {
      if (error instanceof Killed) return null;
      throw error;
    }
  }

  get storedIntent(): unknown {
    const body = this.store.intents.get('op-1');
    return body === undefined ? null : JSON.parse(body);
  }

  /** Whether points were spent. */
  get isSpent(): boolean {
    return this.antcrm.records.some(({ id, status }) => id !== 'before' && status === 'succeeded');
  }
}

/** Kills the process at every point it has, one world each. */
async function* everyCrash(fate: Fate): AsyncGenerator<World> {
  for (const when of ['before', 'after'] as const) {
    for (let point = 1; ; point++) {
      const world = new World(fate);
      if ((await world.perform(REDEEM, new Fuse(point, when))) !== null) break;
      yield world;
    }
  }
}

describe('a redemption cut off by a crash', () => {
  const cases = FATES.flatMap((fate) =>
    Object.entries(AFTERWARDS).map(([name, change]) => ({ fate, name, change })),
  );

  it.each(cases)('is called at most once: it is $fate, then $name', async ({ fate, change }) => {
    let crashes = 0;
    for await (const world of everyCrash(fate)) {
      crashes += 1;
      const { storedIntent: intent, isSpent } = world;
      change(world);
      const outcome = await world.perform(REDEEM);

      expect(world.antcrm.redeemed.length).toBeLessThanOrEqual(1);
      if (intent !== null) {
        expect(outcome).toMatchObject({ kind: 'unknown', ...intent, lookup: { baseline: ['before'] } });
        expect(world.isSpent).toBe(isSpent);
        expect(world.store.locks.has(CUSTOMER)).toBe(true);
        expect(world.store.locks.get(`phone:${PHONE.value}`)).toBe('op-1');
      }
    }
    expect(crashes).toBeGreaterThanOrEqual(9);
  });

  it.each(['applied', 'lost', 'vanished'] as const)('is told truly by the lookup: %s', async (fate) => {
    for await (const world of everyCrash(fate)) {
      const outcome = await world.perform(REDEEM);
      if (outcome?.kind !== 'unknown') continue;
      const checked = await world.perform({ kind: 'check', operation: 'op-1', lookup: outcome.lookup });
      expect(checked).toMatchObject({ kind: 'checked', found: world.isSpent ? 'applied' : 'none' });
    }
  });

  it.each(FATES)(
    'is looked up, and not called, where its price changed meanwhile: it is %s',
    async (fate) => {
      for await (const world of everyCrash(fate)) {
        const { storedIntent: intent, isSpent } = world;
        const calls = world.antcrm.redeemed.length;
        const outcome = await world.perform({ ...REDEEM, outdated: true });
        expect(world.antcrm.redeemed.length).toBe(calls);
        expect(world.isSpent).toBe(isSpent);
        expect(outcome).toMatchObject(
          intent === null ? { kind: 'outdated', operation: 'op-1' } : { kind: 'unknown', ...intent },
        );
      }
    },
  );

  it.each([
    ['contacts are down', { kind: 'unavailable', operation: 'op-1' }],
    ['the history is down', { kind: 'unavailable', operation: 'op-1' }],
    ['another operation has the lock', { kind: 'busy', operation: 'op-1' }],
  ] as const)('was surely not called where nothing was intended and %s', async (name, expected) => {
    for await (const world of everyCrash('applied')) {
      if (world.storedIntent !== null) continue;
      AFTERWARDS[name](world);
      expect(await world.perform(REDEEM)).toEqual(expected);
      expect(world.antcrm.redeemed).toEqual([]);
    }
  });
});

describe('any run of crashes and outages', () => {
  const attempt = fc.record({
    point: fc.integer({ min: 1, max: 14 }),
    when: fc.constantFrom('before' as const, 'after' as const),
    down: fc.subarray(['contact' as const, 'history' as const]),
    passMs: fc.integer({ min: 0, max: 60_000 }),
  });

  it('never calls twice, and never says "not applied" of what was', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...FATES),
        fc.integer({ min: 0, max: 4000 }),
        fc.array(attempt, { minLength: 1, maxLength: 5 }),
        async (fate, lateMs, attempts) => {
          const world = new World(fate);
          world.antcrm.lateMs = lateMs;
          for (const { point, when, down, passMs } of attempts) {
            world.clock.pass(passMs);
            world.antcrm.down.clear();
            for (const call of down) world.antcrm.down.add(call);
            const outcome = await world.perform(REDEEM, new Fuse(point, when));

            expect(world.antcrm.redeemed.length).toBeLessThanOrEqual(1);
            if (outcome !== null && world.isSpent) expect(outcome.kind).toMatch(/^(applied|unknown)$/);
            if (outcome?.kind === 'applied') expect(world.isSpent).toBe(true);
            if (outcome?.kind === 'applied' || outcome?.kind === 'refused') return;
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
