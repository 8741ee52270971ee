import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { NEVER_TRIED, type Next, type OutboxEntry, type Wait, type Work } from '../store/mailbox.ts';
import { StoreUnavailable } from '../store/unavailable.ts';
import { assertHeld, GivenBack, type Held } from './leases.ts';
import type { Delivered, Numbered } from './outgoing.ts';
import { alarmIfBroken, type Known, leaveIfNewer, type Session } from './read.ts';
import { answer, type TurnTools } from './turn.ts';

export type DrainTools = TurnTools & {
  deliver(held: Held, outbox: readonly Numbered[], at: Pick<Work, 'nowMs' | 'tried'>): Promise<Delivered>;
};

/** How soon a store that restarts is asked once more. */
const RELEASE_AGAIN_MS = 250;

/**
 * Works on a conversation until nothing is left to do: delivers what an earlier lease left, answers, delivers, and goes
 * on with what `release` hands over. Nothing overtakes a reply that has to wait. Throws as `answer` does, but for
 * `GivenBack`.
 */
export async function drain(held: Held, work: Work, tools: DrainTools, known?: Known): Promise<void> {
  const { mailbox, stopping } = tools;
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

  /** Tried until the lease is over: what was sent and cannot be noted would be sent again. */
  async function release(wait?: Wait): Promise<Next | null> {
    const nonce = randomUUID();
    for (;;) {
      try {
        return await mailbox.release(held, sentSeq, wait, nonce);
      } catch (error) {
        const again = error instanceof StoreUnavailable && performance.now() < held.aliveUntilMs;
        if (!again) throw error;
      }
      await delay(RELEASE_AGAIN_MS);
    }
  }

  try {
    if (!(await flush(opened(held, work.outbox, tools), work.nowMs))) return;
    // What an earlier lease left is dropped before a step can add to it: should this process die, too, only the latest
    // turn's replies are repeated, and none comes after one to a later message.
    let next: Next | null = work.outbox.length === 0 ? work : await release();
    for (; next !== null; next = await release()) {
      if (stopping()) throw new GivenBack();
      if (next.head === null && next.wake === null) continue;
      assertHeld(held);
      const outbox = await answer(session, next, tools);
      if (!(await flush(outbox, next.nowMs))) return;
    }
  } catch (error) {
    if (!(error instanceof GivenBack)) throw error;
    await release({ afterMs: error.afterMs, tried });
  }
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
