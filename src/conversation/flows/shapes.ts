import { z } from 'zod';
import { historyTypeSchema, identifierSchema, knownSchema } from '../effect.ts';

/*
 * What each flow keeps in the state: its slots, and the page that it shows, if it shows any. A new flow is a line here
 * and changes no version of stored bodies; a change of one that is stored already does.
 */

/** Half-open `[fromMs, toMs)`, epoch ms; an absent end is open. */
const periodSchema = z.strictObject({ fromMs: z.number().optional(), toMs: z.number().optional() });
export type Period = z.infer<typeof periodSchema>;

/** What is known of the customer; without a flow, too. `email: null`: the customer skipped it. */
const identitySlots = z.strictObject({
  phone: knownSchema.optional(),
  email: knownSchema.nullable().optional(),
});
/** `code` is the accumulation code or the gift's. */
const codeSlots = identitySlots.extend({ code: z.string().optional() });
const historySlots = identitySlots.extend({
  type: historyTypeSchema.optional(),
  period: periodSchema.optional(),
});

export const FLOWS = ['accumulate', 'redeem', 'history', 'points'] as const;
export type Flow = (typeof FLOWS)[number];

/** The slots of each flow; `none`: where no flow runs. */
export const SLOTS_OF = {
  accumulate: codeSlots,
  redeem: codeSlots,
  history: historySlots,
  points: identitySlots,
  none: identitySlots,
} as const satisfies Record<Flow | 'none', z.ZodObject>;

/** A page of the history, starting at record `skip`. */
export const historyPageSchema = z.strictObject({
  type: historyTypeSchema,
  by: identifierSchema,
  period: periodSchema,
  skip: z.number(),
});
export type HistoryPage = z.infer<typeof historyPageSchema>;

/** The slots of all flows, none of which is required: the questions pick what they need. */
export const draftSchema = codeSlots.extend(historySlots.shape);
export type Draft = z.infer<typeof draftSchema>;

export const SLOTS = ['code', 'phone', 'email', 'type', 'period'] as const satisfies readonly (keyof Draft)[];
export type Slot = (typeof SLOTS)[number];

/** The flow's own slots of a draft: an answer may name others. */
export function slotsOf(flow: Flow, draft: Draft): Draft {
  const { shape } = SLOTS_OF[flow];
  return Object.fromEntries(Object.entries(draft).filter(([slot]) => Object.hasOwn(shape, slot)));
}
