import { toPlainest } from '../conversation/reply.ts';
import type { Operation, ReadState, State } from '../conversation/state.ts';
import { openRecord, type RecordFault, VersionedRecords } from '../records/versioned-records.ts';
import { type Runtime, systemRuntime } from '../runtime.ts';
import {
  type Encryption,
  type Index,
  type IndexChange,
  type Key,
  type Listed,
  type Range,
  type RecordStore,
  readMember,
  type ScoredMember,
  SHARDS,
  StoreUnavailable,
  writeMember,
} from '../store/port.ts';
import {
  attempt,
  conversationName,
  type Incoming,
  type IntentBody,
  type Origin,
  type Outgoing,
  readIntent,
  readMessage,
  readOutboxItem,
  readStored,
  withVersion,
} from './messages.ts';
import type { ConversationRecord, FailedNote } from './record.ts';
import {
  accept,
  CONVERSATION,
  type ConversationTransition,
  resendLetter,
  takeLetter,
} from './transitions.ts';

/**
 * An operation without an outcome. `intent`, null: it cannot be read. `isLost`: nothing can be read of it.
 * Its record is missing or cannot be opened, or does not have the operation. `status`: what the customer
 * knows; absent: the turn that made the call has not ended.
 */
export type OpenOperation = {
  readonly reference: string;
  readonly conversation: string;
  /** The time of the intent, by the store's clock. */
  readonly atMs: number;
  readonly intent: IntentBody | null;
  readonly isLost: boolean;
  readonly status?: Operation['status'] | undefined;
};

/** A reply about points that could not be delivered. */
export type KeptReply = { readonly kept: Outgoing };

/**
 * `holds`: the message, the reply, or that it is a state; null: it cannot be read. `reason`, `lost`: its
 * record is.
 */
export type OpenLetter = {
  readonly id: string;
  readonly conversation: string;
  readonly atMs: number;
  readonly reason: string;
  readonly holds: Incoming | KeptReply | 'state' | null;
};

/** The id of the letters whose record is missing or cannot be opened, behind its conversation. */
const LOST_LETTER = 'lost';

/** An entry is taken off its index after this many conflicts at most. */
const MAX_TRIES = 20;

/** What is kept of a conversation, without what cannot be read. */
export type StoredConversation = {
  readonly nowMs: number;
  readonly state: State | null;
  readonly origin: Origin | null;
  /** Accepted and not yet answered, oldest first. */
  readonly messages: readonly Incoming[];
  /** The ids of staff's messages that are not sent yet, and those that were dropped. */
  readonly unsent: readonly string[];
  readonly failed: readonly FailedNote[];
};

/**
 * What became of something filed; only `filed` changed anything.
 * - `unknown`: no such operation or letter. `lost`: its record is missing or cannot be opened.
 * - `unreadable`: it cannot be read, or the letter holds no message.
 * - `decided`: an earlier decision counts.
 */
export type FilingResult = 'filed' | 'unknown' | 'unreadable' | 'lost' | 'decided';

export type OperatorsOptions = {
  readonly store: RecordStore;
  readonly encryption: Encryption;
  readonly readState: ReadState;
  readonly runtime?: Runtime | undefined;
  readonly onFiled?: ((conversation: string) => void) | undefined;
  readonly onFault?: ((fault: RecordFault, conversation: string) => void) | undefined;
};

/**
 * What operators do with a store. All methods reject with `StoreUnavailable`.
 *
 * @example
 * for (const { id } of await operators.letters()) await operators.replay(id);
 */
export class Operators {
  readonly #options: OperatorsOptions;
  readonly #runtime: Runtime;
  readonly #conversations: VersionedRecords<ConversationRecord>;

  constructor(options: OperatorsOptions) {
    const { store, encryption: sealer, runtime = systemRuntime, onFault = () => {} } = options;
    this.#options = options;
    this.#runtime = runtime;
    this.#conversations = new VersionedRecords(CONVERSATION, { store, sealer, runtime, onFault });
  }

  /** Operations without an outcome, oldest first; also calls that are under way. */
  async operations(): Promise<OpenOperation[]> {
    const entries = await entriesOf(this.#options.store, 'intents');
    const operations = entries.map(async ({ member, score: atMs }) => {
      const { name: conversation, part: reference } = readMember(member);
      const { record, nowMs } = await this.#conversations.read(conversation);
      const call = record?.journal[reference];
      const intent = call === undefined ? null : attempt(() => readIntent(call.body));
      const { state } = this.#toConversation(record, nowMs) ?? {};
      const status = state?.operations.find(({ id }) => id === reference)?.status;
      return { reference, conversation, atMs, intent, isLost: call === undefined, status };
    });
    return oldestFirst(await Promise.all(operations));
  }

  /** Dead letters, oldest first. */
  async letters(): Promise<OpenLetter[]> {
    const entries = await entriesOf(this.#options.store, 'dead');
    const letters = entries.map(async ({ member: conversation, score: atMs }) => {
      const { record } = await this.#conversations.read(conversation);
      const lost = { id: LOST_LETTER, atMs, reason: LOST_LETTER, body: null };
      return (record?.dead ?? [lost]).map(({ id, body, ...letter }): OpenLetter => {
        return { ...letter, id: `${conversation}.${id}`, conversation, holds: heldIn(body) };
      });
    });
    return oldestFirst((await Promise.all(letters)).flat());
  }

  /** What is kept of a conversation now; null: nothing. */
  async conversation(name: string): Promise<StoredConversation | null> {
    const { record, nowMs } = await this.#conversations.read(name);
    return this.#toConversation(record, nowMs);
  }

  /**
   * The messages of a conversation that wait for a turn: their channel, and for how long each has waited;
   * null if none waits. Messages behind a waiting reply do not count, nor those of a turn that is at work.
   */
  async waitingIn(name: string): Promise<{ readonly channel: string; readonly agesMs: number[] } | null> {
    const { record, nowMs } = await this.#conversations.read(name);
    const head = record?.inbox[0];
    if (record === null || head === undefined || record.outbox.length > 0) return null;
    if (record.lease !== null && record.lease.untilMs > nowMs) return null;
    const message = attempt(() => readMessage(head.body));
    return message && { channel: message.channel, agesMs: record.inbox.map(({ atMs }) => nowMs - atMs) };
  }

  nameOf(channel: string, conversation: string): string {
    return conversationName(this.#options.encryption, channel, conversation);
  }

  /**
   * Files the decision in the operation's conversation, whose next turn saves and tells it. The first
   * decision counts, and an operation that has an outcome keeps it.
   */
  async settle(reference: string, result: 'done' | 'not-applied'): Promise<FilingResult> {
    const operation = (await this.operations()).find((open) => open.reference === reference);
    if (operation === undefined) return 'unknown';
    const { intent, conversation, isLost } = operation;
    if (intent === null) return isLost ? 'lost' : 'unreadable';
    const { origin, traceparent, body } = intent;
    // The locks are given back even if the conversation never learned the outcome.
    const { locks } = body.lookup;
    const message = { kind: 'settle' as const, operation: reference, result, locks };
    // Always the same id: a further decision is a duplicate, and is refused.
    const incoming = { ...origin, id: `settle:${reference}`, message, traceparent };
    const filed = await this.#file<never>(conversation, () => incoming);
    return filed === 'duplicate' ? 'decided' : filed;
  }

  /**
   * Takes an operation off the list of which nothing can be read, so that nothing can be settled. `kept`: its
   * record has it, and it must be settled. Its record stays as it is.
   */
  async close(reference: string): Promise<'closed' | 'unknown' | 'kept'> {
    const operation = (await this.operations()).find((open) => open.reference === reference);
    if (operation === undefined) return 'unknown';
    if (!operation.isLost) return 'kept';
    const { conversation } = operation;
    const isLost = (record: ConversationRecord | null) => record?.journal[reference] === undefined;
    const entry = { index: 'intents', member: writeMember(conversation, reference) } as const;
    return (await this.#unlist(conversation, entry, isLost)) ? 'closed' : 'kept';
  }

  /** Removes an entry of an index, in the change that finds that its record `isLost`. */
  async #unlist(
    conversation: string,
    entry: Pick<IndexChange, 'index' | 'member'>,
    isLost: (record: ConversationRecord | null) => boolean,
  ): Promise<boolean> {
    const { store } = this.#options;
    const key: Key = `${CONVERSATION.kind}:${conversation}`;
    const indexes = [{ ...entry, score: null }];
    let { bytes } = await store.read(key);
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (!isLost(this.#open(conversation, bytes))) return false;
      const swap = { expected: bytes, bytes, ttlMs: CONVERSATION.ttlMs, indexes };
      const swapped = await store.compareAndSwap(key, swap);
      if (swapped.swapped) return true;
      ({ bytes } = swapped);
    }
    throw new StoreUnavailable('the record is changed too often');
  }

  #open(name: string, bytes: Uint8Array | null): ConversationRecord | null {
    if (bytes === null) return null;
    return attempt(() => openRecord(CONVERSATION, this.#options.encryption, { name, bytes }));
  }

  /**
   * Files what staff wrote. `compose` makes the message from the conversation as it is in the change that
   * files it. It runs again if another process was faster.
   */
  async file(
    name: string,
    compose: (conversation: StoredConversation | null) => Incoming | 'unknown' | 'closed',
  ): Promise<'filed' | 'unknown' | 'closed'> {
    const filed = await this.#file(name, (record, nowMs) => compose(this.#toConversation(record, nowMs)));
    return filed === 'duplicate' ? 'filed' : filed;
  }

  /** Files a dead letter's message, or sends its reply, once more and removes the letter, in one change. */
  async replay(id: string): Promise<FilingResult> {
    const [conversation, letterId] = splitId(id);
    if (letterId === LOST_LETTER) return 'unreadable';
    const { record: found } = await this.#conversations.read(conversation);
    const held = heldIn(found?.dead.find((dead) => dead.id === letterId)?.body);
    if (isKeptReply(held)) return this.#resend(conversation, letterId, held);
    const compose = (record: ConversationRecord | null): Incoming | 'unknown' | 'unreadable' => {
      const letter = record?.dead.find((dead) => dead.id === letterId);
      if (!letter) return 'unknown';
      const holds = heldIn(letter.body);
      if (holds === null || holds === 'state' || isKeptReply(holds)) return 'unreadable';
      // The conversation may remember the message's own id. It counts as sent now.
      return { ...holds, acceptedMs: undefined, id: `replay:${id}` };
    };
    const filed = await this.#file(conversation, compose, takeLetter(letterId));
    return filed === 'duplicate' ? 'filed' : filed;
  }

  /** In its plainest form: with its pictures and buttons it may have ended processes. */
  async #resend(conversation: string, letterId: string, { kept }: KeptReply): Promise<FilingResult> {
    const { turn: _, acceptedMs: __, press: ___, ...outgoing } = kept;
    const again = { ...outgoing, reply: toPlainest(kept.reply), first: true, last: true };
    const resend = resendLetter(letterId, (_, nowMs) =>
      withVersion({ kind: 'reply', outgoing: { ...again, atMs: nowMs } }),
    );
    const { answer } = await this.#conversations.update(conversation, resend);
    if (answer) this.#options.onFiled?.(conversation);
    return answer ? 'filed' : 'unknown';
  }

  /** Removes a dead letter; false: no letter has that id. */
  async remove(id: string): Promise<boolean> {
    const [conversation, letterId] = splitId(id);
    if (letterId === LOST_LETTER) {
      const isListed = (await this.letters()).some((letter) => letter.id === id);
      const entry = { index: 'dead', member: conversation } as const;
      return isListed && this.#unlist(conversation, entry, (record) => record === null);
    }
    return (await this.#conversations.update(conversation, takeLetter(letterId))).answer !== null;
  }

  /** Files what `compose` makes, however many messages wait, and changes the record with `then` as well. */
  async #file<Refusal extends string>(
    name: string,
    compose: (record: ConversationRecord | null, nowMs: number) => Incoming | Refusal,
    then?: ConversationTransition<unknown>,
  ): Promise<'filed' | 'duplicate' | Refusal> {
    const mark = this.#runtime.id();
    const file: ConversationTransition<'filed' | 'duplicate' | Refusal> = (before, nowMs) => {
      const incoming = compose(before, nowMs);
      if (typeof incoming === 'string') return { record: before, answer: incoming };
      const filing = { id: incoming.id, mark, body: withVersion(incoming), uncapped: true };
      const { record, answer } = accept(filing)(before, nowMs);
      const after = then ? then(record, nowMs).record : record;
      return { record: after, answer: answer === 'duplicate' ? answer : 'filed' };
    };
    const { answer } = await this.#conversations.update(name, file);
    if (answer === 'filed') this.#options.onFiled?.(name);
    return answer;
  }

  /** What staff may know of a record. A state or a message that cannot be read is left out. */
  #toConversation(record: ConversationRecord | null, nowMs: number): StoredConversation | null {
    if (record === null) return null;
    const { state: text, inbox, outbox, failed } = record;
    const stored = text === null ? null : attempt(() => readStored(text, this.#options.readState));
    const { state = null, origin = null } = stored ?? {};
    const messages = inbox.map(({ body }) => attempt(() => readMessage(body)));
    return {
      nowMs,
      state,
      origin,
      messages: messages.filter((message) => message !== null),
      unsent: outbox.flatMap(({ note }) => note ?? []),
      failed,
    };
  }
}

function splitId(id: string): [conversation: string, letterId: string] {
  const dot = id.indexOf('.');
  return [id.slice(0, dot), id.slice(dot + 1)];
}

function heldIn(body: unknown): OpenLetter['holds'] {
  if (typeof body === 'string') return 'state';
  const item = attempt(() => readOutboxItem(body));
  return item?.kind === 'reply' ? { kept: item.outgoing } : attempt(() => readMessage(body));
}

export const isKeptReply = (holds: OpenLetter['holds']): holds is KeptReply =>
  typeof holds === 'object' && holds !== null && 'kept' in holds;

const oldestFirst = <T extends { readonly atMs: number }>(entries: T[]): T[] =>
  entries.sort((a, b) => a.atMs - b.atMs);

/** The part of a store that lists its indexes. */
export type Lists = Pick<RecordStore, 'list'>;

/**
 * An index of the whole store, shard by shard. It opens no record. Shards that do not answer are left out;
 * rejects with `StoreUnavailable` if none answers.
 */
export async function listAll(
  store: Lists,
  index: Index,
  range: Omit<Range, 'shard'>,
): Promise<readonly Listed[]> {
  const shards = Array.from({ length: SHARDS }, (_, shard) => store.list(index, { ...range, shard }));
  const answers = await Promise.allSettled(shards);
  const listed = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  if (listed.length === 0) throw new StoreUnavailable('no shard of the store answers');
  return listed;
}

/** The entries of an index. Rejects if one shard does not answer. */
export async function entriesOf(
  store: Lists,
  index: Index,
  limit = Number.MAX_SAFE_INTEGER,
): Promise<ScoredMember[]> {
  const listed = await listAll(store, index, { upTo: 'ever', limit });
  if (listed.length < SHARDS) throw new StoreUnavailable('some shards of the store do not answer');
  return listed.flatMap(({ entries }) => entries);
}
