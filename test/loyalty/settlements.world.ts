import type { Context } from '../../src/conversation/context.ts';
import { type Perform, writeAwaited } from '../../src/conversation/effect.ts';
import type { Reply } from '../../src/conversation/reply.ts';
import type { ConversationState } from '../../src/conversation/state.ts';
import type { Input } from '../../src/conversation/step.ts';
import { createPerform } from '../../src/loyalty/loyalty.ts';
import type { CallOutcome, LoyaltyRecord, RedeemRequest } from '../../src/loyalty/port.ts';
import { newState, step } from '../support/conversation.ts';
import { SETTINGS, TELEGRAM } from '../support/dialogue.ts';
import { FakeAntcrm, FakeStore, observe, PHONE, START_MS, VirtualClock } from './operations.doubles.ts';

export const TIMEOUT_MS = 8000;
export const CHECKS_MS = SETTINGS.operationChecksMs;
export const NOT_APPLIED_MS = CHECKS_MS.at(-2) ?? 0;
const GIFT = 'DAUMAY01';
const LOCKS = ['customer:475', `phone:${PHONE.value}`];

/** How a call goes: `afterMs` it reaches AntCRM; of `lost` ones the answer never comes. Its record shows `hiddenMs` later. */
export type Call = {
  readonly fate: 'applied' | 'lost' | 'vanished' | 'refused' | 'refused and lost';
  readonly afterMs: number;
  readonly hiddenMs: number;
};

/** A cashier's redemption for the same customer, so long after the call was begun. */
export type Cashiers = {
  readonly afterMs: number;
  readonly hiddenMs: number;
  readonly status: 'succeeded' | 'failed';
};

/** A redemption as the truth has it, and all that its customer was told. */
export type Redemption = {
  readonly id: string;
  readonly confirmedMs: number;
  called: boolean;
  /** The record of its success. */
  record: string | undefined;
  readonly told: ('done' | 'not applied' | 'with staff')[];
  /** The record that a check settled it by. */
  settledBy: LoyaltyRecord | undefined;
};

/** AntCRM with a clock of its own, whose answers get lost and whose history lags. */
class Antcrm extends FakeAntcrm {
  next: Call = { fate: 'applied', afterMs: 0, hiddenMs: 0 };
  /** The record that the last call left. */
  made: string | undefined;
  called = false;
  readonly #clock: VirtualClock;
  readonly #endless = new AbortController().signal;
  /** `measuredMs`: by how much the skew is measured wrong. */
  readonly #measuredMs: number;

  constructor(clock: VirtualClock, skewMs: number, measuredMs: number) {
    super(clock);
    this.#clock = clock;
    this.skewMs = skewMs;
    this.#measuredMs = measuredMs;
    this.contacts.push({ customerId: '475', phones: [PHONE.value], emails: [] });
  }

  override clock() {
    const clock = super.clock();
    return clock.kind === 'known' ? { ...clock, aheadMs: clock.aheadMs + this.#measuredMs } : clock;
  }

  override async redeem(_request: RedeemRequest): Promise<CallOutcome> {
    const { fate, afterMs, hiddenMs } = this.next;
    this.called = true;
    await this.#clock.sleep(afterMs, this.#endless);
    if (fate === 'vanished') return { kind: 'unknown' };
    const isRefused = fate === 'refused' || fate === 'refused and lost';
    const id = this.note(isRefused ? 'failed' : 'succeeded', hiddenMs);
    if (!isRefused) this.made = id;
    if (fate === 'lost' || fate === 'refused and lost') return { kind: 'unknown' };
    return { kind: fate };
  }

  note(status: LoyaltyRecord['status'], hiddenMs: number, agoMs = 0): string {
    const id = `record ${this.records.length}`;
    const atMs = this.#clock.nowMs() - agoMs + (this.skewMs ?? 0);
    this.records.push({
      id,
      type: 'gift',
      code: GIFT,
      status,
      score: 10,
      atMs,
      visibleAtMs: atMs + hiddenMs,
    });
    return id;
  }
}

/** Conversations of one customer, the policy of calls, a store and AntCRM, and time that passes for all of them. */
export class World {
  readonly clock = new VirtualClock();
  readonly antcrm: Antcrm;
  readonly redemptions: Redemption[] = [];
  readonly #store = new FakeStore(this.clock);
  readonly #operations: Perform;
  readonly #states: ConversationState[] = [newState(START_MS), newState(START_MS)];
  readonly #wakes: (number | null)[] = [null, null];
  readonly #cashiers: (Cashiers & { atMs: number })[] = [];
  #ids = 0;

  constructor(skewMs: number, measuredMs: number) {
    this.antcrm = new Antcrm(this.clock, skewMs, measuredMs);
    this.#operations = createPerform({
      ...{ antcrm: this.antcrm, contacts: 'on', timeoutMs: TIMEOUT_MS, observe, world: this.clock },
    });
  }

  /** The customer confirms a redemption in one of the conversations. */
  async redeem(where: 0 | 1, call: Call, cashiers?: Cashiers): Promise<Redemption> {
    const id = this.#id();
    const redemption: Redemption = {
      ...{ id, confirmedMs: this.clock.nowMs(), called: false, record: undefined },
      ...{ told: [], settledBy: undefined },
    };
    this.redemptions.push(redemption);
    if (cashiers) this.#cashiers.push({ ...cashiers, atMs: this.clock.nowMs() + cashiers.afterMs });
    Object.assign(this.antcrm, { next: call, made: undefined, called: false });
    this.#states[where] = {
      ...(this.#states[where] ?? newState(START_MS)),
      lastMessageMs: this.clock.nowMs(),
      step: { at: 'confirming', flow: 'redeem', operation: id },
      draft: { code: GIFT, phone: { value: PHONE.value, proved: true } },
      view: 'live',
    };
    const choice = { kind: 'choice', choice: `confirm:${id}`, view: 'live' } as const;
    await this.#turn(where, { kind: 'message', message: choice }, redemption);
    Object.assign(redemption, { called: this.antcrm.called, record: this.antcrm.made });
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
    const untilMs = this.clock.nowMs() + ms;
    for (;;) {
      this.#letCashiersRedeem();
      const next = Math.min(
        ...this.#wakes.map((at) => at ?? Infinity),
        ...this.#cashiers.map(({ atMs }) => atMs),
      );
      if (next > untilMs) break;
      this.clock.pass(Math.max(0, next - this.clock.nowMs()));
      for (const where of [0, 1] as const) {
        if ((this.#wakes[where] ?? Infinity) <= this.clock.nowMs()) await this.#turn(where, { kind: 'wake' });
      }
    }
    this.clock.pass(Math.max(0, untilMs - this.clock.nowMs()));
  }

  #letCashiersRedeem(): void {
    const nowMs = this.clock.nowMs();
    const due = this.#cashiers.filter(({ atMs }) => atMs <= nowMs);
    for (const one of due) {
      this.#cashiers.splice(this.#cashiers.indexOf(one), 1);
      this.antcrm.note(one.status, one.hiddenMs, nowMs - one.atMs);
    }
  }

  async #turn(where: 0 | 1, input: Input, asked?: Redemption): Promise<void> {
    let decision = step(this.#states[where] ?? newState(START_MS), input, this.#context());
    const decisions = [decision];
    while (decision.effect) {
      if (decision.effect.kind === 'photo') throw new Error('nobody sends photos here');
      // A cashier does not wait for our calls to end.
      this.#letCashiersRedeem();
      const outcome = await this.clock.run(this.#operations(decision.effect, this.#store.lease()));
      decision = step(decision.state, { kind: 'outcome', outcome }, this.#context());
      decisions.push(decision);
    }
    // As a store would: written and read back.
    this.#states[where] = JSON.parse(JSON.stringify(decision.state));
    this.#wakes[where] = decision.wakeAtMs ?? null;
    for (const { replies } of decisions) for (const reply of replies) this.#hear(reply, asked);
    for (const { unlock = [] } of decisions) {
      for (const { customer, operation, record, awaited } of unlock) {
        this.#store.unlock(customer, operation, record, awaited && writeAwaited(awaited));
        const told = this.redemptions.find(({ id }) => id === operation);
        if (told && told !== asked) told.settledBy = this.antcrm.records.find(({ id }) => id === record);
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
      nowMs: this.clock.nowMs(),
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
