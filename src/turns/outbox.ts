import type { Locale } from '../conversation/message.ts';
import type { Reply } from '../conversation/reply.ts';
import { type ConversationState, localeOf } from '../conversation/state.ts';
import type { OutboxItem, Stored } from '../store/bodies.ts';
import type { Outgoing } from './delivery.ts';
import type { Asker } from './perform.ts';
import type { TurnResult } from './steps.ts';

/** What the live question asks for after a turn. A turn that asks nothing new leaves a live question as it is. */
export function asksAfter(before: Stored, result: Pick<TurnResult, 'state' | 'replies'>): string | undefined {
  const asked = result.replies.findLast((reply) => reply.asks !== undefined);
  if (asked !== undefined) return asked.asks;
  return result.state.view === before.state.view ? before.asks : undefined;
}

/** A wake-up belongs to the trace of the turn that asked for it, not to that of a turn that only leaves it armed. */
export function traceOfWakeUp(
  before: Stored,
  wakeAtMs: number | null,
  traceparent: string | undefined,
): string | undefined {
  if (wakeAtMs === null) return undefined;
  return wakeAtMs === before.wakeAtMs ? before.traceparent : traceparent;
}

/** The items of a turn: its replies in order, then the locks to give back. */
export function outboxOf(
  result: TurnResult,
  asker: Asker,
  turn: {
    before: Stored;
    asks: string | undefined;
    defaultLocale: Locale;
    nowMs: number;
    traceparent: string | undefined;
    customerName(customer: string): string;
  },
): OutboxItem[] {
  const { state, replies } = result;
  const { origin, sender, incoming } = asker;
  const shared = {
    channel: origin.channel,
    conversation: origin.conversation,
    address: origin.address,
    press: incoming?.press,
    locale: localeOf(state, sender, turn.defaultLocale),
    turn: incoming?.id,
    state: { flow: flowOf(state), asks: turn.asks },
    asked: turn.before.asks,
    ...(result.forget && { forget: true as const }),
    atMs: turn.nowMs,
    acceptedMs: incoming?.acceptedMs,
    traceparent: turn.traceparent,
  };
  const outgoing = (reply: Reply, at: number): Outgoing => ({
    ...shared,
    reply,
    first: at === 0,
    last: at === replies.length - 1,
  });
  return [
    ...replies.map((reply, at): OutboxItem => ({ kind: 'reply', outgoing: outgoing(reply, at) })),
    ...result.unlock.map(
      ({ customer, operation, record, awaited }): OutboxItem => ({
        kind: 'unlock',
        customer: turn.customerName(customer),
        operation,
        record,
        awaited,
      }),
    ),
  ];
}

function flowOf({ step }: ConversationState): string | undefined {
  switch (step.at) {
    case 'asking':
    case 'confirming':
    case 'browsing':
      return step.flow;
    case 'idle':
    case 'consenting':
      return undefined;
  }
}
