import type { Reply } from '../../src/conversation/reply.ts';
import type { Operation } from '../../src/conversation/state.ts';
import { CUSTOMER } from '../../src/engine/customer.ts';
import type { Incoming } from '../../src/engine/messages.ts';
import type { ConversationRecord } from '../../src/engine/record.ts';
import { CONVERSATION } from '../../src/engine/transitions.ts';
import { type Encryption, INDEXES, type Key, type RecordStore, SHARDS } from '../../src/store/port.ts';
import type { Clock } from './clock.ts';
import { KILLER, POISON } from './customers.ts';
import type { Written } from './staff.ts';
import { filedIn, type RecordChange, stateOf, type watchRecords } from './watch.ts';

/** What must hold, by name; each has a defect that it finds (`planted.ts`). */
export type Invariant =
  | 'taken'
  | 'answered'
  | 'answered once'
  | 'in order'
  | 'one number, one reply'
  | 'stored replies leave'
  | 'called once'
  | 'told as the ledger says'
  | 'known'
  | 'told of each outcome'
  | 'settled'
  | 'nothing left'
  | 'indexed'
  | 'no lock past its reason'
  | 'staff are heard'
  | 'a yes to what was shown'
  | 'forgotten'
  | 'nothing personal'
  | 'every shard is looked at'
  | 'damage is alarmed'
  | 'nothing throws'
  | 'sends under its lease'
  | 'waits as asked'
  | 'ended calls are known'
  | 'replicated before it is called'
  | 'stops in time'
  | 'the first decision counts';
export type Breach = { readonly invariant: Invariant; readonly what: string };

/** A message on its way, and what became of it. */
export type Filed = {
  readonly incoming: Incoming;
  readonly sentMs: number;
  /** When the bot took it (2xx), and whether it had room for it. */
  takenMs?: number;
  isFull?: true;
  /** Each delivery of a reply to it: its number, when, and whether it begins an answer. */
  readonly replies: { readonly seq: number; readonly atMs: number; readonly first: boolean }[];
};

/** What was delivered. */
type Told = {
  readonly seq: number;
  readonly reply: Reply;
  readonly atMs: number;
  /** The message that it answers. */
  readonly turn: string | undefined;
};

/** A conversation as its customer, the platform and staff see it. */
export type Talk = {
  readonly id: string;
  readonly key: Key;
  readonly phone: string;
  readonly messages: Filed[];
  readonly told: Told[];
  readonly written: Written[];
  /** When the store got each reply, by its number. */
  readonly promised: Map<number, { readonly key: string; readonly atMs: number }>;
};

/** What was written in that time may be gone: the store lost it. `talk`: only of that one, by damage to its record. */
export type Loss = {
  readonly fromMs: number;
  readonly atMs: number;
  readonly talk?: Talk;
  readonly damage?: {
    readonly kind: 'broken' | 'lost';
    readonly bytes: Uint8Array | null;
    readonly isDue: boolean;
  };
};

/**
 * A lock has gone so long after the outcome of its operation: that of a code, which a look-up takes, may be left to its own
 * end, in three minutes; that of a redemption is given back with the outcome.
 */
const LOCK_MS = { accumulate: 2.5 * 60_000, redeem: 40_000 };
const SWEPT_MS = 20_000;
const LOOKED_MS = 80_000;
/** A decision may have been filed so long before its operator knew. */
const DECIDING_MS = 60_000;

/** What may be said to a text while a person is there. */
const BESIDE_PERSON = /^(person\.|operation\.|turn\.failed|abuse\.flood)/;
const PHONE = /(?<!\d)(\+?84|0)91\d{7}(?!\d)/;
const PERSONAL = new RegExp(`${PHONE.source}|TIVI\\d{9}`);

/** Checks each change, each delivery, and what is left at the end. */
export function createChecks(options: {
  readonly clock: Clock;
  readonly records: ReturnType<typeof watchRecords>;
  readonly encryption: Pick<Encryption, 'open'>;
  readonly sent: ReadonlyMap<string, { readonly times: number; readonly applied: number }>;
  /** All that was logged, counted and alarmed. */
  readonly said: readonly string[];
  readonly sweepMs: number;
  /** A node of the store may be ill for so long. */
  readonly illMs: number;
}) {
  const { clock, records, encryption, sent, said, sweepMs, illMs } = options;
  const breaches: Breach[] = [];
  const losses: Loss[] = [];
  /** By the name of its record. */
  const talks = new Map<string, Talk>();
  /** How operations stand, as their conversations last wrote it: what is settled is forgotten one day. */
  const operations = new Map<
    string,
    { readonly operation: Operation; readonly atMs: number; readonly talk: Talk }
  >();
  /** The conversation of each intent, and when each message was stored. */
  const ownerOf = new Map<string, Talk>();
  /** Operations on which operators disagree, and what was decided on each, when. */
  const contested = new Set<string>();
  const decisions = new Map<string, { readonly result: string; readonly atMs: number }>();
  /** When a process ended for the last time: what it was about to do takes longer. */
  let endedMs = 0;
  const storedMs = new Map<string, number>();
  /** At the end: the alarms of replies that were given up. */
  let givenUp: readonly string[] = [];

  function breach(invariant: Invariant, what: string): void {
    if (breaches.length < 30) breaches.push({ invariant, what });
  }

  const lossesOf = (talk: Talk): Loss[] =>
    losses.filter((loss) => loss.talk === undefined || loss.talk === talk);
  const mayBeLost = (talk: Talk, sentMs: number, takenMs: number): boolean =>
    lossesOf(talk).some(({ fromMs, atMs }) => sentMs <= atMs && takenMs >= fromMs);
  const lastLossMs = (talk: Talk): number => lossesOf(talk).at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;

  /*
   * As it happens.
   */

  function onChange(change: RecordChange): void {
    const talk = talks.get(change.name);
    if (talk === undefined) return;
    for (const { seq, reply } of change.promised)
      talk.promised.set(seq, { key: reply.key, atMs: clock.atMs });
    for (const { index, member } of CONVERSATION.entries(change.name, change.after)) {
      if (PERSONAL.test(member)) breach('nothing personal', `${talk.id}: ${index} lists ${member}`);
    }
    for (const operation of Object.keys(change.after.journal)) ownerOf.set(operation, talk);
    for (const id of filedIn(change)) storedMs.set(id, storedMs.get(id) ?? clock.atMs);
    checkOutcomes(talk, change);
    checkYes(talk, change);
    checkForgotten(talk, change);
  }

  /** Whatever changes the status of an operation tells so in the same change. */
  function checkOutcomes(talk: Talk, { state, stateBefore, promised }: RecordChange): void {
    const earlier = new Map(stateBefore?.operations.map(({ id, status }) => [id, status]));
    for (const operation of state?.operations ?? []) {
      const was = earlier.get(operation.id);
      if (was === operation.status) continue;
      operations.set(operation.id, { operation, atMs: clock.atMs, talk });
      // What is watched was told already.
      if (was === 'watching' || promised.some(({ reply }) => tells(reply, operation, was))) continue;
      breach(
        'told of each outcome',
        `${talk.id}: nobody was told that ${operation.id} is ${operation.status}`,
      );
    }
  }

  /** Consent, and a call, come from what was stored after the question was shown. */
  function checkYes(talk: Talk, { before, after, state, stateBefore, answers }: RecordChange): void {
    const hasConsented = state?.consent?.given === true && stateBefore?.consent?.given !== true;
    const begun = Object.keys(after.journal).filter((operation) => before?.journal[operation] === undefined);
    if (!hasConsented && begun.length === 0) return;
    const filedMs = storedMs.get(answers ?? '');
    if (filedMs === undefined || filedMs <= lastLossMs(talk)) return;
    const asks = hasConsented ? 'consent' : 'confirm';
    const isShown = talk.told.some(({ reply, atMs }) => reply.asks === asks && atMs <= filedMs);
    if (!isShown) breach('a yes to what was shown', `${talk.id}: ${answers} is no yes to ${asks}`);
  }

  function checkForgotten(talk: Talk, { after, promised, state }: RecordChange): void {
    if (!promised.some(({ reply }) => reply.key === 'privacy.erased')) return;
    const { profile, draft } = state ?? stateOf(after) ?? {};
    const isLeft = after.dead.length > 0 || PHONE.test(JSON.stringify([profile, draft]));
    if (isLeft)
      breach(
        'forgotten',
        `${talk.id}: something is left: ${Object.keys(profile ?? {})}, ${after.dead.length}`,
      );
  }

  function onTold(
    talk: Talk,
    { seq, reply, turn, first }: Omit<Told, 'atMs'> & { readonly first: boolean },
  ): boolean {
    const before = talk.told.find((one) => one.seq === seq);
    if (before !== undefined && textOf(before.reply) !== textOf(reply) && lossesOf(talk).length === 0) {
      breach(
        'one number, one reply',
        `${talk.id}: number ${seq} said ${before.reply.key}, then ${reply.key}`,
      );
    }
    talk.told.push({ seq, reply, atMs: clock.atMs, turn });
    const filed = talk.messages.find(({ incoming }) => incoming.id === turn);
    filed?.replies.push({ seq, atMs: clock.atMs, first });
    return before === undefined;
  }

  /** Of contrary decisions one was refused, unless the store lost the first one. */
  function onDecided(operation: string, result: string): void {
    const first = decisions.get(operation);
    decisions.set(operation, first ?? { result, atMs: clock.atMs });
    if (first === undefined || first.result === result) return;
    if (losses.some(({ atMs }) => atMs >= first.atMs - DECIDING_MS)) return;
    breach('the first decision counts', `${operation}: ${result} was filed after ${first.result}`);
  }

  /** The holders of customers' locks: each has its reason. */
  async function checkLocks(): Promise<void> {
    for (const key of records.keys) {
      if (!key.startsWith('u:')) continue;
      const { bytes, nowMs } = await records.store.read(key);
      const { holder } = bytes === null ? { holder: null } : CUSTOMER.read(encryption.open(key, bytes));
      const known = holder && holder.untilMs > nowMs ? operations.get(holder.operation) : undefined;
      if (known === undefined || isOpen(known.operation)) continue;
      const { operation, atMs, talk } = known;
      // The store may have lost that it was given back, or that it must be.
      const isLost = lossesOf(talk).some((loss) => loss.atMs >= atMs);
      const heldMs = clock.atMs - Math.max(atMs, endedMs);
      if (heldMs <= LOCK_MS[operation.kind] + illMs || isLost) continue;
      breach('no lock past its reason', `${operation.id} holds a lock ${heldMs} ms after its outcome`);
    }
  }

  /** `lookedMs`: when a process last asked for each shard. */
  function checkLooks(process: string, lookedMs: ReadonlyMap<number, number>): void {
    for (const [shard, atMs] of lookedMs) {
      if (clock.atMs - atMs > LOOKED_MS + 4 * sweepMs)
        breach('every shard is looked at', `${process} left shard ${shard}`);
    }
  }

  /*
   * At rest.
   */

  async function checkTalk(talk: Talk): Promise<void> {
    checkMessages(talk);
    checkPromised(talk);
    checkTickets(talk);
    const record = await records.recordOf(talk.key);
    if (record === null) return;
    const { inbox, outbox, lease } = record;
    if (inbox.length + outbox.length > 0 || lease !== null)
      breach(
        'nothing left',
        `${talk.id}: ${inbox.length} messages, ${outbox.length} replies, lease: ${lease !== null}`,
      );
    const { operations: left = [] } = stateOf(record) ?? {};
    for (const { id, status } of left) {
      if (status === 'checking' || status === 'watching')
        breach('settled', `${talk.id}: ${id} is ${status} at rest`);
    }
    for (const name of Object.keys(record.journal)) {
      const operation = left.find((one) => one.id === name);
      if (operation?.status !== 'escalated')
        breach('settled', `${talk.id}: the intent of ${name} (${operation?.status ?? 'not known'}) is left`);
    }
  }

  function checkMessages(talk: Talk): void {
    const { id } = talk;
    const lossMs = lastLossMs(talk);
    let answeredMs = Number.NEGATIVE_INFINITY;
    let before: Filed | undefined;
    for (const filed of talk.messages) {
      const { incoming, sentMs, takenMs, replies } = filed;
      if (takenMs === undefined) breach('taken', `${id}: ${incoming.id} was never taken`);
      if (takenMs === undefined || filed.isFull) continue;
      const [first] = replies;
      if (first === undefined) {
        const what = `${id}: ${incoming.id} (${JSON.stringify(incoming.message)}) was never answered`;
        if (!mayBeLost(talk, sentMs, takenMs)) breach('answered', what);
        continue;
      }
      // Whoever waits for the 2xx before writing on is answered in that order.
      const inOrder = before?.takenMs !== undefined && before.takenMs < sentMs && sentMs > lossMs;
      if (inOrder && first.atMs < answeredMs)
        breach('in order', `${id}: ${incoming.id} was answered before ${before?.incoming.id}`);
      answeredMs = first.atMs;
      before = filed;
      const numbers = new Set(replies.map(({ seq }) => seq));
      const answers = new Set(replies.filter((reply) => reply.first).map(({ seq }) => seq));
      if (sentMs > lossMs && (answers.size !== 1 || !isRow([...numbers])))
        breach(
          'answered once',
          `${id}: ${incoming.id} has ${answers.size} answers, under numbers ${[...numbers]}`,
        );
    }
  }

  /** What the store got was delivered, whoever had to take it up. */
  function checkPromised(talk: Talk): void {
    const name = talk.key.slice('c:'.length);
    const gone = givenUp.filter((one) => one.includes(name)).length;
    const heard = new Set(talk.told.map(({ seq }) => seq));
    const missing = [...talk.promised].filter(
      ([seq, { atMs }]) => !heard.has(seq) && !mayBeLost(talk, atMs, atMs),
    );
    if (missing.length > gone)
      for (const [seq, { key }] of missing)
        breach('stored replies leave', `${talk.id}: number ${seq}, ${key}`);
  }

  /** What staff wrote was told once and in order; and while a person was there, no text was interpreted. */
  function checkTickets(talk: Talk): void {
    const { id, told, promised, written, messages } = talk;
    const lossMs = lastLossMs(talk);
    const heardSeqs = new Map<string, number>();
    for (const { text, by, id: filedId, sentMs, takenMs } of written) {
      const heard = told.filter(({ reply }) => reply.key === 'person.says' && textOf(reply).includes(text));
      // After it was filed, five processes died at it, or the conversation was forgotten.
      const filedMs = storedMs.get(filedId) ?? takenMs;
      const isOver = [...promised.values()].some(
        ({ key, atMs }) => atMs >= filedMs && /^(turn.failed|privacy.erased)$/.test(key),
      );
      const [first] = heard;
      if (first === undefined && !mayBeLost(talk, sentMs, takenMs) && !isOver)
        breach('staff are heard', `${id}: "${text}" was never told`);
      if (first === undefined || sentMs <= lossMs) continue;
      if (new Set(heard.map(({ seq }) => seq)).size > 1)
        breach('staff are heard', `${id}: "${text}" was told twice`);
      if (first.seq < (heardSeqs.get(by) ?? 0))
        breach('staff are heard', `${id}: "${text}" was told before what was written before it`);
      heardSeqs.set(by, first.seq);
    }
    if (lossesOf(talk).length > 0) return;
    const texts = new Map(
      messages.flatMap(({ incoming }) => (isPlain(incoming) ? [[incoming.id, incoming.message]] : [])),
    );
    let isOpen = false;
    for (const { reply, turn } of told.toSorted((a, b) => a.seq - b.seq)) {
      const text = texts.get(turn ?? '');
      if (isOpen && text && !BESIDE_PERSON.test(reply.key))
        breach(
          'staff are heard',
          `${id}: ${JSON.stringify(text)} was interpreted beside a person: ${reply.key}`,
        );
      if (reply.key === 'person.waiting') isOpen = true;
      if (reply.key === 'person.back' || reply.key === 'privacy.erased') isOpen = false;
    }
  }

  function checkLedger(): void {
    for (const { operation, talk, atMs } of operations.values()) {
      const { id, status } = operation;
      const { applied } = sent.get(id) ?? { applied: 0 };
      const isWrong =
        status === 'done' ? applied === 0 : (status === 'refused' || status === 'notApplied') && applied > 0;
      if (isWrong && !contested.has(id) && !mayBeLost(talk, atMs, atMs))
        breach('told as the ledger says', `${talk.id}: ${id} is ${status}, and was applied ${applied} times`);
    }
  }

  async function checkRest(store: RecordStore): Promise<void> {
    const listed = await listAll(store);
    const open = new Set(
      listed.flatMap(({ index, member }) => (index === 'intents' ? [member.split(':')[1]] : [])),
    );
    checkLedger();
    for (const [operation, { times, applied }] of sent) {
      if (times > 1) breach('called once', `${operation} was called ${times} times`);
      const known = operations.get(operation);
      const isKnown = open.has(operation) || (known && !mayBeLost(known.talk, known.atMs, known.atMs));
      if (applied > 0 && !isKnown && !isDamaged(operation))
        breach('known', `nobody knows of ${operation}, which was applied`);
    }
    await checkIndexes(listed);
    for (const loss of losses) await checkDamage(loss, listed);
    for (const one of said) {
      if (PERSONAL.test(one)) breach('nothing personal', one.slice(0, 200));
    }
  }

  /** Its conversation lost what it knew, and an operator may have settled what the index still listed. */
  const isDamaged = (operation: string): boolean => {
    const talk = ownerOf.get(operation);
    return talk !== undefined && losses.some((loss) => loss.talk === talk);
  };

  /** Indexes list what records have, and nobody waits for what is due. */
  async function checkIndexes(listed: readonly Listed[]): Promise<void> {
    const nowMs = clock.nowMs();
    for (const { index, member, score } of listed) {
      if ((index === 'due' || index === 'undelivered') && score < nowMs - SWEPT_MS)
        breach('indexed', `${index} lists ${member} at rest`);
    }
    for (const talk of talks.values()) {
      // Nobody knows what of a record was listed that cannot be read any more.
      if (losses.some((loss) => loss.talk === talk)) continue;
      const name = talk.key.slice('c:'.length);
      const record: ConversationRecord | null = await records.recordOf(talk.key);
      const has = record === null ? [] : CONVERSATION.entries(name, record);
      const is = listed.filter(({ member }) => member.split(':')[0] === name);
      const [one, other] = [has, is].map((entries) => entries.map(entryText).sort().join(', '));
      if (one !== other) breach('indexed', `${talk.id}: has ${one}, is listed as ${other}`);
    }
  }

  /** A damaged record that somebody touched since was alarmed. */
  async function checkDamage({ atMs, talk, damage }: Loss, listed: readonly Listed[]): Promise<void> {
    if (talk === undefined || damage === undefined) return;
    const name = talk.key.slice('c:'.length);
    const { bytes } = await records.store.read(talk.key);
    const isAlarmed = said.some(
      (one) => one.includes(damage.kind === 'broken' ? 'seal_broken' : 'record_lost') && one.includes(name),
    );
    const isRestored = losses.some(
      (loss) => loss.talk === undefined && loss.fromMs <= atMs && loss.atMs >= atMs,
    );
    const isTouched =
      damage.kind === 'broken'
        ? damage.bytes !== null && (bytes === null || Buffer.compare(bytes, damage.bytes) !== 0)
        : damage.isDue &&
          !listed.some(({ index, member }) => index === 'due' && member === name) &&
          !talk.messages.some(({ takenMs = Infinity }) => takenMs >= atMs);
    if (isTouched && !isAlarmed && !isRestored)
      breach('damage is alarmed', `${talk.id}: its record was ${damage.kind}, and nobody says so`);
  }

  return {
    breaches,
    breach,
    losses,
    talks,
    contested,
    onEnd(): void {
      endedMs = clock.atMs;
    },
    onChange,
    onTold,
    onDecided,
    checkLocks,
    checkLooks,
    async checkAll(store: RecordStore): Promise<void> {
      givenUp = said.filter((one) => one.includes('"delivery_given_up"'));
      for (const talk of talks.values()) await checkTalk(talk);
      await checkLocks();
      await checkRest(store);
    },
  };
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

/** A text that would be interpreted. */
const isPlain = ({ message }: Incoming): boolean =>
  message.kind === 'text' &&
  !message.text.startsWith('/') &&
  message.text !== KILLER &&
  message.text !== POISON;

const textOf = ({ key, context, view, params }: Reply): string =>
  [key, context, view, JSON.stringify(params?.text)].join(' ');

/** The numbers of one turn's replies follow each other. */
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
  // Several codes of one confirmation are told together.
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
