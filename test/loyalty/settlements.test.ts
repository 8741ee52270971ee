import { expect, it } from 'vitest';
import type { Context } from '../../src/conversation/context.ts';
import { writeAwaitedRecord } from '../../src/conversation/effect.ts';
import type { Reply } from '../../src/conversation/reply.ts';
import type { State } from '../../src/conversation/state.ts';
import type { Input } from '../../src/conversation/step.ts';
import { newState, step } from '../support/conversation.ts';
import { SETTINGS, TELEGRAM } from '../support/dialogue.ts';
import { fc } from '../support/properties.ts';
import { createKit, type Fate, PHONE, START_MS, TIMEOUT_MS } from './kit.ts';

/*
 * Two conversations of one customer, AntCRM with a clock of its own, and cashiers who redeem for the same
 * customer: what the simulator has not. Nobody is told of money that did not move, or not told of money that
 * did.
 */

const CHECKS_MS = SETTINGS.operationChecksMs;
const NOT_APPLIED_MS = CHECKS_MS.at(-2) ?? 0;
const LAST_MS = CHECKS_MS.at(-1) ?? 0;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const MAX_SKEW_MS = 2 * MINUTE_MS;
const GIFT = 'DAUMAY01';
const LOCKS = ['customer:475', `phone:${PHONE.value}`];
const CHATS = [0, 1] as const;

/** How a call goes: `afterMs` it reaches AntCRM. Its record shows `hiddenMs` later. */
type Call = { readonly fate: Fate; readonly afterMs: number; readonly hiddenMs: number };
/** A cashier's redemption, so long after the call was begun. */
type Cashiers = { readonly afterMs: number; readonly hiddenMs: number; readonly failed: boolean };
/** A redemption that the customer confirms in one of the conversations, then thinks. */
type Act = { where: 0 | 1; call: Call; cashiers: Cashiers | undefined; thinkMs: number };

/** A redemption as AntCRM has it, and all that its customer read. */
type Redemption = {
  readonly id: string;
  readonly call: Call;
  readonly confirmedMs: number;
  called: boolean;
  /** The record of its success, and the one that a check settled it by. */
  record: string | undefined;
  settledBy: string | undefined;
  readonly outcomes: ('done' | 'not applied' | 'with staff')[];
};

const OUTCOME_OF_REPLY: Readonly<Record<string, Redemption['outcomes'][number]>> = {
  'redeem.done': 'done',
  'operation.resolved.done': 'done',
  'operation.escalated': 'with staff',
  'redeem.refused': 'not applied',
  'operation.resolved.notApplied': 'not applied',
};

async function play(
  acts: readonly Act[],
  skewMs: number,
  measuredMs: number,
): Promise<readonly Redemption[]> {
  const { clock, antcrm, store, perform } = createKit();
  const redemptions: Redemption[] = [];
  const states: [State, State] = [newState(START_MS), newState(START_MS)];
  const wakes: [number, number] = [Infinity, Infinity];
  const cashiers: (Cashiers & { atMs: number })[] = [];
  let ids = 0;
  Object.assign(antcrm, { skewMs, measuredMs });
  antcrm.contacts.push({ customerId: '475', phones: [PHONE.value], emails: [] });

  function newId(): string {
    ids += 1;
    return `K7M2Q9${String(ids).padStart(4, '0')}`;
  }

  const context = (): Context => ({
    settings: SETTINGS,
    nowMs: clock.nowMs(),
    sender: TELEGRAM,
    serviceUp: true,
    current: true,
    ids: { operation: newId(), view: 'next' },
  });

  function letCashiersRedeem(): void {
    const nowMs = clock.nowMs();
    for (const one of cashiers.filter(({ atMs }) => atMs <= nowMs)) {
      cashiers.splice(cashiers.indexOf(one), 1);
      const record = { type: 'gift', code: GIFT, failed: one.failed, score: 10 } as const;
      antcrm.addRecord(record, one.hiddenMs, nowMs - one.atMs);
    }
  }

  async function turn(where: 0 | 1, input: Input, asked?: Redemption): Promise<void> {
    let decision = step(states[where], input, context());
    const decisions = [decision];
    while (decision.effect) {
      const { effect } = decision;
      if (effect.kind === 'photo' || effect.kind === 'sendCode' || effect.kind === 'tryCode')
        throw new Error('nobody sends photos or proves a phone here');
      // A cashier does not wait for our calls to end.
      letCashiersRedeem();
      const outcome = await perform(effect);
      if (outcome === 'interrupted') throw new Error('nobody interrupts here');
      decision = step(decision.state, { kind: 'outcome', outcome }, context());
      decisions.push(decision);
    }
    // As a store would: written and read back.
    states[where] = JSON.parse(JSON.stringify(decision.state));
    wakes[where] = decision.wakeAtMs ?? Infinity;
    for (const { replies } of decisions) for (const reply of replies) hear(reply, asked);
    for (const id of decisions.flatMap(({ late = [] }) => late))
      redemptions.find((redemption) => redemption.id === id)?.outcomes.push('with staff');
    for (const { customer, operation, record, awaited } of decisions.flatMap(({ unlock = [] }) => unlock)) {
      store.unlock(customer, { operation, record, awaited: awaited && writeAwaitedRecord(awaited) });
      const settled = redemptions.find(({ id }) => id === operation);
      if (settled && settled !== asked) settled.settledBy = record;
    }
  }

  function hear({ key, params }: Reply, asked: Redemption | undefined): void {
    const outcome = OUTCOME_OF_REPLY[key];
    const about = asked ?? redemptions.find(({ id }) => id === params?.reference);
    if (outcome) about?.outcomes.push(outcome);
  }

  async function redeem(where: 0 | 1, call: Call): Promise<void> {
    const id = newId();
    const redemption: Redemption = {
      id,
      call,
      confirmedMs: clock.nowMs(),
      called: false,
      outcomes: [],
      record: undefined,
      settledBy: undefined,
    };
    redemptions.push(redemption);
    const before = antcrm.redeemed.length;
    Object.assign(antcrm, { ...call, lateMs: call.hiddenMs, made: undefined });
    states[where] = {
      ...states[where],
      lastMessageMs: clock.nowMs(),
      step: { at: 'confirming', flow: 'redeem', operation: id },
      draft: { gift: GIFT, phone: { value: PHONE.value, proved: true } },
      view: 'live',
    };
    const message = { kind: 'choice', choice: `confirm:${id}`, view: 'live' } as const;
    await turn(where, { kind: 'message', message }, redemption);
    Object.assign(redemption, { called: antcrm.redeemed.length > before, record: antcrm.made });
  }

  /** Lets time pass: cashiers redeem, checks are made when they are due. */
  async function pass(ms: number): Promise<void> {
    const untilMs = clock.nowMs() + ms;
    for (;;) {
      letCashiersRedeem();
      const next = Math.min(...wakes, ...cashiers.map(({ atMs }) => atMs));
      await clock.pass(Math.max(0, Math.min(next, untilMs) - clock.nowMs()));
      if (next > untilMs) return;
      for (const where of CHATS) if (wakes[where] <= clock.nowMs()) await turn(where, { kind: 'wake' });
    }
  }

  /** Staff look into what is theirs, and tell the truth. */
  async function settle(): Promise<void> {
    for (const where of CHATS) {
      for (const { id } of states[where].operations.filter(({ status }) => status === 'escalated')) {
        const truth = redemptions.find((redemption) => redemption.id === id)?.record;
        const result = truth === undefined ? 'not-applied' : 'done';
        const message = { kind: 'settle', operation: id, result, locks: LOCKS } as const;
        await turn(where, { kind: 'message', message });
      }
    }
  }

  for (const { where, call, cashiers: theirs, thinkMs } of acts) {
    if (theirs) cashiers.push({ ...theirs, atMs: clock.nowMs() + theirs.afterMs });
    await redeem(where, call);
    await pass(thinkMs);
    await settle();
  }
  await pass(LAST_MS + 2 * DAY_MS);
  return redemptions;
}

const upTo = (max: number, min = 0) => fc.integer({ min, max });

/** `hiddenMs`: how long AntCRM's history may keep a record back. */
function actsOf(hiddenMs: number, cashiers: fc.Arbitrary<Cashiers | undefined>): fc.Arbitrary<Act[]> {
  const call = fc.record({
    fate: fc.constantFrom<Fate[]>('applied', 'lost', 'vanished', 'refused', 'refused and lost'),
    afterMs: upTo(TIMEOUT_MS - 1),
    hiddenMs: fc.oneof(fc.constant(0), upTo(hiddenMs), fc.constant(hiddenMs)),
  });
  // A person reads the answer before they confirm again.
  const thinkMs = fc.oneof(...[0.5, 10, 60].map((minutes) => upTo(minutes * MINUTE_MS, 3000)));
  return fc.array(fc.record({ where: fc.constantFrom(...CHATS), call, cashiers, thinkMs }), {
    minLength: 1,
    maxLength: 4,
  });
}

const anyCashiers = fc.option(
  fc.record<Cashiers>({
    afterMs: fc.oneof(upTo(2 * MINUTE_MS), upTo(30 * MINUTE_MS)),
    hiddenMs: upTo(NOT_APPLIED_MS),
    failed: fc.boolean(),
  }),
  { nil: undefined },
);
const skewOf = (ms: number) => upTo(ms, -ms);
/** `Date` has whole seconds. */
const measured = skewOf(500);

it.each([NOT_APPLIED_MS, LAST_MS])(
  'no record counts as two successes; a success is "not applied" only if its record came late, and then goes to staff: %i ms',
  async (hiddenMs) => {
    const skew = fc.oneof(skewOf(30 * MINUTE_MS), skewOf(MAX_SKEW_MS));
    const property = fc.asyncProperty(actsOf(hiddenMs, anyCashiers), skew, measured, async (...played) => {
      const redemptions = await play(...played);
      const done = redemptions.filter(({ outcomes }) => outcomes.includes('done'));
      const records = new Set(done.map(({ settledBy, record }) => settledBy ?? record));
      expect(records).not.toContain(undefined);
      expect(records.size).toBe(done.length);
      for (const { called, outcomes, record } of redemptions) {
        if (called) expect(outcomes.length).toBeGreaterThan(0);
        if (record === undefined || !outcomes.includes('not applied')) continue;
        expect(hiddenMs).toBe(LAST_MS);
        expect(outcomes).toContain('with staff');
      }
    });
    await fc.assert(property, { numRuns: 200 });
  },
);

it('all is told without staff where AntCRM’s clock is right and no cashier interferes', async () => {
  const acts = actsOf(NOT_APPLIED_MS, fc.constant(undefined));
  const skew = skewOf(MAX_SKEW_MS - 1000);
  const property = fc.asyncProperty(acts, skew, measured, async (...played) => {
    const redemptions = await play(...played);
    for (const one of redemptions.filter(({ called }) => called)) {
      const truth = one.record === undefined ? 'not applied' : 'done';
      expect(one.outcomes).toEqual([truth]);
    }
  });
  await fc.assert(property, { numRuns: 200 });
});
