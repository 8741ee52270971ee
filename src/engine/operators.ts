import { type ReadState, type State, VERSION } from '../conversation/state.ts';
import { type Runtime, systemRuntime } from '../runtime.ts';
import type { Encryption } from '../store/encryption.ts';
import type { RecordStore } from '../store/port.ts';
import { membersOf } from './listing.ts';
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
  written,
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
  /** A process holds the lease until then, unless it renews it; null: nobody does. */
  readonly leasedUntilMs: number | null;
};

/**
 * What became of something filed; only `filed` changed anything. `unknown`: no such operation or letter.
 * `unreadable`: it cannot be read, or the letter holds no message. `decided`: an earlier decision counts.
 * `full`: too many messages wait.
 */
export type Filed = 'filed' | 'unknown' | 'unreadable' | 'decided' | 'full';

/** What operators do with a store. All reject with `StoreUnavailable`. */
export type Operators = {
  /** Operations without a known outcome, oldest first; also calls that are under way. */
  operations(): Promise<OpenOperation[]>;
  /** Dead letters, oldest first. */
  letters(): Promise<OpenLetter[]>;
  /** What is kept of a conversation now; null: nothing. */
  conversation(name: string): Promise<StoredConversation | null>;
  /** How a channel's conversation is called in stores and logs. */
  nameOf(channel: string, conversation: string): string;
  /**
   * Files the decision in the operation's conversation, whose next turn saves and tells it. The first decision
   * counts, and an operation that has an outcome keeps it. `locksOf`: the locks of the intent, which are given
   * back even if the conversation never learned the outcome.
   */
  settle(
    reference: string,
    result: 'done' | 'not-applied',
    locksOf?: (operation: OpenOperation) => readonly string[],
  ): Promise<Filed>;
  /**
   * Files what staff wrote, however many messages wait. `compose` makes the message from the conversation as it
   * is in the change that files it. It runs again where another process was faster.
   */
  file(
    name: string,
    compose: (conversation: StoredConversation | null) => Incoming | 'unknown' | 'closed',
  ): Promise<'filed' | 'unknown' | 'closed'>;
  /** Files a dead letter's message once more and removes the letter, in one change. */
  replay(id: string): Promise<Filed>;
  /** Removes a dead letter that nobody needs any more; false: there is none of that id. */
  remove(id: string): Promise<boolean>;
};

export function createOperators(options: {
  readonly store: RecordStore;
  readonly encryption: Encryption;
  readonly readState: ReadState;
  readonly runtime?: Runtime | undefined;
  /** Something was filed in a conversation, for whoever has room (`Engine.schedule`). */
  readonly onFiled?: ((conversation: string) => void) | undefined;
  /** The conversation that something was filed in had no record, or none that can be opened. */
  readonly onFault?: ((fault: RecordFault, conversation: string) => void) | undefined;
}): Operators {
  const { store, encryption, readState, runtime = systemRuntime, onFiled, onFault = () => {} } = options;
  const conversations = new VersionedRecords(CONVERSATION, { store, sealer: encryption, runtime, onFault });

  async function operations(): Promise<OpenOperation[]> {
    const found = (await membersOf(store, 'intents')).map(async (member) => {
      const [conversation = '', ...rest] = member.split(':');
      const reference = rest.join(':');
      const { record } = await conversations.read(conversation);
      const call = record?.journal[reference];
      const intent = call === undefined ? null : attempt(() => readIntent(call.body));
      return { reference, conversation, atMs: call?.atMs ?? 0, intent };
    });
    return oldestFirst(await Promise.all(found));
  }

  async function letters(): Promise<OpenLetter[]> {
    const found = (await membersOf(store, 'dead')).map(async (conversation) => {
      const { record } = await conversations.read(conversation);
      return (record?.dead ?? []).map(({ id, body, ...letter }): OpenLetter => {
        return { ...letter, id: `${conversation}.${id}`, conversation, holds: heldIn(body) };
      });
    });
    return oldestFirst((await Promise.all(found)).flat());
  }

  /** Nothing happens between `compose` and the filing. */
  async function fileIn<Refusal extends string>(
    name: string,
    compose: (record: ConversationRecord | null, nowMs: number) => Composed | Refusal,
  ): Promise<FiledIn | Refusal> {
    const nonce = runtime.id();
    const { answer } = await conversations.update<FiledIn | Refusal>(name, (before, nowMs) => {
      const composed = compose(before, nowMs);
      if (typeof composed === 'string') return { record: before, answer: composed };
      const { incoming, letter, uncapped } = composed;
      const filing = { id: incoming.id, nonce, body: written(incoming), schema: VERSION, uncapped };
      const { record, answer } = accept(filing)(before, nowMs);
      if (answer === 'full') return { record: before, answer };
      const left = letter ? takeLetter(letter)(record, nowMs).record : record;
      return { record: left, answer: answer === 'duplicate' ? answer : 'filed' };
    });
    if (answer === 'filed') onFiled?.(name);
    return answer;
  }

  function toStored(record: ConversationRecord, nowMs: number): StoredConversation {
    const { state, inbox, outbox, lease } = record;
    const readable = <T>(bodies: readonly { readonly body: unknown }[], open: (body: unknown) => T): T[] =>
      bodies.map(({ body }) => attempt(() => open(body))).filter((one) => one !== null);
    const stored = state === null ? null : attempt(() => readStored(state, readState));
    return {
      nowMs,
      state: stored?.state ?? null,
      origin: stored?.origin ?? null,
      messages: readable(inbox, readMessage),
      outbox: readable(outbox, readOutboxItem),
      leasedUntilMs: lease !== null && lease.untilMs > nowMs ? lease.untilMs : null,
    };
  }

  return {
    operations,
    letters,
    nameOf: (channel, conversation) => conversationName(encryption, channel, conversation),
    async conversation(name) {
      const { record, nowMs } = await conversations.read(name);
      return record && toStored(record, nowMs);
    },
    async settle(reference, result, locksOf) {
      const operation = (await operations()).find((one) => one.reference === reference);
      if (operation === undefined) return 'unknown';
      const { intent, conversation } = operation;
      if (intent === null) return 'unreadable';
      const { origin, traceparent } = intent;
      const locks = [...(locksOf?.(operation) ?? [])];
      const message = { kind: 'settle' as const, operation: reference, result, locks };
      // Always the same id: whatever is decided once more is a duplicate, and refused.
      const incoming = { ...origin, id: `settle:${reference}`, message, traceparent };
      const filed = await fileIn<never>(conversation, () => ({ incoming, uncapped: true }));
      return filed === 'duplicate' ? 'decided' : filed;
    },
    async file(name, compose) {
      const filed = await fileIn<'unknown' | 'closed'>(name, (record, nowMs) => {
        const incoming = compose(record && toStored(record, nowMs));
        return typeof incoming === 'string' ? incoming : { incoming, uncapped: true };
      });
      return filed === 'duplicate' || filed === 'full' ? 'filed' : filed;
    },
    async replay(id) {
      const [conversation = '', letter = ''] = id.split('.');
      const filed = await fileIn<'unknown' | 'unreadable'>(conversation, (record) => {
        const found = record?.dead.find((one) => one.id === letter);
        if (!found) return 'unknown';
        const holds = heldIn(found.body);
        if (holds === null || holds === 'state') return 'unreadable';
        // The conversation may remember the message's own id. It counts as sent now.
        return { incoming: { ...holds, acceptedMs: undefined, id: `replay:${id}` }, letter };
      });
      return filed === 'duplicate' ? 'filed' : filed;
    },
    async remove(id) {
      const [conversation = '', letter = ''] = id.split('.');
      return (await conversations.update(conversation, takeLetter(letter))).answer !== null;
    },
  };
}

/** `letter`: the dead letter that goes. `uncapped`: filed into a full inbox, too. */
type Composed = { incoming: Incoming; letter?: string; uncapped?: boolean };
type FiledIn = 'filed' | 'duplicate' | 'full';

const heldIn = (body: unknown): OpenLetter['holds'] =>
  attempt(() => (typeof body === 'string' ? 'state' : readMessage(body)));

const oldestFirst = <T extends { readonly atMs: number }>(found: T[]): T[] =>
  found.sort((a, b) => a.atMs - b.atMs);

/** What `open` returns; null where it throws: the shape is not ours. */
function attempt<T>(open: () => T): T | null {
  try {
    return open();
  } catch {
    return null;
  }
}
