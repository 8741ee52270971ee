import type { Sender } from '../conversation/message.ts';
import { type Known, Lease, type Then } from './mailbox.ts';
import type { Numbered } from './outbox.ts';
import { contextOf, joined, leave } from './steps.ts';
import { commit, type Work } from './transitions.ts';
import { changeOf, measured, noteChange, type Turn, type TurnTools, turnOf } from './turn.ts';

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
      turn.notes.passed('steps');
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
