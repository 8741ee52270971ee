import { z } from 'zod';
import { localizedSchema } from './message.ts';

/*
 * What the bot keeps of redeemed gifts for the counter (`counter/`): the customer shows a code, staff hand
 * the gift over once.
 */

/** `checking`: AntCRM has not confirmed the redemption yet. */
export const giftStatusSchema = z.enum(['checking', 'notApplied', 'confirmed']);
export type GiftStatus = z.infer<typeof giftStatusSchema>;

/** A redemption, as the counter keeps it. `atMs`: when it was confirmed, epoch ms. `gift`: its code. */
export const redemptionSchema = z.strictObject({
  status: giftStatusSchema,
  /** The operation's id, which is also the customer's reference. */
  reference: z.string(),
  atMs: z.number(),
  gift: z.string().optional(),
  what: localizedSchema(z.string()).optional(),
  /** Points that it cost. */
  score: z.number().optional(),
});

/**
 * What a turn tells the counter. `redeemed`: the redemption has this status now; `whose` is the masked phone
 * or e-mail, only in the first note. `forget`: whose it was is erased. Notes may come twice.
 */
export const giftNoteSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('redeemed'),
    redemption: redemptionSchema,
    whose: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('forget'), reference: z.string() }),
]);
export type GiftNote = z.infer<typeof giftNoteSchema>;

/** The operation that a note is about. */
export const referenceOf = (note: GiftNote): string =>
  note.kind === 'forget' ? note.reference : note.redemption.reference;
