import { AsyncLocalStorage } from 'node:async_hooks';
import type { Message, Sender } from '../conversation/message.ts';
import type { State } from '../conversation/state.ts';
import type { SpanFields, Spans } from '../observability/tracing.ts';
import { systemRuntime } from '../runtime.ts';
import type { Trace, TracedCall, Trip } from './messages.ts';
import type { NumberedItem } from './outbox.ts';

/** Looks into the turns of some channels. Turns of other channels cost a comparison, and nothing of them is kept. */
export type Traces = {
  /** Does the `work` of a turn that is looked into: the last reply of what comes out carries the trace. */
  around(turn: TracedTurn, work: () => Promise<readonly NumberedItem[]>): Promise<readonly NumberedItem[]>;
  /** The turn at work asks something of the store. */
  count(trip: Trip): void;
  /** Whether turns of this channel are looked into. */
  isSeen(channel: string): boolean;
  /** To be called with every attempt to call AntCRM; it belongs to the turn that awaits it. */
  call(call: TracedCall): void;
};

/** What a trace needs to know of a turn. `after` is read once the work is done. */
type TracedTurn = {
  readonly message: Message | null;
  readonly sender: Sender | undefined;
  readonly before: State;
  after(): State;
};

/** Told after a turn waited for the store from `sinceMs` (epoch): counts it, and makes a span. */
export type OnTrip = (trip: Exclude<Trip, 'take'>, sinceMs: number, about: SpanFields) => void;

export function tellTrips(spans: Spans, traces: Pick<Traces, 'count'> | undefined): OnTrip {
  return (name, sinceMs, about) => {
    traces?.count(name);
    if (spans.isTracing) spans.mark({ name: `store ${name}`, sinceMs, ...about });
  };
}

type Notes = { readonly calls: TracedCall[]; readonly trips: Trip[] };

/** What a text was taken for where the conversation was, and why, as people read it. */
type Explain = (text: string, before: State, sender: Sender) => NonNullable<Trace['understood']>;

export function createTraces(channels: readonly string[], explain: Explain): Traces {
  /** The turn at work in this chain of awaits: calls and round trips happen far below it, in shared clients. */
  const atWork = new AsyncLocalStorage<Notes>();

  async function traced(
    { message, sender, before, after }: TracedTurn,
    work: () => Promise<readonly NumberedItem[]>,
  ) {
    const notes: Notes = { calls: [], trips: ['take'] };
    const startMs = systemRuntime.monotonicMs();
    const items = await atWork.run(notes, work);
    const ms = systemRuntime.monotonicMs() - startMs;
    return carrying(items, {
      message,
      sender,
      ...(message?.kind === 'text' && sender && { understood: explain(message.text, before, sender) }),
      before,
      after: after(),
      ...notes,
      ms,
    });
  }

  return {
    around: traced,

    count: (trip) => void atWork.getStore()?.trips.push(trip),
    isSeen: (channel) => channels.includes(channel),
    call: (call) => void atWork.getStore()?.calls.push(call),
  };
}

/**
 * The trace goes with the turn's last reply, unless that says that all is forgotten: a trace would contradict it. The stored
 * outbox does not have it, so a crash loses it.
 */
function carrying(items: readonly NumberedItem[], trace: Trace): readonly NumberedItem[] {
  return items.map((numbered) => {
    const { item } = numbered;
    if (item?.kind !== 'reply' || !item.outgoing.last || item.outgoing.forget) return numbered;
    return { ...numbered, item: { ...item, outgoing: { ...item.outgoing, trace } } };
  });
}
