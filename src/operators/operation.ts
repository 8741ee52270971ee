import { z } from 'zod';
import { intentSchema, type Lookup } from '../conversation/effect.ts';
import type { Message } from '../conversation/message.ts';
import { maskCode, maskEmail, maskPhone } from '../conversation/prompts.ts';
import type { Operation } from '../conversation/state.ts';
import type { OpenLetter, OpenOperation, Operators, StoredConversation } from '../engine/operators.ts';
import { toNational } from '../loyalty/wire.ts';

/*
 * What is known of operations without an outcome and of dead letters, from what is stored: nothing is guessed.
 */

const iso = (ms: number): string => new Date(ms).toISOString();

/** What the call was and how to find it; null where the intent cannot be opened or read. */
export function lookupOf({ intent }: OpenOperation): Lookup | null {
  try {
    return intent && intentSchema.parse(intent.body).lookup;
  } catch {
    return null;
  }
}

type Found = { readonly operations: readonly OpenOperation[]; readonly letters: readonly OpenLetter[] };

/** What may be seen without asking for it. */
export function listOf({ operations, letters }: Found, checksMs: readonly number[], nowMs: number) {
  return {
    operations: operations.map((one) => summarize(one, checksMs, nowMs)),
    deadLetters: letters.map(({ id, conversation, atMs, reason, holds }) => {
      const message = holds === 'state' ? null : holds;
      const kind = holds === 'state' ? holds : (message?.message.kind ?? null);
      return { id, reason, holds: kind, at: iso(atMs), channel: message?.channel ?? null, conversation };
    }),
  };
}

/**
 * `kind`, null: it cannot be opened. `waitsFor`: by its own timetable the bot still looks the operation up, or does no
 * more. (It may have given up before: then there was an alarm.)
 */
export function summarize(operation: OpenOperation, checksMs: readonly number[], nowMs: number) {
  const { reference, conversation, atMs, intent } = operation;
  const lookup = lookupOf(operation);
  const checkedUntilMs = (lookup?.deadlineMs ?? atMs) + (checksMs.at(-1) ?? 0);
  return {
    reference,
    kind: lookup?.kind ?? null,
    at: iso(atMs),
    waitsFor: nowMs < checkedUntilMs ? 'bot' : 'staff',
    checkedUntil: iso(checkedUntilMs),
    channel: intent?.origin.channel ?? null,
    conversation,
  };
}

/**
 * What finds the operation in AntCRM's back office. A gift's code is no secret, a product's is worth points. In full, all
 * is as AntCRM has it, to be searched for.
 */
export function describe(
  { kind, by, code, locks, fromMs, calledMs, skew, baseline }: Lookup,
  reveal: boolean,
) {
  const full = by.kind === 'phone' ? toNational(by.value) : by.value;
  const masked = by.kind === 'phone' ? maskPhone(by.value) : maskEmail(by.value);
  return {
    code: reveal || kind === 'redeem' ? code : maskCode(code),
    identifier: { kind: by.kind, value: reveal ? full : masked },
    customerId: locks.map((name) => /^customer:(.*)$/.exec(name)?.[1]).find(Boolean) ?? null,
    /** Ours is a succeeded record created since then, by AntCRM's clock, and none of those that were there before. */
    recordsFrom: iso(skew && calledMs !== undefined ? calledMs + skew.ms - skew.errorMs : fromMs),
    knownRecords: [...baseline],
  };
}

/** `at`, for lookups: when it was due; null: that is not kept. */
export type Event = {
  readonly at: string | null;
  readonly what: 'intent' | 'call' | 'turn' | 'told' | 'lookup' | 'settled';
  readonly says: string;
};
const at = (ms: number, what: Event['what'], says: string): Event => ({ at: iso(ms), what, says });
const once = (what: Event['what'], says: string): Event => ({ at: null, what, says });

/** What is left of an operation once an operator has settled it, for 48 h. `by`, null: nobody was named. */
export const settledSchema = z.object({
  reference: z.string(),
  kind: z.enum(['accumulate', 'redeem']).nullable(),
  conversation: z.string(),
  settled: z.object({
    at: z.iso.datetime(),
    result: z.enum(['done', 'not-applied']),
    by: z.string().nullable(),
  }),
});
export type Settled = z.infer<typeof settledSchema>;

type Sources = {
  readonly operation: OpenOperation;
  readonly lookup: Lookup;
  /** Null: nothing is kept of it any more. */
  readonly conversation: StoredConversation | null;
  readonly letters: readonly OpenLetter[];
  /** Null: no operator has decided, as far as is known. */
  readonly decision: Settled | null;
  /** `OPERATION_CHECKS`. */
  readonly checksMs: readonly number[];
};

/** An operation's life in order. */
export function storyOf(sources: Sources): Event[] {
  const { operation, lookup, conversation, decision } = sources;
  const { reference, atMs } = operation;
  const kept = conversation?.state?.operations.find(({ id }) => id === reference);
  const filed = (conversation?.messages ?? []).flatMap(({ message }) =>
    message.kind === 'settle' && message.operation === reference ? [message.result] : [],
  );
  const by = decision?.settled.by ?? 'An operator';
  // `calledMs` is taken a moment before the intent is stored, and the call follows that.
  const calledMs = Math.max(atMs, lookup.calledMs ?? atMs);
  return [
    at(atMs, 'intent', 'The intent was stored: from here on the call may have been made, once.'),
    at(
      calledMs,
      'call',
      `AntCRM was called, unless the process died before; the deadline was ${iso(lookup.deadlineMs)}.`,
    ),
    ...(kept ? afterwards(kept, sources) : [unsaved(sources)]),
    ...filed.map((result): Event => {
      const says = `${by} decided: ${result}. No bot has taken that up yet.`;
      return { at: decision?.settled.at ?? null, what: 'settled', says };
    }),
  ];
}

/** The turn that called has not committed: nothing of the outcome is known to anybody but that process. */
function unsaved({ operation, conversation, letters }: Sources): Event {
  const letter = letters.find((one) => one.conversation === operation.conversation);
  if (letter) {
    const says = `A turn of this conversation became the dead letter ${letter.id}: settle the operation before anything else.`;
    return at(letter.atMs, 'turn', says);
  }
  const until = conversation?.leasedUntilMs ?? null;
  return until === null
    ? once('turn', 'The outcome was not saved, and no process works on it now: the next turn looks it up.')
    : at(until, 'turn', 'The outcome is not saved yet: a process works on it, and has the lease until then.');
}

function afterwards(kept: Operation, { operation, lookup, conversation, checksMs }: Sources): Event[] {
  const { checks, status } = kept;
  const dueAt = (check: number): number => lookup.deadlineMs + (checksMs[check] ?? checksMs.at(-1) ?? 0);
  const nth = (check: number): string => `${check + 1} of ${Math.max(checks + 1, checksMs.length)}`;
  const waits = conversation?.outbox.some(
    (item) => item.kind === 'reply' && JSON.stringify(item.outgoing.reply).includes(operation.reference),
  );
  const conclusion = CONCLUSIONS[status];
  const goesOn = status === 'checking' || status === 'watching';
  return [
    at(kept.atMs, 'told', 'No answer came: the customer was told that it is being checked.'),
    ...checksMs.slice(0, checks).map((_, n) => {
      const isUnread = kept.unread?.includes(n);
      return at(dueAt(n), 'lookup', `${isUnread ? UNREAD : 'Looked up'} (${nth(n)}).`);
    }),
    ...(conclusion === undefined ? [] : [once('told', conclusion)]),
    ...(waits ? [once('told', 'A reply about it is not delivered yet.')] : []),
    ...(goesOn ? [at(dueAt(checks), 'lookup', `The next lookup (${nth(checks)}).`)] : []),
  ];
}

/** AntCRM was not asked, being out of reach, or gave no answer that decides anything. */
const UNREAD = 'Not looked up: the history could not be read';

/** What the customer has heard since, by how the operation stands; the others are not open. */
const CONCLUSIONS: Readonly<Partial<Record<Operation['status'], string>>> = {
  watching:
    'The customer was told that it was not applied; one more lookup makes sure that no record comes late.',
  escalated: 'The customer was told that staff look into it: it is yours.',
};

/** The customer that is looked for: by the id that they write under on a channel, or by their phone (E.164). */
export type Sought =
  | { readonly channel: string; readonly id: string }
  | { readonly channel?: undefined; readonly phone: string };

/** What operators must know of a channel. */
export type KnownChannel = {
  readonly name: string;
  /** Other ids of the customer of an address. */
  knownAs?(address: unknown): readonly string[];
};

/** Searches open operations and dead letters, and nothing else. `conversation`: the one that was named; null: a phone was. */
export async function find(
  sought: Sought,
  operators: Pick<Operators, 'operations' | 'letters' | 'conversation' | 'nameOf'>,
  channels: readonly KnownChannel[],
): Promise<Found & { readonly conversation: string | null }> {
  const operations = await operators.operations();
  const letters = await operators.letters();
  if (sought.channel === undefined) {
    return { conversation: null, ...(await byPhone(sought.phone, { operations, letters }, operators)) };
  }
  const { channel, id } = sought;
  const conversation = operators.nameOf(channel, id);
  const { knownAs } = channels.find(({ name }) => name === channel) ?? {};
  const isTheirs = (from: { readonly channel: string; readonly address: unknown } | null | undefined) =>
    from?.channel === channel && knownAs?.(from.address).includes(id) === true;
  const theirs = [
    ...operations.filter(({ intent }) => isTheirs(intent?.origin)),
    ...letters.filter(({ holds }) => holds !== 'state' && isTheirs(holds)),
  ];
  const names = new Set([conversation, ...theirs.map((one) => one.conversation)]);
  return {
    conversation,
    operations: operations.filter((one) => names.has(one.conversation)),
    letters: letters.filter((one) => names.has(one.conversation)),
  };
}

/** By what was called, what was written, and what a conversation's state knows. */
async function byPhone(
  phone: string,
  { operations, letters }: Found,
  operators: Pick<Operators, 'conversation'>,
): Promise<Found> {
  const knowing = new Set<string>();
  for (const name of new Set([...operations, ...letters].map(({ conversation }) => conversation))) {
    const { profile, draft } = (await operators.conversation(name))?.state ?? {};
    if ([profile?.phone, draft?.phone].some((known) => known?.value === phone)) knowing.add(name);
  }
  return {
    operations: operations.filter((one) => {
      const by = lookupOf(one)?.by;
      return by?.kind === 'phone' ? by.value === phone : knowing.has(one.conversation);
    }),
    letters: letters.filter(({ holds, conversation }) => {
      const message = holds === 'state' ? undefined : holds?.message;
      return knowing.has(conversation) || (message && names(message, phone));
    }),
  };
}

/** Whether a message has the digits of a phone (E.164) in it, however they are spaced. */
const names = (message: Message, phone: string): boolean =>
  (JSON.stringify(message).match(/\d[\d ().-]*/g) ?? []).some((digits) =>
    digits.replace(/\D/g, '').includes(phone.replace(/^\+(84)?/, '')),
  );
