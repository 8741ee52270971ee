import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { NEVER_TRIED, type Next, type OutboxEntry, type Wait, type Work } from '../store/mailbox.ts';
import type { ConversationStore } from '../store/store.ts';
import { StoreUnavailable } from '../store/unavailable.ts';
import { msSince } from './elapsed.ts';
import { assertHeld, GivenBack, type Held } from './leases.ts';
import { TurnNotes } from './notes.ts';
import type { Delivered, Numbered } from './outgoing.ts';
import {
  alarmIfBroken,
  attemptsOf,
  channelOf,
  type Known,
  leaveIfNewer,
  read,
  type Session,
  type Turn,
} from './read.ts';
import { answer, type TurnTools } from './turn.ts';

export type DrainTools = TurnTools & {
  readonly store: Pick<ConversationStore, 'release'>;
  deliver(held: Held, outbox: readonly Numbered[], at: Pick<Work, 'nowMs' | 'tried'>): Promise<Delivered>;
};

/** How soon a store that did not answer is asked once more. */
const RELEASE_AGAIN_MS = 250;

/**
 * Works on a conversation until nothing is left to do: delivers what an earlier lease left, answers, delivers, and goes
 * on with what `release` hands over. Nothing overtakes a reply that has to wait. Throws as `answer` does, but for
 * `GivenBack`.
 */
export async function drain(held: Held, work: Work, tools: DrainTools, known?: Known): Promise<void> {
  const { store, stopping } = tools;
  const session: Session = { held, version: work.version, sealed: work.state, stored: null, known };
  let sentSeq = 0;
  let { tried } = work;

  /** False: a reply has to wait, and the lease is given back until then. */
  async function flush(outbox: readonly Numbered[], nowMs: number): Promise<boolean> {
    if (outbox.length === 0) return true;
    const delivered = await tools.deliver(held, outbox, { nowMs, tried });
    sentSeq = delivered.sentSeq;
    tried = NEVER_TRIED;
    if (delivered.wait === undefined) return true;
    await release(delivered.wait);
    return false;
  }

  /** Answers, and delivers the answer. False as `flush`. */
  function turn(next: Next): Promise<boolean> {
    return watched(session, next, tools, async (made) => {
      const outbox = await answer(session, made, tools);
      const isFlushed = await flush(outbox, next.nowMs);
      made.notes.passed('deliver');
      return isFlushed;
    });
  }

  /** Tried until the lease is over: what was sent and cannot be noted would be sent again. */
  async function release(wait?: Wait): Promise<Next | null> {
    const nonce = randomUUID();
    for (;;) {
      try {
        const next = await store.release(held, sentSeq, wait, nonce);
        held.mark = nonce;
        return next;
      } catch (error) {
        const again = error instanceof StoreUnavailable && performance.now() < held.aliveUntilMs;
        if (!again) throw error;
      }
      await delay(RELEASE_AGAIN_MS);
    }
  }

  try {
    if (!(await flush(opened(held, work.outbox, tools), work.nowMs))) return;
    // What an earlier lease left is dropped before a step can add to it: should this process die too, only the latest
    // turn's replies are repeated, and none comes after one to a later message.
    let next: Next | null = work.outbox.length === 0 ? work : await release();
    for (; next !== null; next = await release()) {
      if (stopping()) throw new GivenBack();
      if (next.head === null && next.wake === null) continue;
      assertHeld(held);
      if (!(await turn(next))) return;
    }
  } catch (error) {
    if (!(error instanceof GivenBack)) throw error;
    await release({ afterMs: error.afterMs, tried });
  }
}

/** Does the work of a turn in a span of its message's trace, and with a line of the log at its end. */
async function watched<Result>(
  session: Session,
  next: Next,
  tools: DrainTools,
  work: (turn: Turn) => Promise<Result>,
): Promise<Result> {
  const { spans, observe } = tools;
  const { conversation } = session.held;
  const reading = read(session, next, tools);
  const incoming = reading.asker?.incoming ?? null;
  const channel = channelOf({ reading });
  const input = next.head === null ? 'wake' : (incoming?.message.kind ?? 'unreadable');
  const { acceptedMs, traceparent } = incoming ?? { traceparent: reading.before.traceparent };
  if (traceparent !== undefined && acceptedMs !== undefined) {
    spans.since(acceptedMs, 'wait', { channel, conversation }, traceparent);
  }
  const notes = new TurnNotes({ conversation, channel, input, waitMs: msSince(acceptedMs) });
  const about = { channel, input, attempt: attemptsOf(next) };
  const told = async (): Promise<Result> => {
    try {
      return await work({ next, reading, notes });
    } finally {
      notes.tell(observe.log);
    }
  };
  return spans.around('turn', about, told, traceparent ?? null);
}

/** What cannot be opened will never be sent: it is passed over. */
function opened(held: Held, outbox: readonly OutboxEntry[], { sealing, observe }: DrainTools): Numbered[] {
  return outbox.map(({ seq, body }) => {
    try {
      return { seq, item: sealing.outbox.open(held.conversation, body) };
    } catch (error) {
      leaveIfNewer(error);
      alarmIfBroken(error, held.conversation, observe);
      return { seq, item: null };
    }
  });
}
