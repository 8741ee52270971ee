import { z } from 'zod';
import { historyTypeSchema, identifierSchema, knownSchema, lookupSchema, receiptSchema } from './effect.ts';
import { LOCALES } from './message.ts';

/**
 * The number of the newest state shape this code can read. Raise it with every change of shape, and add the upgrade
 * to `readState`. It is stored beside the sealed state, so that older processes leave newer states alone.
 * 2: the shape of 1, stored in shorthand (`turns/shorthand.ts`).
 */
export const STATE_SCHEMA = 2;

/** An unfinished flow ends after this silence; computed at the next message. */
export const IDLE_MS = 30 * 60 * 1000;

export const FLOWS = ['accumulate', 'redeem', 'history', 'points'] as const;
export type Flow = (typeof FLOWS)[number];

/** What a flow can ask for. `code` is the accumulation code or the gift's, `type` and `period` belong to the history. */
const SLOTS = ['code', 'phone', 'email', 'type', 'period'] as const;
export type Slot = (typeof SLOTS)[number];

/** Half-open `[fromMs, toMs)`, epoch ms; an absent end is open. */
const periodSchema = z.object({ fromMs: z.number().optional(), toMs: z.number().optional() });
export type Period = z.infer<typeof periodSchema>;

/**
 * Where the conversation is.
 * - `asking`: waits for one slot of a flow. `tries` counts invalid answers in a row; `editing`: back to the summary
 *   afterwards; `offer`: a value that the customer may take over by pressing `use` (what is remembered, a mapped old
 *   number, a corrected typo), never taken unasked.
 * - `confirming`: the summary is shown; only a press that carries `operation` goes on.
 * - `browsing`: a history page is shown, starting at record `skip`.
 * - `consenting`: asks whether phone and e-mail may be remembered.
 */
const stepSchema = z.discriminatedUnion('at', [
  z.object({ at: z.literal('idle') }),
  z.object({
    at: z.literal('asking'),
    flow: z.enum(FLOWS),
    slot: z.enum(SLOTS),
    tries: z.number(),
    editing: z.literal(true).optional(),
    offer: z
      .object({
        why: z.enum(['known', 'mapped', 'leadingZero', 'typo']),
        value: z.string(),
        /** What the customer wrote (`typo` only): pressing `keep` takes it as it is. */
        typed: z.string().optional(),
      })
      .optional(),
  }),
  z.object({ at: z.literal('confirming'), flow: z.enum(['accumulate', 'redeem']), operation: z.string() }),
  z.object({
    at: z.literal('browsing'),
    type: historyTypeSchema,
    by: identifierSchema,
    period: periodSchema,
    skip: z.number(),
  }),
  z.object({ at: z.literal('consenting') }),
]);
export type Step = z.infer<typeof stepSchema>;

/** The slots gathered so far. `email: null`: the customer skipped it. */
const draftSchema = z.object({
  code: z.string().optional(),
  phone: knownSchema.optional(),
  email: knownSchema.nullable().optional(),
  type: historyTypeSchema.optional(),
  period: periodSchema.optional(),
});
export type Draft = z.infer<typeof draftSchema>;

/**
 * An operation (a confirmed accumulate or redeem) and how it stands. The id is also the customer's reference.
 * - `checking`: the outcome is unknown, lookups go on.
 * - `watching`: "not applied" was told; one last lookup makes sure that no record comes late.
 * - `escalated`: only staff can tell.
 * `lookup` is kept while it may be needed; `checks` counts the lookups done. Of the receipt stays what a later answer
 * tells.
 */
const operationSchema = z.object({
  id: z.string(),
  kind: z.enum(['accumulate', 'redeem']),
  status: z.enum(['checking', 'watching', 'done', 'refused', 'notApplied', 'escalated']),
  atMs: z.number(),
  checks: z.number(),
  lookup: lookupSchema.optional(),
  receipt: receiptSchema.omit({ record: true }).optional(),
  /** The gift's code (redeem only). */
  gift: z.string().optional(),
});
export type Operation = z.infer<typeof operationSchema>;

/** Operations whose outcome may still change. */
export function isOpen(operation: Operation): boolean {
  return (
    operation.status === 'checking' || operation.status === 'watching' || operation.status === 'escalated'
  );
}

/**
 * All that is kept of a conversation between two messages (sealed). `draft` ends with its flow; `profile` outlives it
 * only after consent. `clientLocale` is the client's language as last seen, `locale` the customer's own choice.
 */
export const stateSchema = z.object({
  locale: z.enum(LOCALES).optional(),
  clientLocale: z.enum(LOCALES).optional(),
  lastMessageMs: z.number(),
  step: stepSchema,
  draft: draftSchema,
  /** The live question's id; presses on any other do nothing. */
  view: z.string().optional(),
  profile: z.object({ phone: knownSchema.optional(), email: knownSchema.optional() }),
  consent: z
    .object({ given: z.boolean(), version: z.number(), atMs: z.number(), channel: z.string() })
    .optional(),
  /** How often the question whether to remember was left without an answer. */
  unheeded: z.number().optional(),
  operations: z.array(operationSchema),
  /** Accumulation codes refused in a row, and when the last one was. */
  guesses: z.object({ refused: z.number(), atMs: z.number() }).optional(),
});
export type ConversationState = z.infer<typeof stateSchema>;

/** The state of a conversation nobody has heard of. */
export function newState(nowMs: number): ConversationState {
  return { lastMessageMs: nowMs, step: { at: 'idle' }, draft: {}, profile: {}, operations: [] };
}

/** Reads a stored state of any version up to `STATE_SCHEMA`; throws if it has not the shape that its version says. */
export function readState(stored: unknown): ConversationState {
  return stateSchema.parse(stored);
}
