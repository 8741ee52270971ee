import { hash } from 'node:crypto';
import { isReceipt, type Reply, toPlainest } from '../../src/conversation/reply.ts';
import type { Operation } from '../../src/conversation/state.ts';
import { CUSTOMER, type CustomerRecord, ENDED_LOCK_MS } from '../../src/engine/customer.ts';
import type { Incoming, Outgoing } from '../../src/engine/messages.ts';
import { type ConversationRecord, HOUR_CHARS, ID_CHARS } from '../../src/engine/record.ts';
import { CONVERSATION } from '../../src/engine/transitions.ts';
import { SHORT_LOCK_MS } from '../../src/loyalty/locks.ts';
import {
  INDEXES,
  type Index,
  type Key,
  type RecordStore,
  type ScoredMember,
  SHARDS,
  type Swap,
} from '../../src/store/port.ts';
import type { createAntCrmDouble } from './antcrm.ts';
import { filedIn, keptIn, madeMsOf, type RecordChange, stateOf, unlockedIn, type Watched } from './watch.ts';
import type { World } from './world.ts';

/** A message on its way, and what became of it. */
export type Update = {
  readonly incoming: Incoming;
  readonly sentMs: number;
  /** When the bot took it (2xx), and whether it had room for it. */
  takenMs?: number;
  isFull?: true;
};

/** A delivered reply. `turn`: the message that it answers. `first`: it begins an answer. */
type DeliveredReply = Pick<Outgoing, 'reply' | 'turn' | 'first'> & {
  readonly seq: number;
  readonly atMs: number;
};

/** An answer of staff, the id of its message, and when the bot took it. `by`: who wrote, to which ticket. */
export type StaffAnswer = {
  readonly text: string;
  readonly by: string;
  readonly id: string;
  readonly sentMs: number;
  readonly takenMs: number;
};

/** A conversation as its customer, the platform and staff see it. */
export type Chat = {
  readonly id: string;
  readonly key: Key;
  readonly phone: string;
  readonly messages: Update[];
  readonly delivered: DeliveredReply[];
  readonly written: StaffAnswer[];
  /** When the store got each reply, by its number. */
  readonly promised: Map<number, PromisedReply>;
  /** Receipts that became letters, by their number. */
  readonly kept: Map<number, PromisedReply>;
  /** What the store lost: messages, of customer and staff; messages that are answered anew; numbers of replies. */
  readonly lost: Set<string>;
  readonly redone: Set<string>;
  readonly reused: Set<number>;
};

type PromisedReply = Pick<Outgoing, 'reply' | 'turn' | 'first'> & { readonly atMs: number };

/**
 * The store may have lost what was written in this time to the records of these `keys`. `chat`: by damage,
 * which left those bytes.
 */
export type Loss = {
  readonly fromMs: number;
  readonly atMs: number;
  readonly keys: ReadonlySet<Key>;
  readonly chat?: Chat;
  readonly damage?: { readonly left: Uint8Array | null; readonly isDue: boolean };
};

/**
 * How long a lock may outlive the outcome of its operation, beside the time that a node is ill. A
 * redemption's lock is released with the outcome. A code's lock may run out by itself, after three minutes.
 */
const LOCK_MS = { accumulate: 2.5 * 60_000, redeem: 40_000 };
const SWEPT_MS = 20_000;
const LOOKED_MS = 80_000;
/** The store's clock is put back by less than this. */
const PUT_BACK_MS = 5 * 60_000;
/** A record of a call may be made so long before or after its intent, by AntCRM's and the store's clocks. */
const SPAN_MS = 3 * 60_000;
/** A decision may be filed this long before its operator knows. */
const DECIDING_MS = 60_000;

// No digits of a fraction: log lines have times in ms.
const PHONE = /(?<![\d.]|\.\d+)(\+?84|0)91\d{7}(?!\d)/;
const PERSONAL = new RegExp(`${PHONE.source}|TIVI\\d{9}|khach\\d`);

/** Checks each change, each delivery, and what is left at the end. */
export type Checks = ReturnType<typeof createChecks>;
export function createChecks(
  world: World,
  records: Watched,
  {
    sent,
    cashiersOf,
    isEarnedByMerged,
  }: Pick<ReturnType<typeof createAntCrmDouble>, 'sent' | 'cashiersOf' | 'isEarnedByMerged'>,
) {
  const { breach, clock, count, encryption, excuse, life, logged } = world;
  const losses: Loss[] = [];
  const chats = new Map<Key, Chat>();
  /** Each operation as its conversation last wrote it. The conversation itself forgets old ones. */
  const operations = new Map<string, { operation: Operation; atMs: number; chat: Chat }>();
  /** The conversation of each intent, when it was stored, and when each message was. */
  const ownerOf = new Map<string, Chat>();
  const intendedMs = new Map<string, number>();
  /** The code, of a product or a gift, of each operation that has a lookup. */
  const codeOf = new Map<string, string>();
  const storedMs = new Map<string, number>();
  const storedIn = new Map<string, Chat>();
  /** Each customer's record as it was last written, and how many losses there were by then. */
  const customers = new Map<
    Key,
    Pick<CustomerRecord, 'holder'> & { readonly left: ReadonlyMap<string, number>; readonly losses: number }
  >();
  /** When an operation first had an outcome, after which its lock is given back. */
  const concludedMs = new Map<string, number>();
  /** When a result of it was told. */
  const toldMs = new Map<string, number>();
  /** Operations on which operators disagree, and what was decided on each, when. */
  const contested = new Set<string>();
  const decisions = new Map<string, { readonly result: string; readonly atMs: number }>();
  /** When a process last ended: the work that it leaves takes longer. */
  let endedMs = 0;

  const note = ({ id }: Chat, invariant: string, what: string) => breach(invariant, `${id}: ${what}`);

  const byLoss = (isSo: boolean): boolean => excuse('excused by a loss of the store', isSo);

  /** Whether the chat's record, or one that chats share (a customer's, a gift's), lost something since. */
  const isLossSince = (chat: Chat, sinceMs: number): boolean =>
    losses.some(
      ({ atMs, keys }) =>
        atMs >= sinceMs && [...keys].some((key) => key === chat.key || !key.startsWith('c:')),
    );

  /** The store lost what it wrote to a conversation's record since `fromMs`; `after`: what is left. */
  function onLost(
    key: Key,
    { after, fromMs }: { readonly after: ConversationRecord | null; readonly fromMs: number },
  ): void {
    const chat = chats.get(key);
    if (chat === undefined) return;
    const { ids = '', inbox = [], outbox = [], dead = [], outSeq = 0 } = after ?? {};
    for (const [id, filedMs] of storedMs) {
      if (storedIn.get(id) !== chat || filedMs < fromMs || isRemembered(ids, id)) continue;
      chat.lost.add(id);
      storedMs.delete(id);
    }
    for (const { id } of inbox) chat.redone.add(id);
    for (const seq of chat.promised.keys()) {
      if (seq <= outSeq) continue;
      chat.promised.delete(seq);
      chat.reused.add(seq);
    }
    const waiting = new Set(outbox.map(({ seq }) => seq));
    for (const seq of chat.kept.keys()) {
      const isLetter = dead.some(({ id }) => id === `reply-${seq}`);
      if (!isLetter && (seq > outSeq || waiting.has(seq))) chat.kept.delete(seq);
    }
    const left = new Map(stateOf(after)?.operations.map((operation) => [operation.id, operation]));
    for (const [id, known] of operations) {
      const operation = left.get(id);
      // The conversation forgets old ones by itself.
      if (known.chat !== chat || known.atMs < fromMs) continue;
      if (operation) operations.set(id, { ...known, operation });
      else operations.delete(id);
    }
  }

  function onChange(change: RecordChange): void {
    const chat = chats.get(change.key);
    if (chat === undefined) return;
    const { after, promised } = change;
    for (const { seq, reply, turn, first } of promised)
      chat.promised.set(seq, { reply, turn, first, atMs: clock.atMs });
    for (const { seq, outgoing } of keptIn(change)) {
      chat.kept.set(seq, { ...outgoing, atMs: clock.atMs });
      count('receipts kept');
    }
    for (const { index, member, score } of CONVERSATION.entries(nameOf(change.key), after)) {
      if (index === 'undelivered' && score !== (madeMsOf(after) ?? score))
        note(chat, 'indexed', `a reply that waits counts as made at ${score}`);
      // Whatever waits, a wake-up does not wait for it.
      if (index === 'due' && after.lease === null && score > (after.wakeMs || score))
        note(chat, 'indexed', `it is due at ${score}, after its wake-up`);
      if (PERSONAL.test(member)) note(chat, 'nothing personal', `${index} lists ${member}`);
    }
    for (const operation of unlockedIn(change))
      concludedMs.set(operation, concludedMs.get(operation) ?? clock.atMs);
    for (const operation of Object.keys(after.journal)) {
      ownerOf.set(operation, chat);
      intendedMs.set(operation, intendedMs.get(operation) ?? clock.wallMs());
    }
    for (const id of filedIn(change)) {
      storedMs.set(id, storedMs.get(id) ?? clock.atMs);
      storedIn.set(id, chat);
    }
    checkOutcomes(chat, change);
    checkYes(chat, change);
    checkForgotten(chat, change);
  }

  /** A change of an operation's status and the reply that tells it are one change. */
  function checkOutcomes(chat: Chat, { state, stateBefore, promised }: RecordChange): void {
    const earlier = new Map(stateBefore?.operations.map(({ id, status }) => [id, status]));
    for (const operation of state?.operations ?? []) {
      const was = earlier.get(operation.id);
      if (was === operation.status) continue;
      operations.set(operation.id, { operation, atMs: clock.atMs, chat });
      if (operation.lookup) codeOf.set(operation.id, operation.lookup.code);
      if (operation.status === 'checking') count('operations without an answer');
      else toldMs.set(operation.id, clock.atMs);

      // The customer read the result of a watched operation before.
      if (was === 'watching' || promised.some(({ reply }) => tells(reply, operation, was === undefined)))
        continue;
      note(chat, 'each outcome is sent', `nobody was told that ${operation.id} is ${operation.status}`);
    }
  }

  /** Consent and calls come only from messages that were stored after the question was shown. */
  function checkYes(chat: Chat, { before, after, state, stateBefore, answers }: RecordChange): void {
    const hasConsented = state?.consent?.given === true && stateBefore?.consent?.given !== true;
    const begun = Object.keys(after.journal).filter((operation) => before?.journal[operation] === undefined);
    if (!hasConsented && begun.length === 0) return;
    const filedMs = storedMs.get(answers ?? '');
    if (filedMs === undefined) return;
    const asks = hasConsented ? 'consent' : 'confirm';
    const isShown = chat.delivered.some(({ reply, atMs }) => reply.asks === asks && atMs <= filedMs);
    if (!isShown) note(chat, 'a yes to what was shown', `${answers} is no yes to ${asks}`);
  }

  function checkForgotten(chat: Chat, { after, promised, state }: RecordChange): void {
    if (!promised.some(({ reply }) => reply.key === 'privacy.erased')) return;
    const { profile, draft } = state ?? stateOf(after) ?? {};
    if (after.dead.length > 0 || PHONE.test(JSON.stringify([profile, draft])))
      note(chat, 'forgotten', `something is left: ${Object.keys(profile ?? {})}, ${after.dead.length}`);
  }

  /** Returns whether the reply is delivered for the first time. */
  function onDelivered(chat: Chat, { reply, turn, first }: Outgoing, seq: number): boolean {
    const before = chat.delivered.findLast((delivery) => delivery.seq === seq)?.reply;
    // Without its buttons a question has no view.
    const isSame =
      before === undefined ||
      textOf(reply) === textOf(before) ||
      ((reply.view ?? before.view) !== undefined &&
        reply.view !== before.view &&
        [reply.view, before.view].includes(undefined) &&
        textOf(toPlainest(reply)) === textOf(toPlainest(before)));
    if (before && !isSame && !chat.reused.has(seq))
      note(chat, 'one number, one reply', `number ${seq} was ${before.key}, then ${reply.key}`);
    chat.delivered.push({ seq, reply, atMs: clock.atMs, turn, first });
    return before === undefined;
  }

  /** A contrary decision is refused, unless the store lost the first one. */
  function onDecided(operation: string, result: string): void {
    const first = decisions.get(operation) ?? { result, atMs: clock.atMs };
    decisions.set(operation, first);
    const isLost = () => byLoss(losses.some(({ atMs }) => atMs >= first.atMs - DECIDING_MS));
    if (first.result !== result && !isLost())
      breach('the first decision counts', `${operation}: ${result} was filed after ${first.result}`);
  }

  /** Each lock of a customer has a reason. */
  async function checkLocks(): Promise<void> {
    for (const key of records.keys) {
      if (!key.startsWith('u:')) continue;
      const { bytes, nowMs } = await records.store.read(key);
      const { holder } = bytes === null ? { holder: null } : CUSTOMER.read(encryption.open(key, bytes));
      const known = holder && holder.untilMs > nowMs ? operations.get(holder.operation) : undefined;
      if (known === undefined || isOpen(known.operation)) continue;
      const { operation, atMs, chat } = known;
      // A late look, whose lock ends by itself.
      if (operation.lateMs !== undefined && holder && holder.untilMs <= nowMs + SHORT_LOCK_MS) continue;
      // Before its intent, a process that ended may have locked names that the customer no longer has: for a
      // short time.
      const endedAtMs = nowMs - (clock.atMs - endedMs) + PUT_BACK_MS;
      if (holder && holder.untilMs <= endedAtMs + SHORT_LOCK_MS) continue;
      // The store may have lost the release, or the outcome that causes it.
      const heldMs = clock.atMs - Math.max(atMs, endedMs);
      if (heldMs <= LOCK_MS[operation.kind] + life.illMs[1]) continue;
      // A process that lost its lease in a failover may take it once more, for a short time.
      const isShort = holder !== null && holder.untilMs <= nowMs + ENDED_LOCK_MS;
      const sinceMs = isShort ? -Infinity : atMs;
      if (!byLoss(isLossSince(chat, sinceMs)))
        breach('no lock past its reason', `${operation.id} holds a lock ${heldMs} ms after its outcome`);
    }
  }

  /** A customer's record lives as long as all that it says, and no operation ends the lock of another one. */
  function onSwapped(key: Key, { bytes, ttlMs }: Swap): void {
    if (!key.startsWith('u:') || bytes === null) return;
    const customer = CUSTOMER.read(encryption.open(key, bytes));
    const { holder, settled, awaited } = customer;
    checkHolder(key, customer);
    const kept = [holder, ...Object.values(settled), ...Object.values(awaited)];
    const endsMs = Math.max(...kept.map((lock) => lock?.untilMs ?? 0));
    if (endsMs > clock.nowMs() + ttlMs + PUT_BACK_MS)
      breach('kept as long as it counts', `${key} ends before what it says`);
  }

  function checkHolder(key: Key, { holder, settled, awaited }: CustomerRecord): void {
    const before = customers.get(key);
    const entries = Object.entries({ ...settled, ...awaited });
    customers.set(key, {
      holder,
      left: new Map(entries.map(([text, { untilMs }]) => [text, untilMs])),
      losses: losses.length,
    });
    // A failover may have changed the record in between.
    if (before?.holder == null || before.losses < losses.length || before.holder.untilMs <= clock.nowMs())
      return;
    const { operation } = before.holder;
    // What is left again is kept for longer.
    const left = entries.filter(([text, { untilMs }]) => before.left.get(text) !== untilMs);
    const others = left.filter(([, { by }]) => by !== operation);
    if (holder?.operation === operation) return;
    const known = operations.get(operation);
    // A process may give a lock back and take it for another operation in one swap.
    // A failover may have lost an outcome, if too few replicas had acknowledged it, but not what followed.
    const wasEnded = known !== undefined && isLossSince(known.chat, concludedMs.get(operation) ?? Infinity);
    if (known?.operation.kind === 'redeem' && known.operation.status === 'checking' && !byLoss(wasEnded))
      breach('a lock lasts to its end', `${operation} is looked up, and its lock was given back`);
    for (const [, { by }] of others)
      breach('a lock lasts to its end', `${by} ended the lock of ${operation}`);
  }

  /** `lookedMs`: when the process last listed each shard. */
  function checkLooks(process: string, lookedMs: ReadonlyMap<number, number>): void {
    for (const [shard, atMs] of lookedMs) {
      if (clock.atMs - atMs > LOOKED_MS + 4 * life.sweepMs)
        breach('every shard is looked at', `${process} left shard ${shard}`);
    }
  }

  async function checkTalk(chat: Chat): Promise<void> {
    const record = await records.recordOf(chat.key);
    checkMessages(chat, record);
    checkPromised(chat, record);
    checkTickets(chat);
    if (record === null) return;
    const { inbox, outbox, lease, journal } = record;
    if (inbox.length + outbox.length > 0 || lease !== null)
      note(chat, 'nothing left', `${inbox.length} messages, ${outbox.length} replies, ${lease?.owner}`);
    checkArrived(chat, record);
    const statuses = new Map(stateOf(record)?.operations.map(({ id, status }) => [id, status]));
    for (const [id, status] of statuses) {
      if (status === 'checking' || status === 'watching') note(chat, 'settled', `${id} is ${status} at rest`);
    }
    for (const id of Object.keys(journal)) {
      if (statuses.get(id) !== 'escalated')
        note(chat, 'settled', `the intent of ${id} (${statuses.get(id)}) is left`);
    }
  }

  /** A receipt that could not be delivered is a letter, or was told once more. */
  function isKept(chat: Chat, seq: number, record: ConversationRecord | null): boolean {
    const kept = chat.kept.get(seq);
    if (kept === undefined) return false;
    if (record?.dead.some(({ id }) => id === `reply-${seq}`))
      return excuse('excused by a receipt kept', true);
    const tellsAgain = ({ reply }: PromisedReply) =>
      textOf(toPlainest(reply)) === textOf(toPlainest(kept.reply));
    const isTold = chat.delivered.some((later) => later.seq > seq && tellsAgain(later));
    if (isTold) count('kept receipts told');
    const isKeptAgain = [...chat.kept].some(
      ([later, again]) => later > seq && tellsAgain(again) && isKept(chat, later, record),
    );
    const isForgotten = () =>
      [...chat.promised.values()].some(
        ({ reply, atMs }) => reply.key === 'privacy.erased' && atMs >= kept.atMs,
      );
    return isTold || isKeptAgain || excuse('excused by a customer forgotten', isForgotten());
  }

  function checkMessages(chat: Chat, record: ConversationRecord | null): void {
    const { lost, redone } = chat;
    const repliesOfTurns = Map.groupBy(chat.delivered, ({ turn }) => turn);
    let before = { id: '', takenMs: Infinity, answeredMs: 0, isRedone: false };
    for (const { incoming, sentMs, takenMs, isFull } of chat.messages) {
      const { id, message } = incoming;
      if (takenMs === undefined) note(chat, 'taken', `${id} was never taken`);
      if (takenMs === undefined || isFull) continue;
      const replies = repliesOfTurns.get(id) ?? [];
      const kept = [...chat.kept].filter(([seq, { turn }]) => turn === id && isKept(chat, seq, record));
      const [first] = replies;
      const isGivenUp = () =>
        [...chat.promised].some(([seq, { turn }]) => turn === id && isDropped(chat, seq));
      const isRedone = lost.has(id) || redone.has(id);
      if (first === undefined && kept.length === 0 && !lost.has(id) && !isGivenUp())
        note(chat, 'answered', `${id} (${JSON.stringify(message)}) was never answered`);
      if (first === undefined) continue;
      // A message that was sent after the 2xx of the one before is answered after it.
      if (before.takenMs < sentMs && first.atMs < before.answeredMs && !isRedone && !before.isRedone)
        note(chat, 'in order', `${id} was answered before ${before.id}`);
      before = { id, takenMs, answeredMs: first.atMs, isRedone };
      const keptReplies = kept.map(([seq, reply]) => ({ seq, first: reply.first }));
      const all = [...replies, ...keptReplies];
      const numbers = [...new Set(all.map(({ seq }) => seq))].sort((a, b) => a - b);
      const isRow = numbers.every((number, at) => number === (numbers[0] ?? 0) + at);
      const answers = new Set(all.filter((reply) => reply.first).map(({ seq }) => seq));
      if ((answers.size !== 1 || !isRow) && !isRedone && !isGivenUp())
        note(chat, 'answered once', `${id} has ${answers.size} answers, under numbers ${numbers}`);
    }
  }

  /** Each reply that was stored was delivered. A receipt is never dropped. */
  function checkPromised(chat: Chat, record: ConversationRecord | null): void {
    const delivered = new Set(chat.delivered.map(({ seq }) => seq));
    for (const [seq, { reply }] of chat.promised) {
      if (delivered.has(seq) || isKept(chat, seq, record)) continue;
      if (excuse('excused by a reply given up', isDropped(chat, seq))) continue;
      note(chat, 'stored replies leave', `number ${seq}, ${reply.key}`);
    }
  }

  /** Whether a reply that says nothing about points was given up, with an alarm for each of the chat's. */
  function isDropped(chat: Chat, seq: number): boolean {
    const reply = chat.promised.get(seq)?.reply;
    if (reply === undefined || isReceipt(reply)) return false;
    const isAlarm = (line: string) => line.includes('"delivery_given_up"') && line.includes(nameOf(chat.key));
    const isMissing = ([number, promise]: [number, PromisedReply]) =>
      !isReceipt(promise.reply) && !chat.delivered.some((delivery) => delivery.seq === number);
    const missing = [...chat.promised].filter(isMissing);
    const isSo =
      missing.some(([number]) => number === seq) && missing.length <= logged.filter(isAlarm).length;
    return isSo;
  }

  /** A message of staff that is shown as delivered has arrived, and one that is not has failed. */
  function checkArrived(chat: Chat, record: ConversationRecord): void {
    const failed = new Set(record.failed.map(({ note }) => note));
    const notes = stateOf(record)?.tickets?.flatMap((ticket) => ticket.notes) ?? [];
    for (const { id = '', text, tracked } of notes) {
      const isTold = chat.delivered.some(
        ({ reply }) => reply.key === 'person.says' && textOf(reply).includes(text),
      );
      if (tracked && !isTold && !failed.has(id))
        note(chat, 'staff see what arrived', `"${text}" is shown as delivered`);
    }
  }

  /** Answers of staff arrive once and in order. */
  function checkTickets(chat: Chat): void {
    const { delivered, promised, written, lost, redone } = chat;
    const heardSeqs = new Map<string, number>();
    for (const { text, by, id, takenMs } of written) {
      const deliveries = delivered.filter(
        ({ reply }) => reply.key === 'person.says' && textOf(reply).includes(text),
      );
      // After the filing, five processes died at it, or the conversation was forgotten.
      const filedMs = storedMs.get(id) ?? takenMs;
      const isOver = [...promised.values()].some(
        ({ reply, atMs }) => atMs >= filedMs && /^(turn.failed|privacy.erased)$/.test(reply.key),
      );
      const [first] = deliveries;
      // Staff read that it was given up.
      const isGivenUp = [...promised].some(
        ([seq, { reply }]) => textOf(reply).includes(text) && isDropped(chat, seq),
      );
      if (first === undefined && !isOver && !lost.has(id) && !isGivenUp)
        note(chat, 'answers of staff arrive', `"${text}" was never told`);
      if (first === undefined) continue;
      const isRedone = lost.has(id) || redone.has(id);
      if (new Set(deliveries.map(({ seq }) => seq)).size > 1 && !isRedone)
        note(chat, 'answers of staff arrive', `"${text}" was told twice`);
      if (first.seq < (heardSeqs.get(by) ?? 0) && !isRedone)
        note(chat, 'answers of staff arrive', `"${text}" was told before what was written before it`);
      if (!isRedone) heardSeqs.set(by, first.seq);
    }
  }

  /** What was told of each operation is what AntCRM did, at most once, and each success is known. */
  function checkLedger(listed: readonly Listed[]): void {
    for (const { operation, chat } of operations.values()) {
      const { id, status } = operation;
      const { applied = 0 } = sent.get(id) ?? {};
      const isWrong =
        status === 'done'
          ? applied === 0 &&
            !excuse('excused by a cashier', mayBeCashiers(operation, chat) || mayBeOfMerged(operation, chat))
          : /refused|notApplied/.test(status) && applied > 0;
      const isContested = () => excuse('excused by two operators', contested.has(id));
      if (isWrong && !isContested())
        note(
          chat,
          'the customer reads what AntCRM did',
          `${id} is ${status}, and was applied ${applied} times`,
        );
    }
    const intents = listed.filter(({ index }) => index === 'intents');
    const open = new Set(intents.map(({ member }) => member.split(':')[1]));
    for (const [operation, { times, applied }] of sent) {
      if (times > 1) breach('called once', `${operation} was called ${times} times`);
      const known = operations.get(operation);
      // An operator may have settled what the index listed of a damaged record.
      const owner = ownerOf.get(operation);
      if (applied === 0 || open.has(operation) || known !== undefined) continue;
      // Before the damage the conversation had told it, or after it an operator has settled it.
      const wasTold = toldMs.has(operation) || decisions.has(operation);
      if (owner !== undefined && isDamaged(owner) && wasTold) continue;
      if (!byLoss(owner !== undefined && isDamaged(owner)))
        breach('known', `nobody knows of ${operation}, which was applied`);
    }
  }

  /** A cashier's record that looks like that of the call: they cannot be distinguished. */
  function mayBeCashiers({ id, gift = '' }: Operation, { phone }: Chat): boolean {
    const atMs = intendedMs.get(id) ?? 0;
    return cashiersOf(phone, gift).some((madeMs) => madeMs > atMs - SPAN_MS && madeMs < atMs + SPAN_MS);
  }

  /** Two customers sent the same code and became one, who has its points: AntCRM has one record of it. */
  function mayBeOfMerged({ id, kind }: Operation, { phone }: Chat): boolean {
    return kind === 'accumulate' && isEarnedByMerged(phone, codeOf.get(id) ?? '');
  }

  const isDamaged = (chat: Chat): boolean => losses.some((loss) => loss.chat === chat);

  /** Indexes list what records contain, and nothing stays due. */
  async function checkIndexes(listed: readonly Listed[]): Promise<void> {
    for (const { index, member, score } of listed) {
      if (/due|undelivered/.test(index) && score < clock.nowMs() - SWEPT_MS)
        breach('indexed', `${index} lists ${member} at rest`);
    }
    for (const chat of chats.values()) {
      // The entries of a damaged record are unknown.
      if (isDamaged(chat)) continue;
      const name = nameOf(chat.key);
      const record = await records.recordOf(chat.key);
      const has = textOfAll(record === null ? [] : CONVERSATION.entries(name, record));
      const is = textOfAll(listed.filter(({ member }) => member.split(':')[0] === name));
      if (has !== is) note(chat, 'indexed', `has ${has}, is listed as ${is}`);
    }
  }

  /** A damaged record was alarmed, if a process has touched it since. */
  async function checkDamage({ atMs, chat, damage }: Loss, listed: readonly Listed[]): Promise<void> {
    if (!chat || !damage) return;
    const name = nameOf(chat.key);
    const { left, isDue } = damage;
    const { bytes } = await records.store.read(chat.key);
    const alarm = left ? 'seal_broken' : 'record_lost';
    const isAlarmed = logged.some((line) => line.includes(alarm) && line.includes(name));
    const failovers = losses.filter((loss) => loss.chat === undefined);
    const isRestored = failovers.some((loss) => loss.fromMs <= atMs && loss.atMs >= atMs);
    const isSwept = isDue && !listed.some(({ index, member }) => index === 'due' && member === name);
    const isTouched = left
      ? bytes === null || Buffer.compare(bytes, left) !== 0
      : isSwept && !chat.messages.some(({ takenMs = Infinity }) => takenMs >= atMs);
    if (isTouched && !isAlarmed && !isRestored)
      note(chat, 'damage is alarmed', `its record was damaged, and nobody says ${alarm}`);
  }

  function onEnd(): void {
    endedMs = clock.atMs;
  }

  async function checkAll(store: RecordStore): Promise<void> {
    for (const chat of chats.values()) await checkTalk(chat);
    await checkLocks();
    const listed = await listAll(store);
    checkLedger(listed);
    await checkIndexes(listed);
    for (const loss of losses) await checkDamage(loss, listed);
    for (const line of logged) if (PERSONAL.test(line)) breach('nothing personal', line.slice(0, 200));
  }

  return {
    losses,
    chats,
    contested,
    onChange,
    onDelivered,
    onDecided,
    onSwapped,
    onEnd,
    checkLocks,
    checkLooks,
    checkAll,
    isLossSince,
    onLost,
  };
}

type Listed = ScoredMember & { readonly index: Index };

/** Whether a record remembers a message: by characters of its hash (`accept`). */
function isRemembered(ids: string, id: string): boolean {
  const idHash = hash('sha256', id, 'base64url').slice(0, ID_CHARS - HOUR_CHARS);
  for (let at = 0; at < ids.length; at += ID_CHARS) if (ids.startsWith(idHash, at)) return true;
  return false;
}

/** All entries, but of the records moved aside, which no conversation asks for. */
export async function listAll(
  store: RecordStore,
  indexes: readonly Index[] = INDEXES.filter((index) => index !== 'broken'),
): Promise<readonly Listed[]> {
  const listed: Listed[] = [];
  for (const index of indexes) {
    for (let shard = 0; shard < SHARDS; shard++) {
      const { entries } = await store.list(index, { shard, upTo: 'ever', limit: 10_000 });
      listed.push(...entries.map((entry) => ({ index, ...entry })));
    }
  }
  return listed;
}

const textOfAll = (entries: readonly (Omit<Listed, 'score'> & { score: number | null })[]): string =>
  entries
    .map(({ index, member, score }) => `${index} ${member} ${score}`)
    .sort()
    .join(', ');

const nameOf = (key: Key): string => key.slice('c:'.length);

const isOpen = ({ status }: Operation): boolean => /checking|watching|escalated/.test(status);

const textOf = ({ key, context, view, params }: Reply): string =>
  [key, context, view, JSON.stringify(params?.text)].join(' ');

/** The keys that tell each status: of a new operation, after its kind, and of one that the reply names. */
const TELLING: Readonly<Record<Operation['status'], { fresh: readonly string[]; named: string }>> = {
  done: { fresh: ['done', 'partly'], named: 'operation.resolved.done' },
  refused: { fresh: ['refused', 'partly'], named: 'operation.resolved.notApplied' },
  notApplied: { fresh: ['partly'], named: 'operation.resolved.notApplied' },
  watching: { fresh: ['partly'], named: 'operation.resolved.notApplied' },
  checking: { fresh: [], named: 'operation.checking' },
  escalated: { fresh: [], named: 'operation.escalated' },
};

/** Whether a reply tells how that operation stands. The codes of one confirmation are told together. */
function tells({ key, context, params }: Reply, { id, kind, status }: Operation, isNew: boolean): boolean {
  const { fresh, named } = TELLING[status];
  const isNamed = params?.reference === id || (status === 'checking' && context === 'several');
  return (isNamed && key === named) || (isNew && fresh.some((end) => key === `${kind}.${end}`));
}
