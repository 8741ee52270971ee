import { expect, it } from 'vitest';
import type { Context } from '../../src/conversation/context.ts';
import { writeAwaited } from '../../src/conversation/effect.ts';
import type { Reply } from '../../src/conversation/reply.ts';
import type { State } from '../../src/conversation/state.ts';
import type { Input } from '../../src/conversation/step.ts';
import type { LoyaltyRecord } from '../../src/loyalty/port.ts';
import { newState, step } from '../support/conversation.ts';
import { SETTINGS, TELEGRAM } from '../support/dialogue.ts';
import { fc } from '../support/properties.ts';
import { createKit, type Fate, PHONE, START_MS, TIMEOUT_MS } from './operations.doubles.ts';

const CHECKS_MS = SETTINGS.operationChecksMs;
const NOT_APPLIED_MS = CHECKS_MS.at(-2) ?? 0;
const GIFT = 'DAUMAY01';
const LOCKS = ['customer:475', `phone:${PHONE.value}`];

/** How a call goes: `afterMs` it reaches AntCRM; of `lost` ones the answer never comes. Its record shows `hiddenMs` later. */
type Call = {
  readonly fate: Exclude<Fate, 'unavailable'>;
  readonly afterMs: number;
  readonly hiddenMs: number;
};

/** A cashier's redemption for the same customer, so long after the call was begun. */
type Cashiers = {
  readonly afterMs: number;
  readonly hiddenMs: number;
  readonly failed: boolean;
};

/** A redemption as the truth has it, and all that its customer was told. */
type Redemption = {
  readonly id: string;
  readonly confirmedMs: number;
  called: boolean;
  /** The record of its success. */
  record: string | undefined;
  readonly told: ('done' | 'not applied' | 'with staff')[];
  /** The record that a check settled it by. */
  settledBy: LoyaltyRecord | undefined;
};

/** Conversations of one customer, the policy of calls, a store and AntCRM, and time that passes for all of them. */
class World {
  readonly redemptions: Redemption[] = [];
  readonly #kit = createKit();
  readonly #states: State[] = [newState(START_MS), newState(START_MS)];
  readonly #wakes: (number | null)[] = [null, null];
  readonly #cashiers: (Cashiers & { atMs: number })[] = [];
  #ids = 0;

  constructor(skewMs: number, measuredMs: number) {
    Object.assign(this.#kit.antcrm, { skewMs, measuredMs });
    this.#kit.antcrm.contacts.push({ customerId: '475', phones: [PHONE.value], emails: [] });
  }

  /** The customer confirms a redemption in one of the conversations. */
  async redeem(where: 0 | 1, call: Call, cashiers?: Cashiers): Promise<Redemption> {
    const id = this.#id();
    const redemption: Redemption = {
      ...{ id, confirmedMs: this.#kit.clock.nowMs(), called: false, record: undefined },
      ...{ told: [], settledBy: undefined },
    };
    this.redemptions.push(redemption);
    if (cashiers) this.#cashiers.push({ ...cashiers, atMs: this.#kit.clock.nowMs() + cashiers.afterMs });
    const { antcrm } = this.#kit;
    const before = antcrm.redeemed.length;
    Object.assign(antcrm, { ...call, lateMs: call.hiddenMs, made: undefined });
    this.#states[where] = {
      ...(this.#states[where] ?? newState(START_MS)),
      lastMessageMs: this.#kit.clock.nowMs(),
      step: { at: 'confirming', flow: 'redeem', operation: id },
      draft: { code: GIFT, phone: { value: PHONE.value, proved: true } },
      view: 'live',
    };
    const choice = { kind: 'choice', choice: `confirm:${id}`, view: 'live' } as const;
    await this.#turn(where, { kind: 'message', message: choice }, redemption);
    Object.assign(redemption, { called: antcrm.redeemed.length > before, record: antcrm.made });
    return redemption;
  }

  /** Staff look into what is theirs, and tell the truth. */
  async settle(): Promise<void> {
    for (const where of [0, 1] as const) {
      const open = this.#states[where]?.operations.filter(({ status }) => status === 'escalated') ?? [];
      for (const { id } of open) {
        const truth = this.redemptions.find((one) => one.id === id)?.record;
        const result = truth === undefined ? 'not-applied' : 'done';
        const message = { kind: 'settle', operation: id, result, locks: LOCKS } as const;
        await this.#turn(where, { kind: 'message', message });
      }
    }
  }

  /** Lets time pass: cashiers redeem, checks are made when they are due. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#kit.clock.nowMs() + ms;
    for (;;) {
      this.#letCashiersRedeem();
      const next = Math.min(
        ...this.#wakes.map((at) => at ?? Infinity),
        ...this.#cashiers.map(({ atMs }) => atMs),
      );
      if (next > untilMs) break;
      this.#kit.clock.pass(Math.max(0, next - this.#kit.clock.nowMs()));
      for (const where of [0, 1] as const) {
        if ((this.#wakes[where] ?? Infinity) <= this.#kit.clock.nowMs())
          await this.#turn(where, { kind: 'wake' });
      }
    }
    this.#kit.clock.pass(Math.max(0, untilMs - this.#kit.clock.nowMs()));
  }

  #letCashiersRedeem(): void {
    const nowMs = this.#kit.clock.nowMs();
    const due = this.#cashiers.filter(({ atMs }) => atMs <= nowMs);
    for (const one of due) {
      this.#cashiers.splice(this.#cashiers.indexOf(one), 1);
      const record = { type: 'gift', code: GIFT, failed: one.failed, score: 10 } as const;
      this.#kit.antcrm.note(record, one.hiddenMs, nowMs - one.atMs);
    }
  }

  async #turn(where: 0 | 1, input: Input, asked?: Redemption): Promise<void> {
    let decision = step(this.#states[where] ?? newState(START_MS), input, this.#context());
    const decisions = [decision];
    while (decision.effect) {
      if (decision.effect.kind === 'photo') throw new Error('nobody sends photos here');
      // A cashier does not wait for our calls to end.
      this.#letCashiersRedeem();
      const outcome = await this.#kit.perform(decision.effect);
      decision = step(decision.state, { kind: 'outcome', outcome }, this.#context());
      decisions.push(decision);
    }
    // As a store would: written and read back.
    this.#states[where] = JSON.parse(JSON.stringify(decision.state));
    this.#wakes[where] = decision.wakeAtMs ?? null;
    for (const { replies } of decisions) for (const reply of replies) this.#hear(reply, asked);
    for (const { unlock = [] } of decisions) {
      for (const { customer, operation, record, awaited } of unlock) {
        this.#kit.store.unlock(customer, operation, record, awaited && writeAwaited(awaited));
        const told = this.redemptions.find(({ id }) => id === operation);
        if (told && told !== asked) told.settledBy = this.#kit.antcrm.records.find(({ id }) => id === record);
      }
    }
  }

  #hear({ key, params }: Reply, asked: Redemption | undefined): void {
    const about = asked ?? this.redemptions.find(({ id }) => id === params?.reference);
    if (key === 'redeem.done' || key === 'operation.resolved.done') about?.told.push('done');
    if (key === 'operation.escalated') about?.told.push('with staff');
    if (key === 'redeem.refused' || key === 'operation.resolved.notApplied') about?.told.push('not applied');
  }

  #context(): Context {
    return {
      settings: SETTINGS,
      nowMs: this.#kit.clock.nowMs(),
      sender: TELEGRAM,
      serviceUp: true,
      current: true,
      ids: { operation: this.#id(), view: 'next' },
    };
  }

  #id(): string {
    this.#ids += 1;
    return `K7M2Q9${String(this.#ids).padStart(4, '0')}`;
  }
}

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
    failed: fc.boolean(),
  }),
  { nil: undefined },
);
const anySkew = fc.oneof(
  fc.integer({ min: -30 * MINUTE_MS, max: 30 * MINUTE_MS }),
  fc.integer({ min: -MAX_SKEW_MS, max: MAX_SKEW_MS }),
);
const smallSkew = fc.integer({ min: -MAX_SKEW_MS + 1000, max: MAX_SKEW_MS - 1000 });
/** `Date` has whole seconds. */
const measured = fc.integer({ min: -500, max: 500 });

async function play(all: readonly Act[], skewMs: number, measuredMs: number): Promise<readonly Redemption[]> {
  const world = new World(skewMs, measuredMs);
  for (const { where, call, cashiers, thinkMs } of all) {
    await world.redeem(where, call, cashiers);
    await world.pass(thinkMs);
    await world.settle();
  }
  await world.pass(LAST_MS + MINUTE_MS);
  return world.redemptions;
}

/** The record that a success was told of: its own, or the one by which a check settled it. */
const recordOf = ({ settledBy, record }: Redemption): string | undefined => settledBy?.id ?? record;

function expectTrue(redemptions: readonly Redemption[]): void {
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

it.each<[string, fc.Arbitrary<Act[]>, fc.Arbitrary<number>, (redemptions: readonly Redemption[]) => void]>([
  [
    'no record is told as two successes, and no success as not applied, whatever clocks say and cashiers do',
    acts(NOT_APPLIED_MS, anyCashiers),
    anySkew,
    (redemptions) => {
      expectTrue(redemptions);
      for (const { record, told } of redemptions) {
        if (record !== undefined) expect(told).not.toContain('not applied');
      }
    },
  ],
  [
    'a success told as not applied, because its record came even later, goes to staff',
    acts(LAST_MS, anyCashiers),
    anySkew,
    (redemptions) => {
      expectTrue(redemptions);
      for (const { record, told } of redemptions) {
        if (record !== undefined && told[0] === 'not applied') expect(told).toContain('with staff');
      }
    },
  ],
  [
    'all is told without staff where AntCRM’s clock is right and no cashier interferes',
    acts(NOT_APPLIED_MS, fc.constant(undefined)),
    smallSkew,
    (redemptions) => {
      for (const one of redemptions.filter(({ called }) => called)) {
        const truth = one.record === undefined ? 'not applied' : 'done';
        const isDisturbed = redemptions.some((other) => runsAtLastCheckOf(one, other));
        expect(isDisturbed ? one.told.slice(0, 1) : one.told).toEqual([truth]);
      }
    },
  ],
])('%s', async (_, anyActs, skew, check) => {
  const property = fc.asyncProperty(anyActs, skew, measured, async (...played) =>
    check(await play(...played)),
  );
  await fc.assert(property, { numRuns: RUNS });
});
