import { z } from 'zod';

/**
 * What the bot can ask of AntCRM, and how it ends. Pure data: `step` returns an effect, whoever performs it
 * (`loyalty/loyalty.ts`) answers with an outcome, which goes back into `step`.
 *
 * Phones are E.164 (`+84867123456`) everywhere inside; the adapter writes AntCRM's national form.
 */
export const identifierSchema = z.strictObject({ kind: z.enum(['phone', 'email']), value: z.string() });
export type Identifier = z.infer<typeof identifierSchema>;

/** An identifier of the customer, and whether the channel proved that it is theirs. */
export const knownSchema = z.strictObject({ value: z.string(), proved: z.boolean() });
export type Known = z.infer<typeof knownSchema>;

/** The two lists of AntCRM's history: points earned, gifts redeemed. */
export const historyTypeSchema = z.enum(['point', 'gift']);
export type HistoryType = z.infer<typeof historyTypeSchema>;

/** The calls that change points, and therefore have an operation each. */
export const operationKindSchema = z.enum(['accumulate', 'redeem']);
/** Those that take points away: no word confirms one, only its button. */
export type Spending = 'redeem';

/**
 * How far AntCRM's clock is ahead of the store's, and by how much that may be wrong, ms. AntCRM's records carry AntCRM's
 * times.
 */
const skewSchema = z.strictObject({ ms: z.number(), errorMs: z.number() });
export type Skew = z.infer<typeof skewSchema>;

/**
 * What is needed to find out later whether a call was applied. Stored before the call is made (the intent) and kept
 * with the operation until its outcome is known.
 */
export const lookupSchema = z.strictObject({
  kind: operationKindSchema,
  /** The identifier that the call carries: history is read by it. */
  by: identifierSchema,
  /** The accumulation code or the gift's code. */
  code: z.string(),
  /** Start of the history window, epoch ms by AntCRM's clock as far as that is known. */
  fromMs: z.number(),
  /** When the call was about to be made, epoch ms by the store's clock: no record of it is older. */
  calledMs: z.number().optional(),
  /**
   * Checks are counted from this moment, epoch ms by the store's clock. A redemption cannot reach AntCRM after it; an
   * accumulation might, where the process paused, and its code is good once all the same.
   */
  deadlineMs: z.number(),
  /** As measured when the call was made, for another process may look it up; absent where it was not known. */
  skew: skewSchema.optional(),
  /** Ids of the records that were there before the call. */
  baseline: z.array(z.string()),
  /** What is locked for it (redeem only): every name that AntCRM has for the customer, `customer:<id>`, `phone:…`, `email:…`. */
  locks: z.array(z.string()),
});
export type Lookup = z.infer<typeof lookupSchema>;

/** A success whose record was not read back: one record of this code is still to come, and belongs to it. */
export const awaitedSchema = lookupSchema.pick({ code: true, calledMs: true, deadlineMs: true, skew: true });
export type Awaited = z.infer<typeof awaitedSchema>;

export const awaitedOf = ({ code, calledMs, deadlineMs, skew }: Lookup): Awaited => ({
  code,
  calledMs,
  deadlineMs,
  skew,
});

/** As stores keep it: always the same text for the same success. */
export const writeAwaited = (awaited: Awaited): string => JSON.stringify(awaitedSchema.parse(awaited));

/** Null where it is not of the shape that this version knows. */
export function readAwaited(text: string): Awaited | null {
  try {
    return awaitedSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

export type Effect =
  /** Adds the points of `code`. Carries phone and e-mail together only where the linking rule allows. */
  | {
      kind: 'accumulate';
      operation: string;
      code: string;
      phone?: Known | undefined;
      email?: Known | undefined;
      name?: string | undefined;
    }
  /**
   * Spends points on `gift`. `by` is proved; `also` is sent along only if proved or on the same record at AntCRM. `outdated`:
   * what was confirmed is no more what would be spent, so only what an earlier attempt may have called is looked up.
   */
  | {
      kind: 'redeem';
      operation: string;
      gift: string;
      by: Identifier;
      also?: (Identifier & { proved: boolean }) | undefined;
      outdated?: true | undefined;
    }
  /** Looks up an operation whose outcome is unknown; `balance`: what its customer has then is theirs to know. */
  | { kind: 'check'; operation: string; lookup: Lookup; balance?: true | undefined }
  /** Records `[skip, skip + take)` of the period `[fromMs, toMs)`; `take` divides 20. `sum`: what all of them add up to, too. */
  | {
      kind: 'history';
      type: HistoryType;
      by: Identifier;
      fromMs?: number | undefined;
      toMs?: number | undefined;
      skip: number;
      take: number;
      sum?: true | undefined;
    }
  /**
   * The customer's points. `exact`: only what AntCRM's record of the customer says, and only where that comes soon: what is
   * nice to know keeps nobody waiting. Else, where there is no such record, the sums of the history.
   */
  | { kind: 'balance'; by: Identifier; exact?: true | undefined };

/** What AntCRM's record of an operation says; every part may be missing. `score` in points, `what` = product or gift. */
export const receiptSchema = z.strictObject({
  record: z.string().optional(),
  score: z.number().optional(),
  what: z.string().optional(),
});
export type Receipt = z.infer<typeof receiptSchema>;

/** The intent: what must survive a crash between a call and the saving of its outcome. */
export const intentSchema = z.strictObject({ lookup: lookupSchema });
export type Intent = z.infer<typeof intentSchema>;

/** The customer's points as AntCRM's record had them right before a call and right after its success. */
const movementSchema = z.strictObject({ before: z.number(), after: z.number() });
export type Movement = z.infer<typeof movementSchema>;

/** `locks`: what is to be given back. */
const concluded = { operation: z.string(), locks: z.array(z.string()).optional() };
/** How a call ended that was about to be made: kept beside its intent until its turn is committed. */
export const conclusionSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('applied'),
    ...concluded,
    receipt: receiptSchema.optional(),
    /** The record was not read back, and is still to come. */
    awaited: awaitedSchema.optional(),
    /** Of a proved customer, where it could be read. */
    balance: movementSchema.optional(),
  }),
  /** Surely not applied, by AntCRM's own decision; with what the customer had right before the call (redeem). */
  z.strictObject({ kind: z.literal('refused'), ...concluded, points: z.number().optional() }),
  /** Surely not applied: AntCRM could not be reached, or we did not dare to call. A redemption without `locks` left no intent. */
  z.strictObject({ kind: z.literal('unavailable'), ...concluded }),
]);

/** What is known of a call that was perhaps made: how it ended, or what to look up. */
export type KnownCall =
  | z.infer<typeof conclusionSchema>
  /** Perhaps applied. Never called again; looked up by `check`. */
  | { kind: 'unknown'; operation: string; lookup: Lookup };

/**
 * What spends is one at a time for a customer: the next waits for the outcome of the last. The balance is read before anything
 * is asked, once it is known whose, and the good news tells the operation's reference.
 */
export function spends(
  operation: { readonly kind: z.infer<typeof operationKindSchema> } | undefined,
): boolean {
  return operation?.kind === ('redeem' satisfies Spending);
}

/** By how much an operation changes the customer's points. */
export function change(kind: z.infer<typeof operationKindSchema>, score: number): number {
  return spends({ kind }) ? -score : score;
}

/** One record of the history, as shown. `failed`: AntCRM lists failed attempts too. */
export type HistoryRecord = {
  id?: string | undefined;
  type: HistoryType;
  atMs?: number | undefined;
  score?: number | undefined;
  what?: string | undefined;
  code?: string | undefined;
  failed: boolean;
};

export type Outcome =
  | KnownCall
  /** AntCRM could not be reached to read. */
  | { kind: 'unavailable'; operation?: undefined }
  /** Nothing was called: what was confirmed is to be shown anew. */
  | { kind: 'outdated'; operation: string }
  /** Another redemption of the same customer has no outcome yet; nothing was called. */
  | { kind: 'busy'; operation: string }
  /**
   * `unreadable`: history could not be read completely, so nothing follows from it. `undecided`: nor does anything from
   * what it says, because of records that might be anybody's, or of a clock that cannot be trusted. And what the
   * customer has by AntCRM's record, where that was asked for and could be read; it may lag behind what was found.
   */
  | {
      kind: 'checked';
      operation: string;
      found: 'applied' | 'refused' | 'none' | 'several' | 'undecided' | 'unreadable';
      receipt?: Receipt | undefined;
      points?: number | undefined;
    }
  /** `sum`: of the period's records, failed ones aside in `score`, as far as asked for and read; `partial` if there are more. */
  | {
      kind: 'history';
      records: HistoryRecord[];
      more: boolean;
      sum?: { score: number; count: number; partial: boolean } | undefined;
    }
  /** From AntCRM's contact record; `points: null` where it knows no such customer. */
  | { kind: 'balance'; points: number | null; rank?: string | undefined; rankPoints?: number | undefined }
  /** Where no contact record is to be had: sums of the succeeded records; `partial` if not all pages were read. */
  | { kind: 'sums'; earned: number; spent: number; partial: boolean };

export type OutcomeOf<Kind extends Outcome['kind']> = Extract<Outcome, { kind: Kind }>;
export type HistoryRead = OutcomeOf<'history'>;

/**
 * What the store remembers of a customer's earlier operations: the AntCRM records that settled them, and for each
 * success whose record was not seen yet what `readAwaited` makes an `Awaited` of.
 */
export type EarlierOperations = { readonly settled: readonly string[]; readonly awaited: readonly string[] };

/**
 * What whoever performs an effect may use of the turn that it works for: the store, bound to one lease. Bodies are sealed
 * and customers hashed on the way. Every method may reject where the store does not confirm; nothing was called then that
 * the store does not know of.
 *
 * @example
 * const locked = await context.lock('customer:475', operation);
 * if (!locked.locked) return { kind: 'busy', operation };
 * if ((await context.intend(operation, { lookup })) === 'go') await redeem();
 */
export interface EffectContext {
  /** Set-if-absent, idempotent by operation; for `forMs`, or as long as a lock lives. Tells what other operations left. */
  lock(
    customer: string,
    operation: string,
    forMs?: number,
  ): Promise<({ readonly locked: true } & EarlierOperations) | { readonly locked: false }>;

  /** Gives the lock back if the operation has it; remembers the record that settled it, or what tells one still to come. */
  unlock(customer: string, operation: string, record?: string, awaited?: string): Promise<void>;

  /**
   * Writes down that the call is about to be made. Only `go` permits it. `unreplicated`: not safe enough; nothing was called,
   * and the intent goes with the operation. Throws `LeaseLost` where the turn is another process's by now.
   */
  intend(operation: string, intent: Intent): Promise<'go' | 'unreplicated'>;

  /** What an earlier attempt of this operation came to, null if there was none: then it is never called again. */
  known(operation: string): KnownCall | null;

  /** Asks the store whether the lease is still held: a process that was suspended cannot know. */
  isHeld(): Promise<boolean>;

  /** What time it is by the store's clock, epoch ms: hosts' clocks may differ, and deadlines outlive a process. */
  nowMs(): number;

  /** Aborted when the lease is lost: begin nothing more, whatever comes out is void. */
  readonly signal: AbortSignal;

  /** The process is stopping: begin no call. */
  stopping(): boolean;
}

/**
 * Performs an effect. How AntCRM answers is an outcome. Throws `LeaseLost`, `TurnInterrupted`, or what the context rejects
 * with; whatever else is thrown ends the turn: it is repeated where an intent was written, else the message becomes a
 * dead letter.
 */
export type Perform = (effect: Effect, context: EffectContext) => Promise<Outcome>;

/** Somebody else may work on the conversation: whatever was computed is void, without an error. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** The process is stopping and nothing was called: the turn is given back unprocessed. */
export class TurnInterrupted extends Error {
  override readonly name = 'TurnInterrupted';
}
