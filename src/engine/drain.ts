import type { Sender } from '../conversation/message.ts';
import { GivenBack, type Known, Lease, type Then } from './mailbox.ts';
import { readOutboxItem } from './messages.ts';
import type { Delivered, Numbered } from './outbox.ts';
import { commit, type OutboxEntry, type Tried, type Wait, type Work } from './record.ts';
import { contextOf, joined, leave } from './steps.ts';
import {
  answer,
  changeOf,
  channelOf,
  inputOf,
  leaveIfNewer,
  measured,
  noteChange,
  type Turn,
  type TurnTools,
  turnOf,
} from './turn.ts';

export type DrainTools = TurnTools & {
  deliver(
    lease: Lease,
    outbox: readonly Numbered[],
    at: { readonly nowMs: number; readonly tried: Tried | null },
  ): Promise<Delivered>;
  /** A lock is no reply: it waits for none. */
  unlockAll(outbox: readonly Numbered[]): Promise<unknown>;
  /** The conversation is due again then. */
  waits(conversation: string, afterMs: number): void;
};

/**
 * Works on a conversation until nothing is left to do: delivers what an earlier lease left, answers, delivers, and goes
 * on with what `release` hands over. Nothing overtakes a reply that has to wait. `fused`: the turn that was decided with
 * the lease. Throws as `answer` does, but for `GivenBack`.
 */
export async function drain(lease: Lease, work: Work, tools: DrainTools, fused?: Fused): Promise<void> {
  const { mailbox, stopping } = tools;
  let sentSeq = 0;
  let { tried } = work;

  /** False: a reply has to wait, and the lease is given back until then. */
  async function flush(outbox: readonly Numbered[], nowMs: number): Promise<boolean> {
    if (outbox.length === 0) return true;
    const delivered = await tools.deliver(lease, outbox, { nowMs, tried });
    sentSeq = delivered.sentSeq;
    tried = null;
    if (delivered.wait === undefined) return true;
    await putOff(delivered.wait);
    return false;
  }

  /** A wake-up while replies have to wait: those that it adds wait behind them. */
  async function leaveReplies(outbox: readonly Numbered[]): Promise<true> {
    await tools.unlockAll(outbox);
    return true;
  }

  async function putOff(wait: Wait): Promise<void> {
    await mailbox.release(lease, sentSeq, wait);
    tools.waits(lease.conversation, wait.afterMs);
  }

  /** Answers, and delivers the answer. False as `flush`. */
  function turn(next: Work): Promise<boolean> {
    return watched(lease, next, tools, async (made) => {
      const outbox = await answer(made, tools);
      const isFlushed = work.isPutOff ? await leaveReplies(outbox) : await flush(outbox, next.nowMs);
      made.notes.passed('deliverMs');
      return isFlushed;
    });
  }

  try {
    if (fused !== undefined) {
      const isFlushed = await flush(await fused.note(), work.nowMs);
      fused.turn.notes.passed('deliverMs');
      fused.turn.notes.tell(tools.observe.log);
      if (!isFlushed) return;
    } else if (!(await flush(readAll(work.outbox), work.nowMs))) return;
    // What an earlier lease left is dropped before a step can add to it: should this process die too, only the latest
    // turn's replies are repeated, and none comes after one to a later message.
    const isFresh = fused === undefined && work.outbox.length === 0;
    let next: Work | null = isFresh ? work : await mailbox.release(lease, sentSeq);
    for (; next !== null; next = await mailbox.release(lease, sentSeq)) {
      if (stopping()) throw new GivenBack();
      if (next.head === null && !next.wake) continue;
      mailbox.assertHeld(lease);
      if (!(await turn(next))) return;
    }
  } catch (error) {
    if (!(error instanceof GivenBack)) throw error;
    await putOff({ afterMs: error.afterMs, tried: tried ?? undefined, all: true });
  }
}

/** Does the work of a turn in a span of its message's trace, and with a line of the log at its end. */
async function watched<Result>(
  lease: Lease,
  next: Work,
  tools: DrainTools,
  work: (turn: Turn) => Promise<Result>,
): Promise<Result> {
  const { spans, observe } = tools;
  const turn = turnOf(lease, next, tools);
  const { asker, before } = turn;
  const channel = channelOf(turn);
  const { acceptedMs, traceparent } = asker?.incoming ?? { traceparent: before.traceparent };
  if (traceparent !== undefined && acceptedMs !== undefined) {
    spans.since(acceptedMs, 'wait', { channel, conversation: lease.conversation }, traceparent);
  }
  const told = () => work(turn).finally(() => turn.notes.tell(observe.log));
  const about = { channel, input: inputOf(turn), attempt: next.attempts };
  return spans.around('turn', about, told, traceparent ?? null);
}

/** What cannot be read will never be sent: it is passed over. */
function readAll(outbox: readonly OutboxEntry[]): Numbered[] {
  return outbox.map(({ seq, body }) => {
    try {
      return { seq, item: readOutboxItem(body) };
    } catch (error) {
      leaveIfNewer(error);
      return { seq, item: null };
    }
  });
}

/** A turn that was decided and committed with the swap that filed its message: what is left is to deliver its items. */
export type Fused = {
  readonly turn: Turn;
  /** To be called once it is written: what is left to be done. */
  note(): Promise<readonly Numbered[]>;
};

/** The message at hand, and who wrote it. `aliveUntilMs`: as of its lease, if it gets one. */
type Filed = {
  readonly name: string;
  readonly sender: Sender;
  readonly known: Known;
  readonly aliveUntilMs: number;
};

/**
 * Steps within the swap that files a message. Whatever is not plain is left to a turn of its own, and only filed: what waits
 * or went wrong before, a step that throws, one that asks for an effect.
 */
export function fuse({ name, sender, known, aliveUntilMs }: Filed, tools: TurnTools): Then<Fused> {
  const { conversation } = tools;
  return (record, accepted, nowMs) => {
    if (accepted.kind !== 'leased' || !isPlain(accepted.work, known.mark)) return undefined;
    const { work } = accepted;
    const lease = new Lease(name, work, aliveUntilMs, known);
    try {
      const turn = turnOf(lease, work, tools);
      const { before, asker, dead } = turn;
      if (asker === null || dead.length > 0) return undefined;
      const decision = conversation.step(
        before.state,
        { kind: 'message', message: known.incoming.message },
        contextOf({ sender, current: work.current, heardMs: known.incoming.acceptedMs, nowMs }, tools),
      );
      if (decision.effect !== undefined) return undefined;
      turn.notes.passed('stepsMs');
      const made = { decided: joined(leave(before.state, null), decision), dead };
      const change = changeOf(turn, made, tools);
      const committed = commit({ owner: lease.owner, step: 1, mark: known.mark }, change.commit)(
        record,
        nowMs,
      );
      if (committed.answer === null) return undefined;
      lease.step = 1;
      lease.mark = null;
      const { firstSeq } = committed.answer;
      const note = () => {
        const numbered = () => noteChange(turn, { change, made, firstSeq }, tools);
        return measured(turn, tools, async () => ({ result: 'done', items: numbered() }));
      };
      return { record: committed.record, done: { turn, note } };
    } catch {
      // A turn of its own finds out what is wrong, and counts it.
      return undefined;
    }
  };
}

function isPlain({ head, attempts, outbox, journal, takeover }: Work, mark: string): boolean {
  const isOnly = head?.mark === mark && outbox.length === 0 && Object.keys(journal).length === 0;
  return isOnly && attempts === 1 && !takeover;
}
