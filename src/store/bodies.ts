import { z } from 'zod';
import { awaitedSchema } from '../conversation/effect.ts';
import { senderSchema } from '../conversation/message.ts';
import type { ConversationState } from '../conversation/state.ts';
import { incomingSchema, outgoingSchema } from './messages.ts';

/*
 * What is sealed into the store, beside the message (`messages.ts`), each with its version (`versions.ts`); `test/bodies/` has some of each.
 */

/** Who wrote last and where replies go: what a turn needs that no message caused. Neither name nor e-mail is kept. */
const originSchema = incomingSchema
  .pick({ channel: true, conversation: true, address: true })
  .extend({ sender: senderSchema.omit({ name: true, email: true }) });
export type Origin = z.infer<typeof originSchema>;

/**
 * The state as the store keeps it. `wakeAtMs` repeats what the store was told, for turns that leave all as it was;
 * `traceparent` is the trace of the turn that asked for that wake-up; `asks` is what the live question asks for;
 * `floodedMs`, when the customer was last told that messages were dropped. `origin` is null as long as no message could
 * be read.
 */
export const storedSchema = z.strictObject({
  /** Of the same version as this, and upgraded by the conversation itself. */
  state: z.unknown(),
  origin: originSchema.nullable(),
  wakeAtMs: z.number().nullable(),
  traceparent: z.string().optional(),
  asks: z.string().optional(),
  floodedMs: z.number().optional(),
});
export type Stored = Omit<z.infer<typeof storedSchema>, 'state'> & { state: ConversationState };

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
