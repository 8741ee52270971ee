import { LeaseLost } from '../conversation/perform.ts';
import type { Reply } from '../conversation/reply.ts';
import type { ConversationState } from '../conversation/state.ts';
import type { Observe } from '../observe.ts';
import type { Spans } from '../spans.ts';
import type { Seal } from '../store/seal.ts';
import type { Sealing } from '../store/sealing.ts';
import type { ConversationStore } from '../store/store.ts';
import { tellResolved } from './notes.ts';
import { asksAfter, outboxOf, traceOfWakeUp } from './outbox.ts';
import type { Numbered } from './outgoing.ts';
import { type Dead, latestOf, type Session, type Turn } from './read.ts';
import type { Conversation, TurnResult } from './steps.ts';

const FLOOD: Reply = { key: 'abuse.flood' };
/** The customer is told of a flood once a minute, however many turns it lasts. */
const FLOOD_EVERY_MS = 60_000;

export type CommitTools = {
  readonly store: Pick<ConversationStore, 'commit'>;
  readonly seal: Seal;
  readonly sealing: Sealing;
  readonly conversation: Pick<Conversation, 'settings'>;
  readonly spans: Spans;
  readonly observe: Pick<Observe, 'alarm' | 'log' | 'question'>;
};

/** What a turn came to; `dead`: beside what could not be read. */
type Made = { readonly decided: TurnResult; readonly dead: readonly Dead[] };

/**
 * Saves what was decided: the state, the outbox, and that the message is answered. Resolves to the items of the outbox;
 * the session is then at the new state. Throws `LeaseLost` where another process has taken over.
 */
export async function commit(
  session: Session,
  { next, reading, notes }: Turn,
  { decided: result, ...made }: Made,
  { store, seal, sealing, spans, conversation, observe }: CommitTools,
): Promise<Numbered[]> {
  const { held, version } = session;
  const { asker } = reading;
  // The first commit of a turn takes the place of what could not be read.
  const unread = session.stored === null ? reading.dead : [];
  const dead = [...unread, ...made.dead];
  const before = latestOf(session, reading);
  const flooded = next.dropped > 0 && next.nowMs - (before.floodedMs ?? 0) > FLOOD_EVERY_MS;
  const decided = flooded ? { ...result, replies: [FLOOD, ...result.replies] } : result;
  const { state, wakeAtMs, settled, forget } = decided;
  const asks = asksAfter(before, decided);
  const traceparent = spans.traceparent();
  const items =
    asker === null
      ? []
      : outboxOf(decided, asker, {
          before,
          asks,
          defaultLocale: conversation.settings.defaultLocale,
          nowMs: next.nowMs,
          traceparent,
          customerName: (customer) => seal.name('customer', customer),
        });

  const stored = {
    state,
    origin: asker?.origin ?? before.origin,
    wakeAtMs,
    asks,
    floodedMs: flooded ? next.nowMs : before.floodedMs,
    traceparent: traceOfWakeUp(before, wakeAtMs, traceparent),
  };
  const sealed = sealing.state.seal(held.conversation, stored);
  const committed = await store.commit(held, {
    version,
    state: sealed,
    outbox: items.map((item) => sealing.outbox.seal(held.conversation, item)),
    consumed: next.head?.seq ?? null,
    wakeAtMs,
    settled,
    forget,
    aside: unread.find(({ reason }) => reason === 'state')?.body,
    dead,
  });
  if (!committed) throw new LeaseLost();

  held.pastIntent = false;
  session.version = version + 1;
  session.sealed = sealed;
  session.stored = stored;
  tell(held.conversation, before.state, { decided: result, dead }, observe);
  notes.passed('commit');
  return items.map((item, at) => ({ seq: committed.firstSeq + at, item }));
}

/** Tells operators what a commit brought. */
function tell(
  conversation: string,
  before: ConversationState,
  { decided, dead }: Made,
  { alarm, log, question: count }: CommitTools['observe'],
): void {
  for (const { reason } of dead) alarm('dead_letter', { conversation, reason });
  for (const operation of decided.escalated) alarm('operation_escalated', { conversation, operation });
  tellResolved(before, decided.state, conversation, log);
  for (const question of decided.questions) count(question);
}
