import { z } from 'zod';
import { awaitedSchema } from '../conversation/effect.ts';
import { senderSchema } from '../conversation/message.ts';
import type { ConversationState } from '../conversation/state.ts';
import { type Incoming, incomingSchema, outgoingSchema } from './delivery.ts';
import type { Seal } from './sealed.ts';
import { lengthen, shorten } from './shorthand.ts';

/** Who wrote last and where replies go: what a turn that nobody asked for needs. Neither name nor e-mail is kept. */
const originSchema = incomingSchema
  .pick({ channel: true, conversation: true, address: true })
  .extend({ sender: senderSchema.omit({ name: true, email: true }) });
export type Origin = z.infer<typeof originSchema>;

/**
 * The state as the store keeps it. `wakeAtMs` repeats what the store was told, for turns that leave all as it was;
 * `asks` is what the live question asks for; `floodedMs`, when the customer was last told that messages were dropped. `origin` is null as long as no message could be read.
 */
const storedSchema = z.object({
  state: z.unknown(),
  origin: originSchema.nullable(),
  wakeAtMs: z.number().nullable(),
  asks: z.string().optional(),
  floodedMs: z.number().optional(),
});
export type Stored = Omit<z.infer<typeof storedSchema>, 'state'> & { state: ConversationState };

/** What a commit leaves to be done outside: a reply to send, or a customer's hold to give back. */
const errandSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('reply'), outgoing: outgoingSchema }),
  z.object({
    kind: z.literal('letGo'),
    /** As the mailbox knows it: a keyed hash. */
    customer: z.string(),
    operation: z.string(),
    record: z.string().optional(),
    awaited: awaitedSchema.optional(),
  }),
]);
export type Errand = z.infer<typeof errandSchema>;

/** `origin` tells operators where to file a settlement. */
const intentSchema = z.object({ origin: originSchema, body: z.string() });

/** Characters; a customer with several operations comes to it. */
const LARGE_STATE = 1000;

/** How a conversation is called in stores and logs. */
export function conversationName(seal: Seal, channel: string, conversation: string): string {
  return seal.name('conversation', `${channel}\0${conversation}`);
}

export function originOf({ channel, conversation, address, sender }: Incoming): Origin {
  const { proof, locale } = sender;
  return { channel, conversation, address, sender: { channel: sender.channel, proof, locale } };
}

export type Envelopes = ReturnType<typeof createEnvelopes>;

/**
 * The kinds of things that a mailbox keeps, sealed and opened. Blobs are bound to their kind and conversation. Opening
 * throws `SealBroken`, or another error where what is inside has not the shape it should have.
 */
export function createEnvelopes(seal: Seal, readState: (stored: unknown) => ConversationState) {
  const closeText = (kind: string, conversation: string, text: string): Buffer =>
    seal.seal(`${kind}:${conversation}`, text);
  const openText = (kind: string, conversation: string, sealed: Buffer): string =>
    seal.open(`${kind}:${conversation}`, sealed);
  const close = (kind: string, conversation: string, value: unknown): Buffer =>
    closeText(kind, conversation, JSON.stringify(value));
  const open = (kind: string, conversation: string, sealed: Buffer): unknown =>
    JSON.parse(openText(kind, conversation, sealed));

  return {
    message: {
      seal: (conversation: string, incoming: Incoming) => close('message', conversation, incoming),
      open: (conversation: string, sealed: Buffer): Incoming =>
        incomingSchema.parse(open('message', conversation, sealed)),
    },
    state: {
      seal(conversation: string, stored: Stored): Buffer {
        const json = JSON.stringify(stored);
        // One that asks to be woken is replaced soon: most of those are not worth the time.
        const passing = stored.wakeAtMs !== null && json.length < LARGE_STATE;
        return closeText('state', conversation, passing ? json : shorten(json));
      },
      open(conversation: string, sealed: Buffer): Stored {
        const json = lengthen(openText('state', conversation, sealed));
        const stored = storedSchema.parse(JSON.parse(json));
        return { ...stored, state: readState(stored.state) };
      },
    },
    errand: {
      seal: (conversation: string, errand: Errand) => close('errand', conversation, errand),
      open: (conversation: string, sealed: Buffer): Errand =>
        errandSchema.parse(open('errand', conversation, sealed)),
    },
    intent: {
      seal: (conversation: string, origin: Origin, body: string) =>
        close('intent', conversation, { origin, body }),
      open: (conversation: string, sealed: Buffer) =>
        intentSchema.parse(open('intent', conversation, sealed)),
    },
  };
}
