import { z } from 'zod';
import { awaitedSchema } from '../conversation/effect.ts';
import { LOCALES, messageSchema, type Sender, senderSchema } from '../conversation/message.ts';
import { replySchema } from '../conversation/reply.ts';
import {
  type ReadState,
  type State,
  stateSchema,
  UnknownFlow,
  type Upgrades,
  upgrade,
  VERSION,
} from '../conversation/state.ts';

/*
 * What channels hand in and what goes out through them, as it is stored.
 */

/** Opened, it comes from `JSON.parse`: it can be nothing else, so it is not searched through (`z.json()` costs as much as all the rest). */
const json = z.custom<z.core.util.JSONType>();

/**
 * A message as a channel hands it in; sealed into the mailbox as it is, so that any process can go on with it.
 *
 * - `conversation`: the channel's own name of it (a chat id). Names nobody outside this process sees: it is hashed.
 * - `id`: the platform's id of the message, for de-duplication.
 * - `address`: where replies go, as the channel needs it; kept with the state for replies that come later.
 * - `press`: which message's button was pressed, as the channel needs it to edit that message and end its spinner.
 * - `acceptedMs`, `traceparent`: when it was accepted, by the accepting machine's clock (epoch ms), and its trace in the form
 *   of W3C Trace Context, where there is one; `accept` adds both.
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

/** How a conversation of a channel is called in stores and logs. */
export function conversationName(
  seal: { name(kind: 'conversation', value: string): string },
  channel: string,
  conversation: string,
): string {
  return seal.name('conversation', `${channel}\0${conversation}`);
}

/**
 * One reply on its way out, as kept in the outbox. `turn` names the message it answers (absent: nobody asked, the bot
 * speaks of itself); `first` and `last` mark the turn's first and last reply, `state` is what staff may see of where the
 * conversation is, `asked` what it was asking before this turn (as `state.asks`): Telegram takes its contact keyboard
 * away when a phone is not asked any more. `forget`: the customer asked to be forgotten, so the channel drops
 * what it keeps of the conversation before it sends this. `acceptedMs` and `traceparent` are those of the message.
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

/** A reply on its way to its channel. A `trace` joins the last one of a turn that somebody looks into; it is never stored. */
export type Outgoing = z.infer<typeof outgoingSchema> & { readonly trace?: Trace | undefined };

/**
 * How one delivery ended. What the engine does then stands in docs/how-it-works.md, "What a platform's answer means"; the kind
 * is also the metric's label.
 * - `delivered`: the platform has it (also: an edit that changes nothing).
 * - `throttled`: not now; never before `afterMs` have passed, where the platform says so.
 * - `undelivered`: surely not delivered (no connection, a closed client).
 * - `uncertain`: perhaps delivered (a time-out, a connection cut, a fault of the platform's own): there are no idempotency keys.
 * - `unauthorized`: the platform refuses our token or our bot; the operator's fault.
 * - `unreachable`: the customer blocked the bot, or the conversation is gone; final.
 * - `rejected`: refused for another reason; the same reply will be refused again.
 */
export type Delivery =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'undelivered' | 'unauthorized' | 'unreachable' | 'rejected' }
  | { readonly kind: 'throttled' | 'uncertain'; readonly afterMs?: number };

/**
 * The part of a channel that turns use: where replies go, and who writes.
 *
 * @example
 * const afterMs = (await platform.pace?.(outgoing)) ?? 0;
 * if (afterMs > 0) return putOff(afterMs);
 * const delivery = await platform.deliver(outgoing, seq);
 */
export interface Platform {
  /** Sends one reply; `seq` is its number in the conversation. Never throws: every failure is a case of `Delivery`. */
  deliver(outgoing: Outgoing, seq: number): Promise<Delivery>;
  /** Gets quiet replies, too (`Reply.quiet`): somebody there waits for the end of a turn. */
  readonly hearsQuiet?: true;
  /**
   * Waits for the moment at which the platform takes one more message. Resolves to 0 then: `deliver` it now. Or to how
   * long the reply has to be put off (ms): a wait of more than a moment must not hold a turn's slot. Never throws. Absent:
   * the platform takes whatever comes.
   */
  pace?(outgoing: Outgoing): number | Promise<number>;
  /** Shows that the bot is at work, for a call that takes longer than a second. Best effort, never throws. */
  working?(incoming: Pick<Incoming, 'address' | 'conversation' | 'press'>): Promise<void>;
  /** An operation begins: its intent is stored, and the points are moved for this message next. Never throws. */
  begins?(incoming: Pick<Incoming, 'conversation' | 'id'>, operation: string): void;
  /**
   * Completes a sender where the platform has to be asked who somebody is, which is too slow to do before `accept`.
   * Called at the start of a message's turn; answers within two seconds and never throws.
   */
  identify?(incoming: Pick<Incoming, 'sender' | 'address' | 'conversation'>): Promise<Sender>;
  /** The same where the platform need not be asked, because it told a while ago; undefined: it has to be. */
  known?(incoming: Pick<Incoming, 'sender' | 'address' | 'conversation'>): Sender | undefined;
  /**
   * Fetches a picture that a customer sent: `at` is what the channel put into the message. From the platform's exact hosts,
   * without following a redirect, and no more than `MAX_PHOTO_BYTES` of it. One try, within five seconds; never throws.
   * Absent: no message of the channel has a picture to fetch.
   */
  fetchPhoto?(place: Pick<Incoming, 'address' | 'conversation'>, at: unknown): Promise<FetchedPhoto>;
}

/**
 * How a fetch ended. `large`: over `MAX_PHOTO_BYTES`. `unavailable`: no answer, or one that may be another next time.
 * `refused`: the platform does not have it, or what it names is not a place of the platform's.
 */
export type FetchedPhoto =
  | { readonly kind: 'fetched'; readonly bytes: Uint8Array }
  | { readonly kind: 'large' | 'unavailable' | 'refused' };

/**
 * A command that a turn waited for on its way to the reply. `take` is the one that brought the message: accept, claim or
 * release.
 */
const tripSchema = z.enum(['take', 'intend', 'lock', 'unlock', 'commit']);
export type Trip = z.infer<typeof tripSchema>;

/** An attempt to call AntCRM; `body` is what was sent, `reason` what AntCRM, or the connection, said against it. */
const callSchema = z.object({
  method: z.enum(['GET', 'POST']),
  path: z.string(),
  body: z.unknown().optional(),
  /** The HTTP status; absent where no answer came. */
  status: z.int().optional(),
  reason: z.string().optional(),
  /** What it means to us (`CallOutcome`, or `ok` and the reasons of a `Read`). */
  outcome: z.string(),
  ms: z.number(),
});
export type TracedCall = z.infer<typeof callSchema>;

/**
 * One turn, seen from inside: for people who test the bot, so its shape may change with the code. Full of personal
 * data, so it is made only for the channels that ask for it (`trace.ts`), and never stored with the conversation.
 */
export const traceSchema = z.object({
  /** Null: a wake-up, nobody wrote. */
  message: messageSchema.nullable(),
  sender: senderSchema.optional(),
  /** What the customer's text was taken for where the conversation was, and why (`Conversation.explain`). */
  understood: z.record(z.string(), z.string()).optional(),
  before: stateSchema,
  after: stateSchema,
  calls: z.array(callSchema),
  /** Round trips to the store before the reply left, in order. */
  trips: z.array(tripSchema),
  /** From reading the message to the commit. */
  ms: z.number(),
});
export type Trace = z.infer<typeof traceSchema>;

/*
 * What a record keeps, beside its envelope. Each body says its version, is upgraded step by step to this one, and is read
 * strictly then; `test/bodies/` has some of each version.
 */

/** Who wrote last and where replies go: what a turn needs that no message caused. Neither name nor e-mail is kept. */
const originSchema = incomingSchema
  .pick({ channel: true, conversation: true, address: true })
  .extend({ sender: senderSchema.omit({ name: true, email: true }) });
export type Origin = z.infer<typeof originSchema>;

export function originOf({ channel, conversation, address, sender }: Incoming): Origin {
  const { proof, locale } = sender;
  return { channel, conversation, address, sender: { channel: sender.channel, proof, locale } };
}

/**
 * The state as it is kept. `traceparent` is the trace of the turn that asked for the wake-up; `asks` is what the live
 * question asks for; `floodedMs`, when the customer was last told that messages were dropped. `origin` is null as long as no
 * message could be read.
 */
export const storedSchema = z.strictObject({
  /** Of the same version as this, and upgraded by the conversation itself. */
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
  /** As the store knows it: a keyed hash. */
  customer: z.string(),
  operation: z.string(),
  record: z.string().optional(),
  awaited: awaitedSchema.optional(),
});
export const outboxItemSchema = z.discriminatedUnion('kind', [replyItemSchema, unlockSchema]);

/** What a commit leaves to be done outside: a reply to send, or a customer's lock to give back. */
export type OutboxItem =
  | { readonly kind: 'reply'; readonly outgoing: Outgoing }
  | z.infer<typeof unlockSchema>;

/**
 * `origin` tells operators where to file a settlement, `traceparent` to which trace it belongs; `body` is what is known
 * of the call, in the shape of whoever makes it.
 */
export const intentSchema = z.strictObject({
  origin: originSchema,
  traceparent: z.string().optional(),
  body: z.unknown(),
});
export type IntentBody = z.infer<typeof intentSchema>;

/** What this kind of body changed from version to version, if anything. */
const NO_UPGRADES: Upgrades = {};

const versionSchema = z.int().min(1);
const isBody = (stored: unknown): stored is { readonly v?: unknown } =>
  typeof stored === 'object' && stored !== null;

/** A body as it is kept: `{ …, v }`. */
export const written = (body: object): object => ({ ...body, v: VERSION });

/** A stored body, as this version would have written it, and the version that did. Throws `NewerVersion`. */
function upgraded(stored: unknown, upgrades: Upgrades): { body: unknown; version: number } {
  if (!isBody(stored)) throw new TypeError('a stored body is an object');
  const { v, ...body } = stored;
  const version = v === VERSION ? VERSION : versionSchema.parse(v);
  return { body: upgrade(body, version, upgrades), version };
}

export const readMessage = (stored: unknown): Incoming =>
  incomingSchema.parse(upgraded(stored, NO_UPGRADES).body);

export const readOutboxItem = (stored: unknown): OutboxItem =>
  outboxItemSchema.parse(upgraded(stored, NO_UPGRADES).body);

export const readIntent = (stored: unknown): IntentBody =>
  intentSchema.parse(upgraded(stored, NO_UPGRADES).body);

export const writeState = (stored: StoredState): string => JSON.stringify(written(stored));

/** `unknownFlow`: the conversation was in a flow that this process does not have; the state is without it. */
export function readStored(text: string, read: ReadState): StoredState & { readonly unknownFlow?: true } {
  const { body, version } = upgraded(JSON.parse(text), NO_UPGRADES);
  const stored = storedSchema.parse(body);
  try {
    return { ...stored, state: read(stored.state, version) };
  } catch (error) {
    if (!(error instanceof UnknownFlow)) throw error;
    return { ...stored, state: error.ended, unknownFlow: true };
  }
}
