import { AsyncLocalStorage } from 'node:async_hooks';
import type { Message, Sender } from '../conversation/message.ts';
import { hideCode } from '../conversation/proof.ts';
import type { State } from '../conversation/state.ts';
import type { CallTrace, Trace } from './messages.ts';
import type { OutboxTask, Turn, TurnInside } from './turn.ts';

/** Explains to people how the bot understood a text in a given state, and why. */
type Explain = (text: string, before: State, sender: Sender) => NonNullable<Trace['understood']>;

/** The feed keeps traces, and no one-time code may be in it. */
function hideCodes(message: Message, before: State, nowMs: number): Message {
  return message.kind === 'text' ? { ...message, text: hideCode(message.text, before, nowMs) } : message;
}

/** Records what happens inside turns of some channels. */
export class Traces {
  readonly channels: readonly string[];
  readonly #explain: Explain;
  /** The calls of the turn at work. A shared client far below the turn makes them. */
  readonly calls = new AsyncLocalStorage<CallTrace[]>();

  constructor(channels: readonly string[], explain: Explain) {
    this.channels = channels;
    this.#explain = explain;
  }

  /** From here on, this chain of awaits works on the turn. */
  enter(turn: Turn): void {
    turn.inside = { calls: [], trips: ['take'] };
    this.calls.enterWith(turn.inside.calls);
  }

  /**
   * The trace goes with the turn's last reply. A reply to "forget me" has none, because a trace would repeat
   * the forgotten data. The stored outbox does not have the trace, so a crash loses it.
   */
  attach(turn: Turn, { calls, trips }: TurnInside, tasks: readonly OutboxTask[]): readonly OutboxTask[] {
    const { identifyMs, stepsMs, commitMs } = turn.event;
    const { message: original = null, sender } = turn.asker?.incoming ?? {};
    const before = turn.before.state;
    const message = original && hideCodes(original, before, turn.storeMs());
    const isText = message?.kind === 'text' && sender !== undefined;
    const trace = {
      message,
      sender,
      ...(isText && { understood: this.#explain(message.text, before, sender) }),
      before,
      after: turn.decision.state,
      calls,
      trips,
      ms: identifyMs + stepsMs + commitMs,
    };
    return tasks.map((task) => {
      const { seq, body } = task;
      if (body?.kind !== 'reply' || !body.outgoing.last || body.outgoing.forget) return task;
      return { seq, body: { ...body, outgoing: { ...body.outgoing, trace } } };
    });
  }
}
