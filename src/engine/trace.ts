import { AsyncLocalStorage } from 'node:async_hooks';
import type { Sender } from '../conversation/message.ts';
import type { State } from '../conversation/state.ts';
import { systemRuntime } from '../runtime.ts';
import type { Trace, TracedCall, Trip } from './messages.ts';
import type { Turn } from './turn.ts';

/** Explains to people how the bot understood a text in a given state, and why. */
type Explain = (text: string, before: State, sender: Sender) => NonNullable<Trace['understood']>;

/**
 * Records what happens inside turns of some channels. Nothing is recorded of other turns.
 *
 * @example
 * const traces = new Traces(['staff'], conversation.explain);
 * if (traces.isSeen('staff')) await traces.around(turn, () => decide(turn));
 */
export class Traces {
  readonly #channels: readonly string[];
  readonly #explain: Explain;
  /** The calls and trips of the current turn. Shared clients far below the turn make them. */
  readonly #atWork = new AsyncLocalStorage<{ readonly calls: TracedCall[]; readonly trips: Trip[] }>();

  constructor(channels: readonly string[], explain: Explain) {
    this.#channels = channels;
    this.#explain = explain;
  }

  /** Decides a turn. The last of its replies then carries the trace. */
  async around(turn: Turn, decide: () => Promise<void>): Promise<void> {
    const seen = { calls: [], trips: ['take' as const] };
    const startMs = systemRuntime.monotonicMs();
    await this.#atWork.run(seen, decide);
    const ms = systemRuntime.monotonicMs() - startMs;
    const { message = null, sender } = turn.asker?.incoming ?? {};
    const before = turn.before.state;
    const isText = message?.kind === 'text' && sender !== undefined;
    attach(turn, {
      message,
      sender,
      before,
      after: turn.decision.state,
      ...seen,
      ms,
      ...(isText && { understood: this.#explain(message.text, before, sender) }),
    });
  }

  /** To be called when the turn at work has waited for the store. */
  readonly onTrip = ({ name }: { readonly name: Trip }): void => {
    this.#atWork.getStore()?.trips.push(name);
  };

  /** Whether turns of this channel are looked into. */
  isSeen(channel: string): boolean {
    return this.#channels.includes(channel);
  }

  /** To be called with every attempt to call AntCRM. It belongs to the turn that awaits it. */
  readonly call = (call: TracedCall): void => {
    this.#atWork.getStore()?.calls.push(call);
  };
}

/**
 * The trace goes with the turn's last reply. A reply to "forget me" has none, because a trace would repeat
 * the forgotten data. The stored outbox does not have the trace, so a crash loses it.
 */
function attach(turn: Turn, trace: Trace): void {
  turn.items = turn.items.map((numbered) => {
    const { seq, item } = numbered;
    if (item?.kind !== 'reply' || !item.outgoing.last || item.outgoing.forget) return numbered;
    return { seq, item: { ...item, outgoing: { ...item.outgoing, trace } } };
  });
}
