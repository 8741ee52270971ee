import { z } from 'zod';
import { knownSchema, lookupSchema, receiptSchema } from './effect.ts';
import { draftSchema, FLOWS, historyPageSchema, SLOTS, SLOTS_OF } from './flows/shapes.ts';
import { LOCALES } from './message.ts';
import { STATE_UPGRADES, upgrade, VERSION } from './upgrades.ts';

export type { Draft, Flow, Period, Slot } from './flows/shapes.ts';

/** An unfinished flow ends after this silence; computed at the next message. */
export const IDLE_MS = 30 * 60 * 1000;

/**
 * Where the conversation is. The flow is named, and its slots and its page have their own shapes (`flows/shapes.ts`).
 * - `idle`: waits for nothing; `unfinished`: a flow was ended unheard, which is told at the next message.
 * - `asking`: waits for one slot of a flow. `tries` counts invalid answers in a row; `editing`: back to the summary
 *   afterwards; `offer`: a value that the customer may take over by pressing `use` (what is remembered, a mapped old
 *   number, a corrected typo), never taken unasked.
 * - `confirming`: the summary is shown; only a press that carries `operation` goes on.
 * - `browsing`: a page is shown.
 * - `consenting`: asks whether phone and e-mail may be remembered.
 */
function stepOf<
  Flow extends z.ZodType,
  Slot extends z.ZodType,
  Confirmed extends z.ZodType,
  Browsed extends z.ZodType,
  Page extends z.ZodType,
>(of: { flow: Flow; slot: Slot; confirmed: Confirmed; browsed: Browsed; page: Page }) {
  return z.discriminatedUnion('at', [
    z.strictObject({ at: z.literal('idle'), unfinished: z.literal(true).optional() }),
    z.strictObject({
      at: z.literal('asking'),
      flow: of.flow,
      slot: of.slot,
      tries: z.number(),
      editing: z.literal(true).optional(),
      offer: z
        .strictObject({
          why: z.enum(['known', 'mapped', 'leadingZero', 'typo']),
          value: z.string(),
          /** What the customer wrote (`typo` only): pressing `keep` takes it as it is. */
          typed: z.string().optional(),
        })
        .optional(),
    }),
    z.strictObject({ at: z.literal('confirming'), flow: of.confirmed, operation: z.string() }),
    z.strictObject({ at: z.literal('browsing'), flow: of.browsed, page: of.page }),
    z.strictObject({ at: z.literal('consenting') }),
  ]);
}

/**
 * An operation (a confirmed accumulate or redeem) and how it stands. The id is also the customer's reference.
 * - `checking`: the outcome is unknown, lookups go on.
 * - `watching`: "not applied" was told; one last lookup makes sure that no record comes late.
 * - `escalated`: only staff can tell.
 * `lookup` is kept while it may be needed; `checks` counts the lookups done. Of the receipt stays what a later answer
 * tells.
 */
const operationSchema = z.strictObject({
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
function stateOf<Step extends z.ZodType, Draft extends z.ZodType>(step: Step, draft: Draft) {
  return z.strictObject({
    locale: z.enum(LOCALES).optional(),
    clientLocale: z.enum(LOCALES).optional(),
    lastMessageMs: z.number(),
    step,
    /** The slots gathered so far. */
    draft,
    /** The live question's id; presses on any other do nothing. */
    view: z.string().optional(),
    profile: z.strictObject({ phone: knownSchema.optional(), email: knownSchema.optional() }),
    consent: z
      .strictObject({ given: z.boolean(), version: z.number(), atMs: z.number(), channel: z.string() })
      .optional(),
    /** How often the question whether to remember was left without an answer. */
    consentUnanswered: z.number().optional(),
    operations: z.array(operationSchema),
    /** Accumulation codes refused in a row, and when the last one was. */
    guesses: z.strictObject({ refused: z.number(), atMs: z.number() }).optional(),
  });
}

const stepSchema = stepOf({
  flow: z.enum(FLOWS),
  slot: z.enum(SLOTS),
  confirmed: z.enum(['accumulate', 'redeem']),
  browsed: z.literal('history'),
  page: historyPageSchema,
});
export type Step = z.infer<typeof stepSchema>;

/** The state as this process knows it: its flows, their slots and pages. */
export const stateSchema = stateOf(stepSchema, draftSchema);
export type ConversationState = z.infer<typeof stateSchema>;

/** The state as every process of this version knows it, whatever flows it has: what the version stands for. */
const name = z.string();
const content = z.record(name, z.unknown());
export const anyStateSchema = stateOf(
  stepOf({ flow: name, slot: name, confirmed: name, browsed: name, page: content }),
  content,
);

/** As `stateSchema`, but for the draft, which is read by the shape of its flow. */
const undraftedSchema = stateOf(stepSchema, content);

/** The state of a conversation nobody has heard of. */
export function newState(nowMs: number): ConversationState {
  return { lastMessageMs: nowMs, step: { at: 'idle' }, draft: {}, profile: {}, operations: [] };
}

/** The conversation is in a flow that this process does not have. `ended` is the state without that flow. */
export class UnknownFlow extends Error {
  override readonly name = 'UnknownFlow';
  readonly ended: ConversationState;

  constructor(flow: string, ended: ConversationState) {
    super(`the flow ${flow} is unknown`);
    this.ended = ended;
  }
}

/**
 * Reads a state that `version` stored. Throws `UnknownFlow`, `NewerVersion`, or another error if it has not the shape
 * that its version says.
 */
export function readState(stored: unknown, version = VERSION): ConversationState {
  const current = upgrade(stored, version, STATE_UPGRADES);
  const read = undraftedSchema.safeParse(current);
  if (!read.success) throw unknownFlow(current) ?? read.error;
  const flow = 'flow' in read.data.step ? read.data.step.flow : 'none';
  return { ...read.data, draft: SLOTS_OF[flow].parse(read.data.draft) };
}

/** Why a state could not be read, if that is its flow. */
function unknownFlow(stored: unknown): UnknownFlow | undefined {
  const read = anyStateSchema.safeParse(stored);
  if (!read.success || !('flow' in read.data.step)) return undefined;
  const { flow } = read.data.step;
  if (FLOWS.some((known) => known === flow)) return undefined;
  const { view: _, ...kept } = read.data;
  return new UnknownFlow(flow, { ...kept, step: { at: 'idle', unfinished: true }, draft: {} });
}
