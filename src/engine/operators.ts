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

/** An operation without an outcome, as its intent tells. `intent` is null where it cannot be read. */
export type OpenOperation = {
  readonly reference: string;
  readonly conversation: string;
  /** When the call was about to be made, by the store's clock. */
  readonly atMs: number;
  readonly intent: IntentBody | null;
};

/** `holds`: the message that never became a turn, or that it is a state; null where it cannot be read. */
export type OpenLetter = {
  readonly id: string;
  readonly conversation: string;
  readonly atMs: number;
  readonly reason: string;
  readonly holds: Incoming | 'state' | null;
};

/** What is kept of a conversation. What cannot be read is left out; `state` is null then, too. */
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

/** What became of something filed in a conversation; everything but `filed` left all as it was. */
export type Filed =
  | 'filed'
  /** There is no operation or letter of that name (any more). */
  | 'unknown'
  /** It cannot be read, so nobody knows where to file the decision. Also: a letter that holds no message. */
  | 'unreadable'
  /** A decision on this operation was filed before (as long as its conversation remembers); that one counts. */
  | 'decided'
  /** Too many messages wait in the conversation to replay one more. */
  | 'full';

/** What operators can do with a store, beside the engines that work on it. All reject with `StoreUnavailable`. */
export type Operators = {
  /** Operations whose outcome is not known, oldest first; calls being made right now are among them. */
  operations(): Promise<OpenOperation[]>;
  /** Dead letters, oldest first. */
  letters(): Promise<OpenLetter[]>;
  /** What is kept of a conversation now; null: nothing. */
  conversation(name: string): Promise<StoredConversation | null>;
  /** How a channel's conversation is called in stores and logs. */
  nameOf(channel: string, conversation: string): string;
  /**
   * Files the decision in the operation's conversation: whichever process works on it saves the outcome and tells the
   * customer. The first decision counts: a further one is refused, and an operation that has an outcome keeps it.
   * `locksOf` says what the intent has locked: it is given back even if the conversation never learned the outcome.
   */
  settle(
    reference: string,
    result: 'done' | 'not-applied',
    locksOf?: (operation: OpenOperation) => readonly string[],
  ): Promise<Filed>;
  /** Files what staff wrote, however many messages wait; it answers none, so its time is not taken. */
  file(name: string, incoming: Incoming): Promise<void>;
  /** Files a dead letter's message once more and removes the letter. */
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

  async function recordOf(name: string): Promise<ConversationRecord | null> {
    return (await conversations.read(name)).record;
  }

  async function operations(): Promise<OpenOperation[]> {
    const found = (await membersOf(store, 'intents')).map(async (member) => {
      const [conversation = '', ...rest] = member.split(':');
      const reference = rest.join(':');
      const call = (await recordOf(conversation))?.journal[reference];
      const intent = call === undefined ? null : attempt(() => readIntent(call.body));
      return { reference, conversation, atMs: call?.atMs ?? 0, intent };
    });
    return oldestFirst(await Promise.all(found));
  }

  async function letters(): Promise<OpenLetter[]> {
    const found = (await membersOf(store, 'dead')).map(async (conversation) => {
      const { dead = [] } = (await recordOf(conversation)) ?? {};
      return dead.map(({ id, atMs, reason, body }): OpenLetter => {
        const holds = attempt(() => (typeof body === 'string' ? 'state' : readMessage(body)));
        return { id: `${conversation}.${id}`, conversation, atMs, reason, holds };
      });
    });
    return oldestFirst((await Promise.all(found)).flat());
  }

  async function file(name: string, incoming: Incoming, uncapped: boolean) {
    const filing = {
      id: incoming.id,
      nonce: runtime.id(),
      body: written(incoming),
      schema: VERSION,
      uncapped,
    };
    const { answer } = await conversations.update(name, accept(filing));
    if (answer === 'queued') onFiled?.(name);
    return answer;
  }

  async function remove(id: string): Promise<boolean> {
    const [conversation = '', letter = ''] = id.split('.');
    return (await conversations.update(conversation, takeLetter(letter))).answer !== null;
  }

  return {
    operations,
    letters,
    nameOf: (channel, conversation) => conversationName(encryption, channel, conversation),
    async conversation(name) {
      const { record, nowMs } = await conversations.read(name);
      if (record === null) return null;
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
    },
    async settle(reference, result, locksOf) {
      const operation = (await operations()).find((one) => one.reference === reference);
      if (operation === undefined) return 'unknown';
      if (operation.intent === null) return 'unreadable';
      const locks = [...(locksOf?.(operation) ?? [])];
      const message = { kind: 'settle' as const, operation: reference, result, locks };
      // Always the same id: whatever is decided once more is a duplicate, and refused.
      const id = `settle:${reference}`;
      const { origin, traceparent } = operation.intent;
      const filed = await file(operation.conversation, { ...origin, id, message, traceparent }, true);
      return filed === 'duplicate' ? 'decided' : 'filed';
    },
    file: async (name, incoming) => void (await file(name, incoming, true)),
    async replay(id) {
      const letter = (await letters()).find((one) => one.id === id);
      if (letter === undefined) return 'unknown';
      const { holds, conversation } = letter;
      if (holds === null || holds === 'state') return 'unreadable';
      // Filed first: the other way round a crash in between would lose it. Under the letter's id: whoever replays it once
      // more files a duplicate, while the conversation may remember the message's own. It counts as sent now: what it was an
      // answer to may have ended long ago.
      const replayed = { ...holds, acceptedMs: undefined, id: `replay:${id}` };
      if ((await file(conversation, replayed, false)) === 'full') return 'full';
      await remove(id);
      return 'filed';
    },
    remove,
  };
}

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
