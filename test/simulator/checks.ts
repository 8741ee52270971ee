import type { Reply } from '../../src/conversation/reply.ts';
import type { Operation } from '../../src/conversation/state.ts';
import { CUSTOMER } from '../../src/engine/customer.ts';
import type { Incoming } from '../../src/engine/messages.ts';
import type { ConversationRecord } from '../../src/engine/record.ts';
import { CONVERSATION } from '../../src/engine/transitions.ts';
import {
  type Encryption,
  INDEXES,
  type Key,
  type RecordStore,
  SHARDS,
  type Swap,
} from '../../src/store/port.ts';
import type { Clock } from './clock.ts';
import { KILLER, POISON } from './customers.ts';
import type { StaffAnswer } from './staff.ts';
import { filedIn, madeMsOf, type RecordChange, stateOf, type watchRecords } from './watch.ts';

/** What must hold, by its name in docs/simulator.md; each has a defect that it finds (`planted.ts`). */
export type Breach = { readonly invariant: string; readonly what: string };

/** A message on its way, and what became of it. */
export type Update = {
  readonly incoming: Incoming;
  readonly sentMs: number;
  /** When the bot took it (2xx), and whether it had room for it. */
  takenMs?: number;
  isFull?: true;
  /** Each delivery of a reply to it: its number, when, and whether it begins an answer. */
  readonly replies: { readonly seq: number; readonly atMs: number; readonly first: boolean }[];
};

/** What was delivered. */
type ToldReply = {
  readonly seq: number;
  readonly reply: Reply;
  readonly atMs: number;
  /** The message that it answers. */
  readonly turn: string | undefined;
};

/** A conversation as its customer, the platform and staff see it. */
export type Chat = {
  readonly id: string;
  readonly key: Key;
  readonly phone: string;
  readonly messages: Update[];
  readonly told: ToldReply[];
  readonly written: StaffAnswer[];
  /** When the store got each reply, by its number. */
  readonly promised: Map<number, { readonly key: string; readonly atMs: number }>;
};

/** The store may have lost what was written in this time. `chat`: only this one lost it, by damage. */
export type Loss = {
  readonly fromMs: number;
  readonly atMs: number;
  readonly chat?: Chat;
  readonly damage?: {
    readonly kind: 'broken' | 'lost';
    readonly bytes: Uint8Array | null;
    readonly isDue: boolean;
  };
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
/** A decision may be filed this long before its operator knows. */
const DECIDING_MS = 60_000;

/** What may be logged to a text while a person is there. */
const BESIDE_PERSON = /^(person\.|operation\.|turn\.failed|abuse\.flood)/;
// No digits of a fraction: log lines have times in ms.
const PHONE = /(?<![\d.]|\.\d+)(\+?84|0)91\d{7}(?!\d)/;
const PERSONAL = new RegExp(`${PHONE.source}|TIVI\\d{9}`);

type World = {
  readonly clock: Clock;
  readonly records: ReturnType<typeof watchRecords>;
  readonly encryption: Pick<Encryption, 'open'>;
  readonly sent: ReadonlyMap<string, { readonly times: number; readonly applied: number }>;
  /** All that was logged, counted and alarmed. */
  readonly logged: readonly string[];
  readonly sweepMs: number;
  /** A node of the store may be ill for so long. */
  readonly illMs: number;
};

/** Checks each change, each delivery, and what is left at the end. */
export class Checks {
  readonly #world: World;
  readonly breaches: Breach[] = [];
  readonly losses: Loss[] = [];
  /** By the name of the conversation's record. */
  readonly chats = new Map<string, Chat>();
  /** Each operation as its conversation last wrote it. The conversation itself forgets old ones. */
  readonly #operations = new Map<
    string,
    { readonly operation: Operation; readonly atMs: number; readonly chat: Chat }
  >();
  /** The conversation of each intent, and when each message was stored. */
  readonly #ownerOf = new Map<string, Chat>();
  /** Operations on which operators disagree, and what was decided on each, when. */
  readonly contested = new Set<string>();
  readonly #decisions = new Map<string, { readonly result: string; readonly atMs: number }>();
  /** When a process last ended: the work that it leaves takes longer. */
  #endedMs = 0;
  readonly #storedMs = new Map<string, number>();
  /** At the end: the alarms of replies that were given up. */
  #givenUp: readonly string[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  breach(invariant: string, what: string): void {
    if (this.breaches.length < 30) this.breaches.push({ invariant, what });
  }

  #note({ id }: Chat, invariant: string, what: string): void {
    this.breach(invariant, `${id}: ${what}`);
  }

  readonly #lossesOf = (chat: Chat): Loss[] =>
    this.losses.filter((loss) => loss.chat === undefined || loss.chat === chat);
  readonly #mayBeLost = (chat: Chat, sentMs: number, takenMs: number): boolean =>
    this.#lossesOf(chat).some(({ fromMs, atMs }) => sentMs <= atMs && takenMs >= fromMs);
  readonly #lastLossMs = (chat: Chat): number =>
    this.#lossesOf(chat).at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;

  /*
   * As it happens.
   */

  onChange(change: RecordChange): void {
    const { clock } = this.#world;
    const chat = this.chats.get(change.name);
    if (chat === undefined) return;
    for (const { seq, reply } of change.promised)
      chat.promised.set(seq, { key: reply.key, atMs: clock.atMs });
    for (const { index, member, score } of CONVERSATION.entries(change.name, change.after)) {
      if (index === 'undelivered' && score !== (madeMsOf(change.after) ?? score))
        this.#note(chat, 'indexed', `a reply that waits counts as made at ${score}`);
      // Whatever waits, a wake-up does not wait for it.
      if (index === 'due' && change.after.lease === null && score > (change.after.wakeMs || score))
        this.#note(chat, 'indexed', `it is due at ${score}, after its wake-up`);
      if (PERSONAL.test(member)) this.#note(chat, 'nothing personal', `${index} lists ${member}`);
    }
    for (const operation of Object.keys(change.after.journal)) this.#ownerOf.set(operation, chat);
    for (const id of filedIn(change)) this.#storedMs.set(id, this.#storedMs.get(id) ?? clock.atMs);
    this.#checkOutcomes(chat, change);
    this.#checkYes(chat, change);
    this.#checkForgotten(chat, change);
  }

  /** A change of an operation's status and the reply that tells it are one change. */
  #checkOutcomes(chat: Chat, { state, stateBefore, promised }: RecordChange): void {
    const earlier = new Map(stateBefore?.operations.map(({ id, status }) => [id, status]));
    for (const operation of state?.operations ?? []) {
      const was = earlier.get(operation.id);
      if (was === operation.status) continue;
      this.#operations.set(operation.id, { operation, atMs: this.#world.clock.atMs, chat });
      // A watched operation was told before.
      if (was === 'watching' || promised.some(({ reply }) => tells(reply, operation, was))) continue;
      this.#note(chat, 'told of each outcome', `nobody was told that ${operation.id} is ${operation.status}`);
    }
  }

  /** Consent and calls come only from messages that were stored after the question was shown. */
  #checkYes(chat: Chat, { before, after, state, stateBefore, answers }: RecordChange): void {
    const hasConsented = state?.consent?.given === true && stateBefore?.consent?.given !== true;
    const begun = Object.keys(after.journal).filter((operation) => before?.journal[operation] === undefined);
    if (!hasConsented && begun.length === 0) return;
    const filedMs = this.#storedMs.get(answers ?? '');
    if (filedMs === undefined || filedMs <= this.#lastLossMs(chat)) return;
    const asks = hasConsented ? 'consent' : 'confirm';
    const isShown = chat.told.some(({ reply, atMs }) => reply.asks === asks && atMs <= filedMs);
    if (!isShown) this.#note(chat, 'a yes to what was shown', `${answers} is no yes to ${asks}`);
  }

  #checkForgotten(chat: Chat, { after, promised, state }: RecordChange): void {
    if (!promised.some(({ reply }) => reply.key === 'privacy.erased')) return;
    const { profile, draft } = state ?? stateOf(after) ?? {};
    const isLeft = after.dead.length > 0 || PHONE.test(JSON.stringify([profile, draft]));
    if (isLeft)
      this.#note(chat, 'forgotten', `something is left: ${Object.keys(profile ?? {})}, ${after.dead.length}`);
  }

  onTold(
    chat: Chat,
    { seq, reply, turn, first }: Omit<ToldReply, 'atMs'> & { readonly first: boolean },
  ): boolean {
    const { clock } = this.#world;
    const before = chat.told.find((one) => one.seq === seq);
    if (before !== undefined && textOf(before.reply) !== textOf(reply) && this.#lossesOf(chat).length === 0) {
      this.#note(
        chat,
        'one number, one reply',
        `number ${seq} logged ${before.reply.key}, then ${reply.key}`,
      );
    }
    chat.told.push({ seq, reply, atMs: clock.atMs, turn });
    const filed = chat.messages.find(({ incoming }) => incoming.id === turn);
    filed?.replies.push({ seq, atMs: clock.atMs, first });
    return before === undefined;
  }

  /** A contrary decision is refused, unless the store lost the first one. */
  onDecided(operation: string, result: string): void {
    const first = this.#decisions.get(operation);
    this.#decisions.set(operation, first ?? { result, atMs: this.#world.clock.atMs });
    if (first === undefined || first.result === result) return;
    if (this.losses.some(({ atMs }) => atMs >= first.atMs - DECIDING_MS)) return;
    this.breach('the first decision counts', `${operation}: ${result} was filed after ${first.result}`);
  }

  /** Each lock of a customer has a reason. */
  async checkLocks(): Promise<void> {
    const { clock, encryption, illMs, records } = this.#world;
    for (const key of records.keys) {
      if (!key.startsWith('u:')) continue;
      const { bytes, nowMs } = await records.store.read(key);
      const { holder } = bytes === null ? { holder: null } : CUSTOMER.read(encryption.open(key, bytes));
      const known = holder && holder.untilMs > nowMs ? this.#operations.get(holder.operation) : undefined;
      if (known === undefined || isOpen(known.operation)) continue;
      const { operation, atMs, chat } = known;
      // The store may have lost the release, or the outcome that causes it.
      const isLost = this.#lossesOf(chat).some((loss) => loss.atMs >= atMs);
      const heldMs = clock.atMs - Math.max(atMs, this.#endedMs);
      if (heldMs <= LOCK_MS[operation.kind] + illMs || isLost) continue;
      this.breach('no lock past its reason', `${operation.id} holds a lock ${heldMs} ms after its outcome`);
    }
  }

  /** A customer's record lives as long as all that it says. */
  onSwapped(key: Key, { bytes, ttlMs }: Swap): void {
    if (!key.startsWith('u:') || bytes === null) return;
    const { clock, encryption } = this.#world;
    const { holder, settled, awaited } = CUSTOMER.read(encryption.open(key, bytes));
    const kept = [holder, ...Object.values(settled), ...Object.values(awaited)];
    const endsMs = Math.max(...kept.map((one) => one?.untilMs ?? 0));
    if (endsMs > clock.nowMs() + ttlMs + PUT_BACK_MS)
      this.breach('kept as long as it counts', `${key} ends before what it says`);
  }

  /** `lookedMs`: when the process last listed each shard. */
  checkLooks(process: string, lookedMs: ReadonlyMap<number, number>): void {
    const { clock, sweepMs } = this.#world;
    for (const [shard, atMs] of lookedMs) {
      if (clock.atMs - atMs > LOOKED_MS + 4 * sweepMs)
        this.breach('every shard is looked at', `${process} left shard ${shard}`);
    }
  }

  /*
   * At rest.
   */

  async #checkTalk(chat: Chat): Promise<void> {
    this.#checkMessages(chat);
    this.#checkPromised(chat);
    this.#checkTickets(chat);
    const record = await this.#world.records.recordOf(chat.key);
    if (record === null) return;
    const { inbox, outbox, lease } = record;
    if (inbox.length + outbox.length > 0 || lease !== null)
      this.#note(
        chat,
        'nothing left',
        `${inbox.length} messages, ${outbox.length} replies, lease: ${lease !== null}`,
      );
    const { operations: left = [] } = stateOf(record) ?? {};
    for (const { id, status } of left) {
      if (status === 'checking' || status === 'watching')
        this.#note(chat, 'settled', `${id} is ${status} at rest`);
    }
    for (const name of Object.keys(record.journal)) {
      const operation = left.find((one) => one.id === name);
      if (operation?.status !== 'escalated')
        this.#note(chat, 'settled', `the intent of ${name} (${operation?.status ?? 'not known'}) is left`);
    }
  }

  #checkMessages(chat: Chat): void {
    const lossMs = this.#lastLossMs(chat);
    let answeredMs = Number.NEGATIVE_INFINITY;
    let before: Update | undefined;
    for (const filed of chat.messages) {
      const { incoming, sentMs, takenMs, replies } = filed;
      if (takenMs === undefined) this.#note(chat, 'taken', `${incoming.id} was never taken`);
      if (takenMs === undefined || filed.isFull) continue;
      const [first] = replies;
      if (first === undefined) {
        const what = `${incoming.id} (${JSON.stringify(incoming.message)}) was never answered`;
        if (!this.#mayBeLost(chat, sentMs, takenMs)) this.#note(chat, 'answered', what);
        continue;
      }
      // A message that was sent after the 2xx of the one before is answered after it.
      const inOrder = before?.takenMs !== undefined && before.takenMs < sentMs && sentMs > lossMs;
      if (inOrder && first.atMs < answeredMs)
        this.#note(chat, 'in order', `${incoming.id} was answered before ${before?.incoming.id}`);
      answeredMs = first.atMs;
      before = filed;
      const numbers = new Set(replies.map(({ seq }) => seq));
      const answers = new Set(replies.filter((reply) => reply.first).map(({ seq }) => seq));
      if (sentMs > lossMs && (answers.size !== 1 || !isRow([...numbers])))
        this.#note(
          chat,
          'answered once',
          `${incoming.id} has ${answers.size} answers, under numbers ${[...numbers]}`,
        );
    }
  }

  /** Each reply that was stored was delivered. */
  #checkPromised(chat: Chat): void {
    const name = chat.key.slice('c:'.length);
    const gone = this.#givenUp.filter((one) => one.includes(name)).length;
    const heard = new Set(chat.told.map(({ seq }) => seq));
    const missing = [...chat.promised].filter(
      ([seq, { atMs }]) => !heard.has(seq) && !this.#mayBeLost(chat, atMs, atMs),
    );
    if (missing.length > gone)
      for (const [seq, { key }] of missing) this.#note(chat, 'stored replies leave', `number ${seq}, ${key}`);
  }

  /** Answers of staff are told once and in order. No text is interpreted while a person has taken over. */
  #checkTickets(chat: Chat): void {
    const { told, promised, written, messages } = chat;
    const lossMs = this.#lastLossMs(chat);
    const heardSeqs = new Map<string, number>();
    for (const { text, by, id: filedId, sentMs, takenMs } of written) {
      const heard = told.filter(({ reply }) => reply.key === 'person.says' && textOf(reply).includes(text));
      // After the filing, five processes died at it, or the conversation was forgotten.
      const filedMs = this.#storedMs.get(filedId) ?? takenMs;
      const isOver = [...promised.values()].some(
        ({ key, atMs }) => atMs >= filedMs && /^(turn.failed|privacy.erased)$/.test(key),
      );
      const [first] = heard;
      if (first === undefined && !this.#mayBeLost(chat, sentMs, takenMs) && !isOver)
        this.#note(chat, 'staff are heard', `"${text}" was never told`);
      if (first === undefined || sentMs <= lossMs) continue;
      if (new Set(heard.map(({ seq }) => seq)).size > 1)
        this.#note(chat, 'staff are heard', `"${text}" was told twice`);
      if (first.seq < (heardSeqs.get(by) ?? 0))
        this.#note(chat, 'staff are heard', `"${text}" was told before what was written before it`);
      heardSeqs.set(by, first.seq);
    }
    if (this.#lossesOf(chat).length > 0) return;
    const texts = new Map(
      messages.flatMap(({ incoming }) => (isPlain(incoming) ? [[incoming.id, incoming.message]] : [])),
    );
    let isOpen = false;
    for (const { reply, turn } of told.toSorted((a, b) => a.seq - b.seq)) {
      const text = texts.get(turn ?? '');
      if (isOpen && text && !BESIDE_PERSON.test(reply.key))
        this.#note(
          chat,
          'staff are heard',
          `${JSON.stringify(text)} was interpreted beside a person: ${reply.key}`,
        );
      if (reply.key === 'person.waiting') isOpen = true;
      if (reply.key === 'person.back' || reply.key === 'privacy.erased') isOpen = false;
    }
  }

  #checkLedger(): void {
    for (const { operation, chat, atMs } of this.#operations.values()) {
      const { id, status } = operation;
      const { applied } = this.#world.sent.get(id) ?? { applied: 0 };
      const isWrong =
        status === 'done' ? applied === 0 : (status === 'refused' || status === 'notApplied') && applied > 0;
      if (isWrong && !this.contested.has(id) && !this.#mayBeLost(chat, atMs, atMs))
        this.#note(chat, 'told as the ledger says', `${id} is ${status}, and was applied ${applied} times`);
    }
  }

  async #checkRest(store: RecordStore): Promise<void> {
    const { logged, sent } = this.#world;
    const listed = await listAll(store);
    const open = new Set(
      listed.flatMap(({ index, member }) => (index === 'intents' ? [member.split(':')[1]] : [])),
    );
    this.#checkLedger();
    for (const [operation, { times, applied }] of sent) {
      if (times > 1) this.breach('called once', `${operation} was called ${times} times`);
      const known = this.#operations.get(operation);
      const isKnown = open.has(operation) || (known && !this.#mayBeLost(known.chat, known.atMs, known.atMs));
      if (applied > 0 && !isKnown && !this.#isDamaged(operation))
        this.breach('known', `nobody knows of ${operation}, which was applied`);
    }
    await this.#checkIndexes(listed);
    for (const loss of this.losses) await this.#checkDamage(loss, listed);
    for (const one of logged) {
      if (PERSONAL.test(one)) this.breach('nothing personal', one.slice(0, 200));
    }
  }

  /** Whether its conversation's record was damaged: an operator may have settled what the index listed. */
  readonly #isDamaged = (operation: string): boolean => {
    const chat = this.#ownerOf.get(operation);
    return chat !== undefined && this.losses.some((loss) => loss.chat === chat);
  };

  /** Indexes list what records contain, and nothing stays due. */
  async #checkIndexes(listed: readonly Listed[]): Promise<void> {
    const { clock, records } = this.#world;
    const nowMs = clock.nowMs();
    for (const { index, member, score } of listed) {
      if ((index === 'due' || index === 'undelivered') && score < nowMs - SWEPT_MS)
        this.breach('indexed', `${index} lists ${member} at rest`);
    }
    for (const chat of this.chats.values()) {
      // The entries of a damaged record are unknown.
      if (this.losses.some((loss) => loss.chat === chat)) continue;
      const name = chat.key.slice('c:'.length);
      const record: ConversationRecord | null = await records.recordOf(chat.key);
      const has = record === null ? [] : CONVERSATION.entries(name, record);
      const is = listed.filter(({ member }) => member.split(':')[0] === name);
      const [one, other] = [has, is].map((entries) => entries.map(entryText).sort().join(', '));
      if (one !== other) this.#note(chat, 'indexed', `has ${one}, is listed as ${other}`);
    }
  }

  /** A damaged record was alarmed, if a process has touched it since. */
  async #checkDamage({ atMs, chat, damage }: Loss, listed: readonly Listed[]): Promise<void> {
    const { logged, records } = this.#world;
    if (chat === undefined || damage === undefined) return;
    const name = chat.key.slice('c:'.length);
    const { bytes } = await records.store.read(chat.key);
    const isAlarmed = logged.some(
      (one) => one.includes(damage.kind === 'broken' ? 'seal_broken' : 'record_lost') && one.includes(name),
    );
    const isRestored = this.losses.some(
      (loss) => loss.chat === undefined && loss.fromMs <= atMs && loss.atMs >= atMs,
    );
    const isTouched =
      damage.kind === 'broken'
        ? damage.bytes !== null && (bytes === null || Buffer.compare(bytes, damage.bytes) !== 0)
        : damage.isDue &&
          !listed.some(({ index, member }) => index === 'due' && member === name) &&
          !chat.messages.some(({ takenMs = Infinity }) => takenMs >= atMs);
    if (isTouched && !isAlarmed && !isRestored)
      this.#note(chat, 'damage is alarmed', `its record was ${damage.kind}, and nobody says so`);
  }

  onEnd(): void {
    this.#endedMs = this.#world.clock.atMs;
  }

  async checkAll(store: RecordStore): Promise<void> {
    this.#givenUp = this.#world.logged.filter((one) => one.includes('"delivery_given_up"'));
    for (const chat of this.chats.values()) await this.#checkTalk(chat);
    await this.checkLocks();
    await this.#checkRest(store);
  }
}

type Listed = { readonly index: (typeof INDEXES)[number]; readonly member: string; readonly score: number };
const entryText = ({ index, member, score }: Omit<Listed, 'index'> & { readonly index: string }): string =>
  `${index} ${member} ${score}`;

async function listAll(store: RecordStore): Promise<readonly Listed[]> {
  const listed: Listed[] = [];
  for (const index of INDEXES) {
    if (index === 'broken') continue;
    for (let shard = 0; shard < SHARDS; shard++) {
      const { entries } = await store.list(index, { shard, upTo: 'ever', limit: 1000 });
      listed.push(...entries.map((entry) => ({ index, ...entry })));
    }
  }
  return listed;
}

const isOpen = ({ status }: Operation): boolean =>
  status === 'checking' || status === 'watching' || status === 'escalated';

/** Whether the bot would interpret the message. */
const isPlain = ({ message }: Incoming): boolean =>
  message.kind === 'text' &&
  !message.text.startsWith('/') &&
  message.text !== KILLER &&
  message.text !== POISON;

const textOf = ({ key, context, view, params }: Reply): string =>
  [key, context, view, JSON.stringify(params?.text)].join(' ');

/** Whether the numbers follow each other. */
function isRow(numbers: readonly number[]): boolean {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [first = 0] = sorted;
  return sorted.every((number, at) => number === first + at);
}

/** Whether a reply tells how that operation stands. */
function tells(
  { key, context, params }: Reply,
  { id, kind, status }: Operation,
  was: Operation['status'] | undefined,
): boolean {
  const isTheirs = params?.reference === id;
  const isNew = was === undefined;
  // The codes of one confirmation are told together.
  const isPartly = isNew && key === `${kind}.partly`;
  const isNotApplied = isPartly || (isTheirs && key === 'operation.resolved.notApplied');
  switch (status) {
    case 'done':
      return isPartly || (isNew && key === `${kind}.done`) || (isTheirs && key === 'operation.resolved.done');
    case 'refused':
      return isNotApplied || (isNew && key === `${kind}.refused`);
    case 'notApplied':
    case 'watching':
      return isNotApplied;
    case 'checking':
      return key === 'operation.checking' && (isTheirs || context === 'several');
    case 'escalated':
      return isTheirs && key === 'operation.escalated';
  }
}
