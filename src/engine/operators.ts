import type { ReadState, State } from '../conversation/state.ts';
import { type Runtime, systemRuntime } from '../runtime.ts';
import {
  type Encryption,
  type Index,
  type Listed,
  type Range,
  type RecordStore,
  SHARDS,
  StoreUnavailable,
} from '../store/port.ts';
import {
  conversationName,
  type Incoming,
  type IntentBody,
  type Origin,
  type OutboxItem,
  readIntent,
  readMessage,
  readOutboxItem,
  readStored,
  withVersion,
} from './messages.ts';
import type { ConversationRecord } from './record.ts';
import { accept, CONVERSATION, takeLetter } from './transitions.ts';
import { type RecordFault, VersionedRecords } from './versioned-records.ts';

/** An operation without an outcome. `intent`, null: it cannot be read. */
export type OpenOperation = {
  readonly reference: string;
  readonly conversation: string;
  /** When the call was about to be made, by the store's clock. */
  readonly atMs: number;
  readonly intent: IntentBody | null;
};

/** `holds`: the message, or that it is a state; null: it cannot be read. */
export type OpenLetter = {
  readonly id: string;
  readonly conversation: string;
  readonly atMs: number;
  readonly reason: string;
  readonly holds: Incoming | 'state' | null;
};

/** What is kept of a conversation, without what cannot be read. */
export type StoredConversation = {
  readonly nowMs: number;
  readonly state: State | null;
  /** Who wrote last, and where replies go. */
  readonly origin: Origin | null;
  /** Accepted and not yet answered, oldest first. */
  readonly messages: readonly Incoming[];
  /** Left by a commit and not yet delivered or done, oldest first. */
  readonly outbox: readonly OutboxItem[];
  /** A process has the lease until then, unless it renews it; null: none has it. */
  readonly leasedUntilMs: number | null;
};

/**
 * What became of something filed; only `filed` changed anything. `unknown`: no such operation or letter.
 * `unreadable`: it cannot be read, or the letter holds no message. `decided`: an earlier decision counts.
 * `full`: too many messages wait.
 */
export type FilingResult = 'filed' | 'unknown' | 'unreadable' | 'decided' | 'full';

export type OperatorsOptions = {
  readonly store: RecordStore;
  readonly encryption: Encryption;
  readonly readState: ReadState;
  readonly runtime?: Runtime | undefined;
  /** Called with a conversation in which something was filed (`Engine.schedule`). */
  readonly onFiled?: ((conversation: string) => void) | undefined;
  /** The conversation that something was filed in had no record, or none that can be opened. */
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

  /** Operations without a known outcome, oldest first; also calls that are under way. */
  async operations(): Promise<OpenOperation[]> {
    const members = await membersOf(this.#options.store, 'intents');
    const operations = members.map(async (member) => {
      const [conversation = '', ...rest] = member.split(':');
      const reference = rest.join(':');
      const { record } = await this.#conversations.read(conversation);
      const call = record?.journal[reference];
      const intent = call === undefined ? null : attempt(() => readIntent(call.body));
      return { reference, conversation, atMs: call?.atMs ?? 0, intent };
    });
    return oldestFirst(await Promise.all(operations));
  }

  /** Dead letters, oldest first. */
  async letters(): Promise<OpenLetter[]> {
    const letters = (await membersOf(this.#options.store, 'dead')).map(async (conversation) => {
      const { record } = await this.#conversations.read(conversation);
      return (record?.dead ?? []).map(({ id, body, ...letter }): OpenLetter => {
        return { ...letter, id: `${conversation}.${id}`, conversation, holds: heldIn(body) };
      });
    });
    return oldestFirst((await Promise.all(letters)).flat());
  }

  /** What is kept of a conversation now; null: nothing. */
  async conversation(name: string): Promise<StoredConversation | null> {
    const { record, nowMs } = await this.#conversations.read(name);
    return record && this.#toStored(record, nowMs);
  }

  /** The name of a channel's conversation in stores and logs. */
  nameOf(channel: string, conversation: string): string {
    return conversationName(this.#options.encryption, channel, conversation);
  }

  /**
   * Files the decision in the operation's conversation, whose next turn saves and tells it. The first
   * decision counts, and an operation that has an outcome keeps it. `locksOf`: the locks of the intent,
   * which are given back even if the conversation never learned the outcome.
   */
  async settle(
    reference: string,
    result: 'done' | 'not-applied',
    locksOf: (operation: OpenOperation) => readonly string[] = () => [],
  ): Promise<FilingResult> {
    const operation = (await this.operations()).find((open) => open.reference === reference);
    if (operation === undefined) return 'unknown';
    const { intent, conversation } = operation;
    if (intent === null) return 'unreadable';
    const { origin, traceparent } = intent;
    const locks = [...locksOf(operation)];
    const message = { kind: 'settle' as const, operation: reference, result, locks };
    // Always the same id: a further decision is a duplicate, and is refused.
    const incoming = { ...origin, id: `settle:${reference}`, message, traceparent };
    const filed = await this.#file<never>(conversation, () => ({ incoming, uncapped: true }));
    return filed === 'duplicate' ? 'decided' : filed;
  }

  /**
   * Files what staff wrote, however many messages wait. `compose` makes the message from the conversation
   * as it is in the change that files it. It runs again if another process was faster.
   */
  async file(
    name: string,
    compose: (conversation: StoredConversation | null) => Incoming | 'unknown' | 'closed',
  ): Promise<'filed' | 'unknown' | 'closed'> {
    const filed = await this.#file<'unknown' | 'closed'>(name, (record, nowMs) => {
      const incoming = compose(record && this.#toStored(record, nowMs));
      return typeof incoming === 'string' ? incoming : { incoming, uncapped: true };
    });
    return filed === 'duplicate' || filed === 'full' ? 'filed' : filed;
  }

  /** Files a dead letter's message once more and removes the letter, in one change. */
  async replay(id: string): Promise<FilingResult> {
    const [conversation, letterId] = splitId(id);
    const filed = await this.#file<'unknown' | 'unreadable'>(conversation, (record) => {
      const letter = record?.dead.find((dead) => dead.id === letterId);
      if (!letter) return 'unknown';
      const holds = heldIn(letter.body);
      if (holds === null || holds === 'state') return 'unreadable';
      // The conversation may remember the message's own id. It counts as sent now.
      return { incoming: { ...holds, acceptedMs: undefined, id: `replay:${id}` }, letterId };
    });
    return filed === 'duplicate' ? 'filed' : filed;
  }

  /** Removes a dead letter; false: no letter has that id. */
  async remove(id: string): Promise<boolean> {
    const [conversation, letterId] = splitId(id);
    return (await this.#conversations.update(conversation, takeLetter(letterId))).answer !== null;
  }

  /** Nothing happens between `compose` and the filing. */
  async #file<Refusal extends string>(
    name: string,
    compose: (record: ConversationRecord | null, nowMs: number) => Composed | Refusal,
  ): Promise<InboxResult | Refusal> {
    const deliveryId = this.#runtime.id();
    const { answer } = await this.#conversations.update<InboxResult | Refusal>(name, (before, nowMs) => {
      const composed = compose(before, nowMs);
      if (typeof composed === 'string') return { record: before, answer: composed };
      const { incoming, letterId, uncapped } = composed;
      const filing = { id: incoming.id, deliveryId, body: withVersion(incoming), uncapped };
      const { record, answer } = accept(filing)(before, nowMs);
      if (answer === 'full') return { record: before, answer };
      const after = letterId ? takeLetter(letterId)(record, nowMs).record : record;
      return { record: after, answer: answer === 'duplicate' ? answer : 'filed' };
    });
    if (answer === 'filed') this.#options.onFiled?.(name);
    return answer;
  }

  #toStored({ state, inbox, outbox, lease }: ConversationRecord, nowMs: number): StoredConversation {
    const stored = state === null ? null : attempt(() => readStored(state, this.#options.readState));
    return {
      nowMs,
      state: stored?.state ?? null,
      origin: stored?.origin ?? null,
      messages: readable(inbox, readMessage),
      outbox: readable(outbox, readOutboxItem),
      leasedUntilMs: lease !== null && lease.untilMs > nowMs ? lease.untilMs : null,
    };
  }
}

/** `letterId`: the dead letter to remove. `uncapped`: it is filed even into a full inbox. */
type Composed = { readonly incoming: Incoming; readonly letterId?: string; readonly uncapped?: boolean };
type InboxResult = 'filed' | 'duplicate' | 'full';

/** The conversation of a letter, and the letter's own id there. */
function splitId(id: string): [conversation: string, letterId: string] {
  const dot = id.indexOf('.');
  return [id.slice(0, dot), id.slice(dot + 1)];
}

const heldIn = (body: unknown): OpenLetter['holds'] =>
  attempt(() => (typeof body === 'string' ? 'state' : readMessage(body)));

const readable = <Body>(
  entries: readonly { readonly body: unknown }[],
  read: (body: unknown) => Body,
): Body[] => entries.map(({ body }) => attempt(() => read(body))).filter((body) => body !== null);

const oldestFirst = <T extends { readonly atMs: number }>(entries: T[]): T[] =>
  entries.sort((a, b) => a.atMs - b.atMs);

/** What `read` returns; null: it throws, because the shape is not ours. */
function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

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

/** The members of an index. Rejects if one shard does not answer: what is missing would not be noticed. */
export async function membersOf(
  store: Lists,
  index: Index,
  limit = Number.MAX_SAFE_INTEGER,
): Promise<string[]> {
  const listed = await listAll(store, index, { upTo: 'ever', limit });
  if (listed.length < SHARDS) throw new StoreUnavailable('some shards of the store do not answer');
  return listed.flatMap(({ entries }) => entries.map(({ member }) => member));
}
