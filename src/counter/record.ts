import { z } from 'zod';
import { type GiftNote, type GiftStatus, redemptionSchema } from '../conversation/gift-note.ts';
import type { RecordKind, Transition } from '../records/versioned-records.ts';

/*
 * The counter's record of one redemption, as pure changes. Notes of turns may come twice and in any order:
 * the record is the same afterwards.
 */

/** Records are kept for this time after their last change. */
const GIFT_MS = 180 * 24 * 60 * 60 * 1000;

const giftSchema = z.looseObject({
  /** Absent: nothing but `forget` came. */
  redemption: redemptionSchema.optional(),
  /** The customer's masked phone or e-mail; null: erased by /forget. */
  whose: z.string().nullable().optional(),
  handedOver: z.looseObject({ by: z.string(), atMs: z.number() }).optional(),
});
export type GiftRecord = Readonly<z.infer<typeof giftSchema>>;

export const GIFT: RecordKind<GiftRecord> = {
  kind: 'g',
  ttlMs: GIFT_MS,
  write: (record) => Buffer.from(JSON.stringify(record)),
  read: (plain) => giftSchema.parse(JSON.parse(plain.toString())),
};

/** A later status replaces an earlier one. AntCRM's record proves more than its absence. */
const RANKS: Readonly<Record<GiftStatus, number>> = { checking: 0, notApplied: 1, confirmed: 2 };

/** Takes a note of a turn. */
export function takeNote(note: GiftNote): Transition<GiftRecord, void> {
  return (before) => {
    const record = before ?? {};
    if (note.kind === 'forget') {
      if (record.whose === null) return { record: before, answer: undefined };
      return { record: { ...record, whose: null }, answer: undefined };
    }
    const { redemption: known } = record;
    const isNewer = known === undefined || RANKS[known.status] < RANKS[note.redemption.status];
    const redemption = isNewer ? { ...known, ...note.redemption } : known;
    const whose = record.whose === undefined ? note.whose : record.whose;
    if (!isNewer && whose === record.whose) return { record: before, answer: undefined };
    return { record: { ...record, redemption, whose }, answer: undefined };
  };
}

/** `before`: it was handed over earlier. `notConfirmed`: AntCRM has not confirmed it. */
export type HandOver = 'handedOver' | 'before' | 'notConfirmed' | 'unknown';

/** Hands the gift over once. Later calls change nothing; the record says who handed it over. */
export function handOver(by: string): Transition<GiftRecord, HandOver> {
  return (before, nowMs) => {
    if (before?.redemption === undefined) return { record: before, answer: 'unknown' };
    if (before.handedOver !== undefined) return { record: before, answer: 'before' };
    if (before.redemption.status !== 'confirmed') return { record: before, answer: 'notConfirmed' };
    return { record: { ...before, handedOver: { by, atMs: nowMs } }, answer: 'handedOver' };
  };
}
