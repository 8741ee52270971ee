import { AsyncLocalStorage } from 'node:async_hooks';
import type { Sender } from '../conversation/message.ts';
import type { State } from '../conversation/state.ts';
import { systemRuntime } from '../runtime.ts';
import type { Trace, TracedCall } from './messages.ts';
import type { Turn, TurnInside } from './turn.ts';

/** Explains to people how the bot understood a text in a given state, and why. */
type Explain = (text: string, before: State, sender: Sender) => NonNullable<Trace['understood']>;

/** Records what happens inside turns of some channels. Nothing is recorded of other turns. */
export class Traces {
  readonly #channels: readonly string[];
  readonly #explain: Explain;
  /** The calls of the turn at work. A shared client far below the turn makes them. */
  readonly #atWork = new AsyncLocalStorage<TracedCall[]>();

  constructor(channels: readonly string[], explain: Explain) {
    this.#channels = channels;
    this.#explain = explain;
  }

  /** Whether turns of this channel are looked into. */
  isSeen(channel: string): boolean {
    return this.#channels.includes(channel);
  }

  /** From here on, this chain of awaits works on the turn. */
  enter(turn: Turn): void {
    turn.isWatched = true;
    turn.inside = { calls: [], trips: ['take'], sinceMs: systemRuntime.monotonicMs() };
    this.#atWork.enterWith(turn.inside.calls);
  }

  /** The calls of the turn at work; undefined if it is not looked into. */
  readonly calls = (): TracedCall[] | undefined => this.#atWork.getStore();

  /**
   * The trace goes with the turn's last reply. A reply to "forget me" has none, because a trace would repeat
   * the forgotten data. The stored outbox does not have the trace, so a crash loses it.
   */
  attach(turn: Turn, { calls, trips, sinceMs }: TurnInside): void {
    const { message = null, sender } = turn.asker?.incoming ?? {};
    const before = turn.before.state;
    const isText = message?.kind === 'text' && sender !== undefined;
    const trace = {
      message,
      sender,
      ...(isText && { understood: this.#explain(message.text, before, sender) }),
      before,
      after: turn.decision.state,
      calls,
      trips,
      ms: systemRuntime.monotonicMs() - sinceMs,
    };
    turn.items = turn.items.map((numbered) => {
      const { seq, item } = numbered;
      if (item?.kind !== 'reply' || !item.outgoing.last || item.outgoing.forget) return numbered;
      return { seq, item: { ...item, outgoing: { ...item.outgoing, trace } } };
    });
  }
}
