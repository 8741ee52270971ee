import { z } from 'zod';
import {
  conclusionSchema,
  type Effect,
  type EffectContext,
  type Intent,
  intentSchema,
  type KnownCall,
  LeaseLost,
  type Lookup,
  type Outcome,
  type Perform,
  TurnInterrupted,
} from '../conversation/effect.ts';
import type { PhotoEffect } from '../conversation/message.ts';
import type { Spans } from '../observability/tracing.ts';
import type { Runtime } from '../runtime.ts';
import type { Conversations, Lease } from './conversations.ts';
import type { Lock } from './customer.ts';
import type { Limits } from './limits.ts';
import { type Platform, written } from './messages.ts';
import type { createPhotos } from './photos.ts';
import type { PendingCall } from './record.ts';
import type { OnTrip } from './trace.ts';
import type { Asker } from './turn.ts';

/** The turn that an effect is performed for; `calls` grows with those that the effect makes. */
export type EffectTurn = {
  readonly lease: Lease;
  readonly asker: Asker;
  readonly calls: Calls;
  nowMs(): number;
};

/** The calls of a conversation that were perhaps made, as its journal knows them. */
export class Calls {
  readonly #known = new Map<string, KnownCall>();
  readonly #lookups = new Map<string, Lookup>();
  /** How calls of this turn ended, which the store does not know yet. */
  #unwritten: Record<string, KnownCall> = {};

  constructor(journal: Readonly<Record<string, PendingCall>>) {
    for (const [operation, call] of Object.entries(journal)) {
      const lookup = lookupIn(call.body);
      // Nobody can look it up; it stays listed, for operators.
      if (lookup === undefined) continue;
      this.add(operation, lookup);
      const outcome = conclusionSchema.safeParse(call.outcome).data;
      if (outcome !== undefined) this.#known.set(operation, outcome);
    }
  }

  /** A call is about to be made. */
  add(operation: string, lookup: Lookup): void {
    this.#lookups.set(operation, lookup);
    this.#known.set(operation, { kind: 'unknown', operation, lookup });
  }

  /** How an effect ended; noted where it is that of a call. */
  note(outcome: Outcome): void {
    const { kind } = outcome;
    if (kind !== 'applied' && kind !== 'refused' && kind !== 'unavailable') return;
    const { operation } = outcome;
    if (operation === undefined || !this.#known.has(operation)) return;
    const known = conclusionSchema.parse({ ...outcome, locks: outcome.locks && [...outcome.locks] });
    this.#known.set(operation, known);
    this.#unwritten[operation] = known;
  }

  /** What was not written yet: goes with the next change. */
  take = (): Readonly<Record<string, KnownCall>> => {
    const outcomes = this.#unwritten;
    this.#unwritten = {};
    return outcomes;
  };

  known = (operation: string): KnownCall | null => this.#known.get(operation) ?? null;
  lookupOf = (operation: string): Lookup | undefined => this.#lookups.get(operation);
  all = (): Readonly<Record<string, KnownCall>> => Object.fromEntries(this.#known);
}

const bodySchema = z.looseObject({ body: intentSchema });
const lookupIn = (stored: unknown): Lookup | undefined => bodySchema.safeParse(stored).data?.body.lookup;

/** Teams shows typing for three seconds and wants no more of it than that; Telegram shows its action for five. */
const WORKING_AGAIN_MS = 3000;

export type EffectTools = {
  readonly conversations: Pick<Conversations, 'intend' | 'isHeld'>;
  lock(customer: string, operation: string, forMs?: number): Promise<Lock>;
  unlock(customer: string, operation: string, record?: string, awaited?: string): Promise<void>;
  readonly perform: Perform;
  readonly photos: ReturnType<typeof createPhotos>;
  readonly onTrip: OnTrip;
  platform(channel: string): Platform | undefined;
  stopping(): boolean;
  readonly limits: Pick<Limits, 'workingMs'>;
  readonly runtime: Runtime;
  readonly spans: Spans;
};

export type Effects = ReturnType<typeof createEffects>;

/** Performs what turns ask for, each under its lease. */
export function createEffects(tools: EffectTools) {
  const { conversations, lock, unlock, perform, photos, onTrip, spans } = tools;
  const { platform, stopping, limits, runtime } = tools;

  async function intend({ lease, asker, calls }: EffectTurn, operation: string, intent: Intent) {
    if (stopping() && !lease.pastIntent) throw new TurnInterrupted();
    // Set before the answer comes: it may get lost, or `stop` may be called meanwhile.
    const before = lease.pastIntent;
    lease.pastIntent = true;
    const body = written({ origin: asker.origin, traceparent: spans.traceparent(), body: intent });
    const call = { operation, body, outcomes: calls.take() };
    const sinceMs = runtime.nowMs();
    const { intended, durable } = await conversations.intend(lease, call);
    onTrip('intend', sinceMs, { operation });
    if (intended.kind !== 'go') {
      lease.pastIntent = before;
      lease.lose();
      throw new LeaseLost();
    }
    if (!durable) lease.pastIntent = before;
    calls.add(operation, intent.lookup);
    const { incoming } = asker;
    if (durable && incoming) platform(incoming.channel)?.begins?.(incoming, operation);
    return durable ? ('go' as const) : ('unreplicated' as const);
  }

  function contextOf(turn: EffectTurn): EffectContext {
    const { lease, calls, nowMs } = turn;
    return {
      nowMs,
      get signal() {
        return lease.signal;
      },
      stopping,
      intend: (operation, intent) => intend(turn, operation, intent),
      known(operation) {
        const known = calls.known(operation);
        if (known !== null) lease.pastIntent = true;
        return known;
      },
      lock,
      unlock,
      isHeld: () => conversations.isHeld(lease),
    };
  }

  /** Shows the customer that the bot is at work, from `workingMs` on. Returns how to end that. */
  function showWorking({ incoming }: Asker): () => void {
    if (incoming === null) return () => {};
    const { channel, conversation, address, press } = incoming;
    const show = (): void => {
      timer = runtime.timer(WORKING_AGAIN_MS, show);
      void platform(channel)
        ?.working?.({ conversation, address, press })
        .catch(() => {});
    };
    let timer = runtime.timer(limits.workingMs, show);
    return () => timer.cancel();
  }

  return {
    /** Throws `LeaseLost` where the outcome is void, `GivenBack` and `TurnInterrupted` where nothing was done. */
    async perform(effect: Effect | PhotoEffect, turn: EffectTurn): Promise<Outcome | PhotoEffect> {
      const stopShowing = showWorking(turn.asker);
      try {
        if (effect.kind !== 'photo') {
          const outcome = await perform(effect, contextOf(turn));
          turn.calls.note(outcome);
          return outcome;
        }
        const sinceMs = runtime.nowMs();
        const reading = await photos(effect, turn.lease, turn.asker);
        spans.mark({ name: 'photo', sinceMs });
        return reading;
      } finally {
        stopShowing();
        // A lease that is over by the clock does not count here: a call was perhaps made, so the commit decides.
        turn.lease.assertNotLost();
      }
    },
  };
}
