import { z } from 'zod';
import { awaitedSchema } from '../conversation/effect.ts';
import { senderSchema } from '../conversation/message.ts';
import {
  type ConversationState,
  type ReadState,
  UnknownFlow,
  type Upgrades,
  upgrade,
  VERSION,
} from '../conversation/state.ts';
import { type Incoming, incomingSchema, outgoingSchema } from './messages.ts';

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
export type Stored = Omit<z.infer<typeof storedSchema>, 'state'> & { readonly state: ConversationState };

const replySchema = z.strictObject({ kind: z.literal('reply'), outgoing: outgoingSchema });
const unlockSchema = z.strictObject({
  kind: z.literal('unlock'),
  /** As the store knows it: a keyed hash. */
  customer: z.string(),
  operation: z.string(),
  record: z.string().optional(),
  awaited: awaitedSchema.optional(),
});
export const outboxItemSchema = z.discriminatedUnion('kind', [replySchema, unlockSchema]);

/** What a commit leaves to be done outside: a reply to send, or a customer's lock to give back. */
export type OutboxItem = z.infer<typeof outboxItemSchema>;

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

export const writeState = (stored: Stored): string => JSON.stringify(written(stored));

/** `unknownFlow`: the conversation was in a flow that this process does not have; the state is without it. */
export function readStored(text: string, read: ReadState): Stored & { readonly unknownFlow?: true } {
  const { body, version } = upgraded(JSON.parse(text), NO_UPGRADES);
  const stored = storedSchema.parse(body);
  try {
    return { ...stored, state: read(stored.state, version) };
  } catch (error) {
    if (!(error instanceof UnknownFlow)) throw error;
    return { ...stored, state: error.ended, unknownFlow: true };
  }
}
