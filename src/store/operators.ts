import { randomUUID } from 'node:crypto';
import type { ConversationState, ReadState } from '../conversation/state.ts';
import type { IntentBody, OutboxItem } from './bodies.ts';
import type { DeadLetter, DeadLetters } from './dead-letters.ts';
import type { Inspection } from './inspection.ts';
import type { Journal, StoredIntent } from './journal.ts';
import type { Mailbox } from './mailbox.ts';
import { conversationName, type Incoming } from './messages.ts';
import type { Seal } from './seal.ts';
import { createSealing } from './sealing.ts';

/** An operation without an outcome, as its intent tells. `intent` is null where it cannot be opened. */
export type OpenOperation = {
  readonly reference: string;
  readonly conversation: string;
  /** When the call was about to be made, by the store's clock. */
  readonly atMs: number;
  readonly intent: IntentBody | null;
};

/** `holds`: the message that never became a turn, or that it is a state; null where it cannot be opened. */
export type OpenLetter = Pick<DeadLetter, 'id' | 'conversation' | 'atMs' | 'reason'> & {
  readonly holds: Incoming | 'state' | null;
};

/** What is kept of a conversation. What cannot be opened is left out; `state` is null then, too. */
export type Conversation = {
  readonly state: ConversationState | null;
  /** Accepted and not yet answered, oldest first. */
  readonly messages: readonly Incoming[];
  /** Left by a commit and not yet delivered or done, oldest first. */
  readonly outbox: readonly OutboxItem[];
  readonly leasedUntilMs: number | null;
};

/** What became of something filed in a conversation; everything but `filed` left all as it was. */
export type Filed =
  | 'filed'
  /** There is no operation or letter of that name (any more). */
  | 'unknown'
  /** It cannot be opened, so nobody knows where to file the decision. Also: a letter that holds no message. */
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
  conversation(name: string): Promise<Conversation | null>;
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
  /** Files a dead letter's message once more and removes the letter. */
  replay(id: string): Promise<Filed>;
  /** Removes a dead letter that nobody needs any more; false: there is none of that id. */
  remove(id: string): Promise<boolean>;
};

export function createOperators(options: {
  store: Pick<Mailbox, 'accept'> & Pick<Journal, 'intents'> & DeadLetters & Inspection;
  seal: Seal;
  readState: ReadState;
}): Operators {
  const { store, seal, readState } = options;
  const sealing = createSealing(seal, readState);

  function openIntent({ conversation, operation, atMs, body }: StoredIntent): OpenOperation {
    const intent = attempt(() => sealing.intent.open(conversation, body));
    return { reference: operation, conversation, atMs, intent };
  }

  function openLetter({ body, ...letter }: DeadLetter): OpenLetter {
    const { conversation } = letter;
    const message = attempt(() => sealing.message.open(conversation, body));
    const state = message ?? attempt(() => sealing.state.open(conversation, body));
    return { ...letter, holds: message ?? (state && 'state') };
  }

  async function file(
    conversation: string,
    incoming: Incoming,
    uncapped = false,
  ): Promise<'filed' | 'duplicate' | 'full'> {
    const { id } = incoming;
    const body = sealing.message.seal(conversation, incoming);
    const nonce = randomUUID();
    const { kind } = await store.accept({ conversation, id, body, nonce, take: false, uncapped });
    return kind === 'duplicate' || kind === 'full' ? kind : 'filed';
  }

  async function operations(): Promise<OpenOperation[]> {
    return oldestFirst((await Array.fromAsync(store.intents())).map(openIntent));
  }

  async function letters(): Promise<OpenLetter[]> {
    return oldestFirst((await Array.fromAsync(store.deadLetters())).map(openLetter));
  }

  return {
    operations,
    letters,
    nameOf: (channel, conversation) => conversationName(seal, channel, conversation),
    async conversation(name) {
      const kept = await store.peek(name);
      if (kept === null) return null;
      const { state, leasedUntilMs } = kept;
      const readable = <T>(bodies: readonly Buffer[], open: (name: string, body: Buffer) => T): T[] =>
        bodies.map((body) => attempt(() => open(name, body))).filter((one) => one !== null);
      return {
        state: state && attempt(() => sealing.state.open(name, state).state),
        messages: readable(kept.messages, sealing.message.open),
        outbox: readable(kept.outbox, sealing.outbox.open),
        leasedUntilMs,
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
      return filed === 'duplicate' ? 'decided' : filed;
    },
    async replay(id) {
      const letter = (await letters()).find((one) => one.id === id);
      if (letter === undefined) return 'unknown';
      const { holds, conversation } = letter;
      if (holds === null || holds === 'state') return 'unreadable';
      // Filed first: the other way round a crash in between would lose it. Under the letter's id: whoever replays it once
      // more files a duplicate, while the conversation may remember the message's own. It counts as sent now: what it was an
      // answer to may have ended long ago.
      const replayed = { ...holds, acceptedMs: undefined, id: `replay:${id}` };
      const filed = await file(conversation, replayed);
      if (filed === 'full') return filed;
      await store.takeDeadLetter(id);
      return 'filed';
    },
    remove: async (id) => (await store.takeDeadLetter(id)) !== null,
  };
}

const oldestFirst = <T extends { readonly atMs: number }>(found: T[]): T[] =>
  found.sort((a, b) => a.atMs - b.atMs);

/** What `open` returns; null where it throws: a key is missing, or the shape is not ours. */
function attempt<T>(open: () => T): T | null {
  try {
    return open();
  } catch {
    return null;
  }
}
