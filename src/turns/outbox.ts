import type { Locale } from '../conversation/message.ts';
import type { Reply } from '../conversation/reply.ts';
import type { ConversationState } from '../conversation/state.ts';
import type { Errand, Stored } from '../store/bodies.ts';
import type { Outgoing } from './delivery.ts';
import type { Asker } from './perform.ts';
import type { Thought } from './think.ts';

/** What the live question asks for after a turn: as long as the question lives, an answer without one changes nothing. */
export function asksAfter(before: Stored, thought: Pick<Thought, 'state' | 'replies'>): string | undefined {
  const asked = thought.replies.findLast((reply) => reply.asks !== undefined);
  if (asked !== undefined) return asked.asks;
  return thought.state.view === before.state.view ? before.asks : undefined;
}

/** The errands of a turn: its replies in order, then the holds to give back. */
export function errandsOf(
  thought: Thought,
  asker: Asker,
  turn: {
    before: Stored;
    asks: string | undefined;
    defaultLocale: Locale;
    nowMs: number;
    customerName(customer: string): string;
  },
): Errand[] {
  const { state, replies } = thought;
  const { origin, sender, incoming } = asker;
  const shared = {
    channel: origin.channel,
    conversation: origin.conversation,
    address: origin.address,
    press: incoming?.press,
    locale: state.locale ?? sender.locale ?? state.clientLocale ?? turn.defaultLocale,
    turn: incoming?.id,
    state: { flow: flowOf(state), asks: turn.asks },
    asked: turn.before.asks,
    ...(thought.forget && { forget: true as const }),
    atMs: turn.nowMs,
  };
  const outgoing = (reply: Reply, at: number): Outgoing => ({
    ...shared,
    reply,
    first: at === 0,
    last: at === replies.length - 1,
  });
  return [
    ...replies.map((reply, at): Errand => ({ kind: 'reply', outgoing: outgoing(reply, at) })),
    ...thought.letGo.map(
      ({ customer, operation, record, awaited }): Errand => ({
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
