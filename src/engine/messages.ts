import type { Readable } from 'node:stream';
import { z } from 'zod';
import { awaitedSchema, type Intent, intentSchema as knownCallSchema } from '../conversation/effect.ts';
import { giftNoteSchema } from '../conversation/gift-note.ts';
import { LOCALES, messageSchema, type Sender, senderSchema } from '../conversation/message.ts';
import { replySchema } from '../conversation/reply.ts';
import {
  type ReadState,
  type State,
  type StateRead,
  stateSchema,
  type Upgrades,
  upgrade,
  VERSION,
} from '../conversation/state.ts';
import type { Encryption } from '../store/port.ts';
import { beforeReleaseSchema } from './before-release.ts';

/** Not checked, because it comes from `JSON.parse`: `z.json()` costs as much as all other checks. */
const json = z.custom<z.core.util.JSONType>();

/**
 * A message as a channel hands it in. It is stored as it is, so that any process can go on with it.
 *
 * - `conversation`: the channel's own name of it (a chat id). It is hashed before it leaves this process.
 * - `id`: the platform's id of the message. It detects a message that arrives twice.
 * - `address`: where replies go, as the channel needs it. It is kept with the state for later replies.
 * - `press`: whose button was pressed, as the channel needs it.
 * - `acceptedMs`: when it was accepted, by the accepting machine's clock (epoch ms). `accept` adds it.
 * - `traceparent`: its trace (W3C Trace Context). `accept` adds it.
 */
export const incomingSchema = z.strictObject({
  channel: z.string(),
  conversation: z.string(),
  id: z.string(),
  message: messageSchema,
  sender: senderSchema,
  address: json,
  press: json.optional(),
  acceptedMs: z.number().optional(),
  traceparent: z.string().optional(),
});
export type Incoming = z.infer<typeof incomingSchema>;

/** The name of a channel's conversation in stores and logs: a keyed hash. */
export const conversationName = (
  encryption: Pick<Encryption, 'name'>,
  channel: string,
  conversation: string,
): string => encryption.name('conversation', `${channel}\0${conversation}`);

/**
 * One reply, as kept in the outbox. `acceptedMs` and `traceparent` are those of the message.
 *
 * - `turn`: the id of the message that it answers. Absent: the bot speaks unasked.
 * - `first`, `last`: whether it is the turn's first and last reply.
 * - `state`: the part of the conversation's state that staff may see.
 * - `asked`: what the conversation asked for before this turn (as `state.asks`).
 * - `forget`: the channel first drops what it keeps of the conversation.
 */
export const outgoingSchema = z.strictObject({
  ...incomingSchema.omit({ id: true, message: true, sender: true }).shape,
  locale: z.enum(LOCALES),
  reply: replySchema,
  turn: z.string().optional(),
  first: z.boolean(),
  last: z.boolean(),
  state: z.strictObject({
    flow: z.string().optional(),
    asks: z.string().optional(),
    person: z.literal(true).optional(),
  }),
  asked: z.string().optional(),
  atMs: z.number(),
  forget: z.literal(true).optional(),
});

/**
 * A reply on its way to its channel. If the turn is looked into, its last reply has the `trace`; `content`:
 * the bytes of `reply.file`.
 */
export type Outgoing = z.infer<typeof outgoingSchema> & {
  readonly trace?: Trace | undefined;
  readonly content?: Buffer | undefined;
};

/**
 * How one delivery ended. What follows is in docs/how-it-works.md, "What a platform's answer means". The
 * kind is also the metric's label.
 *
 * - `delivered`: the platform has it. Also an edit that changes nothing.
 * - `throttled`: not now, and not before `afterMs` have passed if the platform says so.
 * - `undelivered`: surely not delivered (no connection, a closed client).
 * - `uncertain`: perhaps delivered (a time-out, a cut connection, a fault of the platform's own).
 * - `unauthorized`: the platform refuses our token or our bot; the operator's fault.
 * - `unreachable`: the customer `blocked` the bot, or the conversation is gone; final.
 * - `rejected`: refused for another reason; the same reply will be refused again.
 */
export type Delivery =
  | { readonly kind: 'delivered' | 'undelivered' | 'unauthorized' | 'rejected' }
  | { readonly kind: 'unreachable'; readonly blocked?: true }
  | { readonly kind: 'throttled' | 'uncertain'; readonly afterMs?: number };

/**
 * Why a reply was dropped.
 * - `blocked`: the customer blocked the bot. `unreachable`: the conversation is gone.
 * - `refused`: the platform does not take it. `late`: it was tried for too long; perhaps it was delivered.
 */
export const FAILURES = ['blocked', 'refused', 'unreachable', 'late'] as const;
export type Failure = (typeof FAILURES)[number];

/** The part of a channel that turns use: where replies go, and who writes. */
export interface Platform {
  /** Sends one reply; `seq` is its number in the conversation. Never throws. */
  deliver(outgoing: Outgoing, seq: number): Promise<Delivery>;
  /** What staff can send (`Reply.file`). Absent: text alone. */
  readonly takes?: readonly ('picture' | 'file')[];
  /** The channel gets quiet replies, too (`Reply.quiet`). */
  readonly hearsQuiet?: true;
  /** How long the reply must wait, ms; 0: `deliver` it now. Never throws. Absent: always 0. */
  pace?(outgoing: Outgoing): number;
  /** Shows that the bot is at work. Best effort, never throws. */
  working?(incoming: Pick<Incoming, 'address' | 'conversation' | 'press'>): Promise<void>;
  /** The intent of an operation is stored, and the call for this message follows. Never throws. */
  begins?(incoming: Pick<Incoming, 'conversation' | 'id'>, operation: string): void;
  /** Asks the platform who wrote, at the start of a turn. Answers within two seconds and never throws. */
  identify?(incoming: Pick<Incoming, 'sender' | 'address' | 'conversation'>): Promise<Sender>;
  /** The sender from memory; undefined: call `identify`. */
  recallSender?(incoming: Pick<Incoming, 'sender' | 'address' | 'conversation'>): Sender | undefined;
  /**
   * Begins to fetch what a customer sent, for staff to look at or for the bot to read a picture's codes; `at`
   * is what the channel put into the message. Asks only the platform's exact hosts and follows no redirect.
   * One try; never throws.
   */
  fetchMedia?(
    place: Pick<Incoming, 'address' | 'conversation'>,
    at: unknown,
    bounds: MediaBounds,
  ): Promise<FetchedMedia>;
}

/** The largest file that staff can send, bytes. */
export const MAX_FILE_BYTES = 5 * 1024 * 1024;

/** The largest file of a customer that staff can look at, bytes; also Telegram's limit for bots. */
export const MAX_MEDIA_BYTES = 20 * 1024 * 1024;

/** `timeoutMs`: how long the head of the answer, and then each part of it, may take. */
export type MediaBounds = { readonly maxBytes: number; readonly timeoutMs: number };

/** When staff look. */
export const MEDIA_BOUNDS: MediaBounds = { maxBytes: MAX_MEDIA_BYTES, timeoutMs: 10_000 };

/**
 * How a fetch of media ended. `content` is read as it comes, and must be read or destroyed.
 *
 * - `large`: over `maxBytes`. `unavailable`: no answer, or one that may change.
 * - `gone`: the platform does not have it any more, or names a host that is not allowed.
 */
export type FetchedMedia =
  | { readonly kind: 'fetched'; readonly content: Readable }
  | { readonly kind: 'large' | 'unavailable' | 'gone' };

/** What a turn waited for before its reply. `take`: its message. */
const tripSchema = z.enum(['take', 'intend', 'lock', 'unlock', 'commit']);
export type Trip = z.infer<typeof tripSchema>;

/** An attempt to call AntCRM. `reason`: how AntCRM or the connection refused it. */
const callTraceSchema = z.object({
  method: z.enum(['GET', 'POST']),
  path: z.string(),
  body: z.unknown().optional(),
  /** The HTTP status; absent if no answer came. */
  status: z.int().optional(),
  reason: z.string().optional(),
  /** What it means to us (`CallOutcome`, or `ok` and the reasons of a `Read`). */
  outcome: z.string(),
  ms: z.number(),
});
export type CallTrace = z.infer<typeof callTraceSchema>;

/** One turn, seen from inside, for testers. It is full of personal data, and is not stored. */
export const traceSchema = z.object({
  /** Null: a wake-up. */
  message: messageSchema.nullable(),
  sender: senderSchema.optional(),
  /** How the customer's text was understood, and why (`Conversation.explain`). */
  understood: z.record(z.string(), z.string()).optional(),
  before: stateSchema,
  after: stateSchema,
  calls: z.array(callTraceSchema),
  /** Round trips to the store before the reply left, in order. */
  trips: z.array(tripSchema),
  /** From reading the message to the commit. */
  ms: z.number(),
});
export type Trace = z.infer<typeof traceSchema>;

/*
 * The bodies in a record. Each has its version, is upgraded to the present one, and is then read strictly.
 */

/** Who wrote last and where replies go. Neither name nor e-mail is kept. */
const originSchema = incomingSchema
  .pick({ channel: true, conversation: true, address: true })
  .extend({ sender: senderSchema.omit({ name: true, email: true }) });
export type Origin = z.infer<typeof originSchema>;

/**
 * The state as it is kept. `traceparent`: the trace of the turn that asked for the wake-up. `asks`: what
 * the live question asks for. `floodedMs`: when the customer was last told that messages were dropped.
 * `origin` is null until a message could be read.
 */
export const storedSchema = z.strictObject({
  /** Of the same version. The conversation upgrades it. */
  state: z.unknown(),
  origin: originSchema.nullable(),
  traceparent: z.string().optional(),
  asks: z.string().optional(),
  floodedMs: z.number().optional(),
});
export type StoredState = Omit<z.infer<typeof storedSchema>, 'state'> & { readonly state: State };

const replyItemSchema = z.strictObject({ kind: z.literal('reply'), outgoing: outgoingSchema });
const unlockSchema = z.strictObject({
  kind: z.literal('unlock'),
  /** The store's name of the customer: a keyed hash. */
  customer: z.string(),
  operation: z.string(),
  record: z.string().optional(),
  awaited: awaitedSchema.optional(),
});
const giftSchema = z.strictObject({ kind: z.literal('gift'), note: giftNoteSchema });
export const outboxItemSchema = z.discriminatedUnion('kind', [replyItemSchema, unlockSchema, giftSchema]);

/** What a commit leaves to be done outside: a reply to send, a customer to unlock, a note for the counter. */
export type OutboxItem =
  | { readonly kind: 'reply'; readonly outgoing: Outgoing }
  | z.infer<typeof unlockSchema>
  | z.infer<typeof giftSchema>;

/** `origin` tells where to file a settlement, `traceparent` to which trace it belongs. */
export const intentSchema = z.strictObject({
  origin: originSchema,
  traceparent: z.string().optional(),
  body: z.unknown(),
});
export type IntentBody = z.infer<typeof intentSchema> & { readonly body: Intent };

/** How these bodies changed from version to version: not yet. */
const NO_UPGRADES: Upgrades = {};

const bodySchema = z.union([z.looseObject({ version: z.int().min(1) }), beforeReleaseSchema]);

/** A body as it is stored. */
export const withVersion = <Body extends object>(body: Body): Body & { readonly version: number } => ({
  ...body,
  version: VERSION,
});

/** A stored body, upgraded to the present version, and the version that wrote it. Throws `NewerVersion`. */
function readBody(stored: unknown, upgrades: Upgrades): { body: unknown; version: number } {
  const { version, ...body } = bodySchema.parse(stored);
  return { body: upgrade(body, version, upgrades), version };
}

export const readMessage = (stored: unknown): Incoming =>
  incomingSchema.parse(readBody(stored, NO_UPGRADES).body);

export const readOutboxItem = (stored: unknown): OutboxItem =>
  outboxItemSchema.parse(readBody(stored, NO_UPGRADES).body);

export function readIntent(stored: unknown): IntentBody {
  const intent = intentSchema.parse(readBody(stored, NO_UPGRADES).body);
  return { ...intent, body: knownCallSchema.parse(intent.body) };
}

/** What `read` returns; null: it throws, because the shape is not ours. */
export function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

export function readStored(text: string, read: ReadState): StoredState & StateRead {
  const { body, version } = readBody(JSON.parse(text), NO_UPGRADES);
  const stored = storedSchema.parse(body);
  return { ...stored, ...read(stored.state, version) };
}
