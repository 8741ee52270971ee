import { AsyncLocalStorage } from 'node:async_hooks';
import type { Sender } from '../conversation/message.ts';
import type { State } from '../conversation/state.ts';
import { systemRuntime } from '../runtime.ts';
import type { Trace, TracedCall, Trip } from './messages.ts';
import type { Turn } from './turn.ts';

/** Looks into the turns of some channels. Turns of other channels cost a comparison, and nothing of them is kept. */
export type Traces = {
  /** Decides a turn that is looked into: the last of its items that is a reply carries the trace. */
  around(turn: Turn, decide: () => Promise<void>): Promise<void>;
  /** The turn at work asks something of the store. */
  count(trip: Trip): void;
  /** Whether turns of this channel are looked into. */
  isSeen(channel: string): boolean;
  /** To be called with every attempt to call AntCRM; it belongs to the turn that awaits it. */
  call(call: TracedCall): void;
};

/** What a text was taken for where the conversation was, and why, as people read it. */
type Explain = (text: string, before: State, sender: Sender) => NonNullable<Trace['understood']>;

/**
 * @example
 * const traces = createTraces(['staff'], conversation.explain);
 * if (traces.isSeen(turn.event.channel)) await traces.around(turn, () => decide(turn));
 */
export function createTraces(channels: readonly string[], explain: Explain): Traces {
  /** The turn at work in this chain of awaits: calls and round trips happen far below it, in shared clients. */
  const atWork = new AsyncLocalStorage<{ readonly calls: TracedCall[]; readonly trips: Trip[] }>();

  return {
    async around(turn, decide) {
      const seen = { calls: [], trips: ['take' as const] };
      const startMs = systemRuntime.monotonicMs();
      await atWork.run(seen, decide);
      const ms = systemRuntime.monotonicMs() - startMs;
      const { message = null, sender } = turn.asker?.incoming ?? {};
      const before = turn.before.state;
      const isText = message?.kind === 'text' && sender !== undefined;
      attach(turn, {
        ...{ message, sender, before, after: turn.decision.state, ...seen, ms },
        ...(isText && { understood: explain(message.text, before, sender) }),
      });
    },
    count: (trip) => void atWork.getStore()?.trips.push(trip),
    isSeen: (channel) => channels.includes(channel),
    call: (call) => void atWork.getStore()?.calls.push(call),
  };
}

/**
 * The trace goes with the turn's last reply, unless that says that all is forgotten: a trace would contradict
 * it. The stored outbox does not have it, so a crash loses it.
 */
function attach(turn: Turn, trace: Trace): void {
  turn.items = turn.items.map((numbered) => {
    const { seq, item } = numbered;
    if (item?.kind !== 'reply' || !item.outgoing.last || item.outgoing.forget) return numbered;
    return { seq, item: { ...item, outgoing: { ...item.outgoing, trace } } };
  });
}
