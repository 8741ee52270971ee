import { z } from 'zod';

/*
 * What the bot asks of AntCRM, and how that ends. An effect is performed (`engine/perform.ts`); its
 * outcome is the input of the next step. Phones are E.164.
 */

/** A phone (`+84867123456`) or an e-mail. */
export const identifierSchema = z.strictObject({ kind: z.enum(['phone', 'email']), value: z.string() });
export type Identifier = z.infer<typeof identifierSchema>;

/** `proved`: the channel proved that it is the customer's. */
export const provableValueSchema = z.strictObject({
  value: z.string(),
  proved: z.boolean(),
  /** When a one-time code proved it, epoch ms. Absent: it was proved in another way, or not at all. */
  codeMs: z.number().optional(),
});
export type ProvableValue = z.infer<typeof provableValueSchema>;

/** The two lists of AntCRM's history: points earned, gifts redeemed. */
export const historyTypeSchema = z.enum(['point', 'gift']);
export type HistoryType = z.infer<typeof historyTypeSchema>;

/** The calls that change points, and therefore have an operation each. */
export const operationKindSchema = z.enum(['accumulate', 'redeem']);
/** The calls that take points away. Only a button confirms one, never a word. */
export type Spending = 'redeem';

/** How far AntCRM's clock, which its records carry, is ahead of the store's, and the possible error, ms. */
const skewSchema = z.strictObject({ ms: z.number(), errorMs: z.number() });
export type Skew = z.infer<typeof skewSchema>;

/** What tells later whether a call was applied. Stored before the call. */
export const lookupSchema = z.strictObject({
  kind: operationKindSchema,
  /** The identifier that the call carries. The history is read by it. */
  by: identifierSchema,
  /** The accumulation code or the gift's code. */
  code: z.string(),
  /** Start of the history window, epoch ms, by AntCRM's clock if that is known. */
  fromMs: z.number(),
  /** The moment before the call, epoch ms by the store's clock: no record of the call is older. */
  calledMs: z.number().optional(),
  /**
   * Delays of checks count from this moment, epoch ms by the store's clock. A redemption cannot reach AntCRM
   * after it. An accumulation can, if the process paused, but its code works only once.
   */
  deadlineMs: z.number(),
  /** Measured at the call. Absent: not known. */
  skew: skewSchema.optional(),
  /**
   * The latest `Date` of AntCRM's answers about the operation, epoch ms. An older answer comes from a
   * cache.
   */
  dateMs: z.number().optional(),
  /** Ids of the records that existed before the call. */
  baseline: z.array(z.string()),
  /** One for each name of the customer: `customer:<id>`, `phone:…`, `email:…`. */
  locks: z.array(z.string()),
  /**
   * The customer's points before the call, and when they were read (epoch ms by the store's clock); null:
   * AntCRM had no such customer. Absent: AntCRM did not tell them, or they may not be read.
   */
  balance: z
    .strictObject({
      points: z.number().nullable(),
      readMs: z.number(),
      /** What the gift costs: earlier versions wrote it. It decides nothing. */
      price: z.number().optional(),
    })
    .optional(),
});
export type Lookup = z.infer<typeof lookupSchema>;

/** A success without a record yet: the next one of this code belongs to it. */
export const awaitedSchema = lookupSchema.pick({ code: true, calledMs: true, deadlineMs: true, skew: true });
export type AwaitedRecord = z.infer<typeof awaitedSchema>;

export const toAwaitedRecord = ({ code, calledMs, deadlineMs, skew }: Lookup): AwaitedRecord => ({
  code,
  calledMs,
  deadlineMs,
  skew,
});

/** The stored form: always the same text for the same success. */
export const writeAwaitedRecord = (awaited: AwaitedRecord): string =>
  JSON.stringify(awaitedSchema.parse(awaited));

/** Null if this version does not know the shape. */
export function readAwaitedRecord(text: string): AwaitedRecord | null {
  try {
    return awaitedSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** A call or a read that a step wants. */
export type Effect =
  /** Adds the points of `code`. Carries phone and e-mail together only where the linking rule allows. */
  | {
      kind: 'accumulate';
      operation: string;
      code: string;
      phone?: ProvableValue | undefined;
      email?: ProvableValue | undefined;
      name?: string | undefined;
    }
  /**
   * Spends points on `gift`. `by` is proved. `also` goes along only if it is the same customer's at AntCRM.
   * `outdated`: the confirmed price has changed, so only a call of an earlier attempt is looked up.
   */
  | {
      kind: 'redeem';
      operation: string;
      gift: string;
      by: Identifier;
      also?: (Identifier & { proved: boolean }) | undefined;
      outdated?: true | undefined;
    }
  /** Looks up an operation with an unknown outcome; `late`: a day after the customer read "not applied". */
  | { kind: 'check'; operation: string; lookup: Lookup; late?: true | undefined }
  /** Records `[skip, skip + take)` of `[fromMs, toMs)`. */
  | {
      kind: 'history';
      type: HistoryType;
      by: Identifier;
      fromMs?: number | undefined;
      toMs?: number | undefined;
      skip: number;
      take: number;
    }
  /**
   * The customer's points. `exact`: only from AntCRM's record of the customer, and only if that answers soon.
   * Otherwise the sums of the history take the place of a missing record.
   */
  | { kind: 'balance'; by: Identifier; exact?: true | undefined };

/** AntCRM's record of an operation. `score` in points; `what`: the product or gift. */
export const receiptSchema = z.strictObject({
  record: z.string().optional(),
  score: z.number().optional(),
  what: z.string().optional(),
});
export type Receipt = z.infer<typeof receiptSchema>;

/** What must survive a crash between a call and the saving of its outcome. */
export const intentSchema = z.strictObject({ lookup: lookupSchema });
export type Intent = z.infer<typeof intentSchema>;

/** The customer's points right before a call and right after its success. */
const movementSchema = z.strictObject({ before: z.number(), after: z.number() });
export type Movement = z.infer<typeof movementSchema>;

/** `locks`: the locks to release. */
const concluded = { operation: z.string(), locks: z.array(z.string()).optional() };
/** How a call ended. Kept with its intent until the turn is committed. */
export const conclusionSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('applied'),
    ...concluded,
    receipt: receiptSchema.optional(),
    /** The record was not read back. */
    awaited: awaitedSchema.optional(),
    /** Of a proved customer, if it could be read. */
    balance: movementSchema.optional(),
  }),
  /** AntCRM refused, so it was not applied. `points`: the customer's points before the call (redeem). */
  z.strictObject({ kind: z.literal('refused'), ...concluded, points: z.number().optional() }),
  /** Not applied: out of reach, or not safe to call. A redemption without `locks` left no intent. */
  z.strictObject({ kind: z.literal('unavailable'), ...concluded }),
]);

/** How a call ended, or how to look it up. */
export type OperationOutcome =
  | z.infer<typeof conclusionSchema>
  /** Perhaps applied. Never called again; `check` looks it up. */
  | { kind: 'unknown'; operation: string; lookup: Lookup };

/**
 * Whether an operation takes points away. A customer has at most one such operation without an outcome: the
 * next one waits. The bot reads the balance before its summary, and the success reply has its reference.
 */
export function spends(
  operation: { readonly kind: z.infer<typeof operationKindSchema> } | undefined,
): boolean {
  return operation?.kind === ('redeem' satisfies Spending);
}

/** How an operation changes the customer's points. */
export function toPointChange(kind: z.infer<typeof operationKindSchema>, score: number): number {
  return spends({ kind }) ? -score : score;
}

/** A record of the history. `failed`: AntCRM lists failed attempts, too. */
export type HistoryRecord = {
  id?: string | undefined;
  type: HistoryType;
  atMs?: number | undefined;
  score?: number | undefined;
  what?: string | undefined;
  code?: string | undefined;
  failed: boolean;
};

/** How an effect ended. */
export type Outcome =
  | OperationOutcome
  /** AntCRM was out of reach for a read. */
  | { kind: 'unavailable'; operation?: undefined }
  /** Nothing was called: the summary must be shown again. */
  | { kind: 'outdated'; operation: string }
  /** Nothing was called: another redemption of the customer has no outcome yet. */
  | { kind: 'busy'; operation: string }
  /**
   * `unreadable`: the history could not be read completely, so it proves nothing. `undecided`: the records
   * prove nothing, because they may belong to other operations, because a clock is wrong, or because points
   * are missing. `dateMs`: the latest `Date` of AntCRM's answers, for the next look.
   */
  | {
      kind: 'checked';
      operation: string;
      found: 'applied' | 'refused' | 'none' | 'several' | 'undecided' | 'unreadable';
      receipt?: Receipt | undefined;
      dateMs?: number | undefined;
      /** Of a redemption that was applied, if both could be read. */
      balance?: Movement | undefined;
    }
  | { kind: 'history'; records: HistoryRecord[]; more: boolean }
  /** From AntCRM's contact record. `points: null`: AntCRM does not know the customer. */
  | { kind: 'balance'; points: number | null; rank?: string | undefined; rankPoints?: number | undefined }
  /** Without a contact record: the sums of successful records. `partial`: not all pages were read. */
  | { kind: 'sums'; earned: number; spent: number; partial: boolean };

export type OutcomeOf<Kind extends Outcome['kind']> = Extract<Outcome, { kind: Kind }>;
export type HistoryRead = OutcomeOf<'history'>;
