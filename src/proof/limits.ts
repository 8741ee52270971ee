import { z } from 'zod';
import type { KnownFields } from '../engine/record.ts';
import type { RecordKind, Transition } from '../records/versioned-records.ts';

/*
 * The limits of one-time codes, as pure changes of two kinds of records: one for each number, one for each
 * conversation that asks. They are in the store, so they hold over all processes. `/forget` leaves them: a
 * record has keyed hashes, times and counts only, and expires by itself.
 */

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export const CODE_MS = 5 * MINUTE_MS;
/** Tries of one code, and wrong tries of one number and one conversation in a day. */
export const TRIES = 3;
const NUMBER_TRIES = 12;
const ASKER_TRIES = 6;
/** Codes that one number gets. */
const SHORT_MS = 10 * MINUTE_MS;
const SHORT_SENDS = 3;
const DAY_SENDS = 6;
/** Numbers that one conversation asks codes for in a day, and codes of it that the gateway may refuse. */
const ASKER_NUMBERS = 3;
const ASKER_REFUSALS = 5;

/** `tried`: the last message that tried the code, and whether it was right. `left`: tries. */
const sentCodeSchema = z.looseObject({
  id: z.string(),
  mac: z.string(),
  untilMs: z.number(),
  left: z.number(),
  tried: z.looseObject({ by: z.string(), isRight: z.boolean() }).optional(),
});
/** `replaced`: the code before it, which counts again if this one cannot be sent. */
const codeSchema = sentCodeSchema.extend({ replaced: sentCodeSchema.optional() });

const numberSchema = z.looseObject({
  /** Codes that were sent, oldest first; `by`: the conversation that asked. */
  sends: z.array(z.looseObject({ id: z.string(), by: z.string(), atMs: z.number() })).default([]),
  /** When wrong tries were made, oldest first. */
  wrong: z.array(z.number()).default([]),
  /** The code of each conversation: a new one ends the one before it. */
  codes: z.record(z.string(), codeSchema).default({}),
  /** When each conversation first proved the number. */
  proved: z.record(z.string(), z.number()).default({}),
});
export type NumberRecord = KnownFields<z.infer<typeof numberSchema>>;

const askerSchema = z.looseObject({
  numbers: z.record(z.string(), z.number()).default({}),
  wrong: z.array(z.looseObject({ id: z.string(), atMs: z.number() })).default([]),
  /** Messages whose code the gateway refused to send. */
  refused: z.array(z.looseObject({ id: z.string(), atMs: z.number() })).default([]),
});
export type AskerRecord = KnownFields<z.infer<typeof askerSchema>>;

/** How long the store knows when a conversation first proved a number: `PROOF_COOLDOWN` is at most a week. */
const PROVED_MS = 14 * DAY_MS;

export const NUMBER: RecordKind<NumberRecord> = {
  kind: 'n',
  ttlMs: PROVED_MS,
  write: (record) => Buffer.from(JSON.stringify(record)),
  read: (plain) => numberSchema.parse(JSON.parse(plain.toString())),
};

export const ASKER: RecordKind<AskerRecord> = {
  kind: 'a',
  ttlMs: DAY_MS,
  write: (record) => Buffer.from(JSON.stringify(record)),
  read: (plain) => askerSchema.parse(JSON.parse(plain.toString())),
};

type Limited = { readonly kind: 'limited'; readonly untilMs: number };

/** The conversation that asks (a name), and the message's id. */
export type CodeRequest = { readonly by: string; readonly id: string };

/** `repeated`: an earlier attempt at this message perhaps sent its code. */
export type Issue = { readonly kind: 'issued' | 'repeated' } | Limited;

/**
 * Issues a code: only then it may be sent. The three tries of each live code are set aside from the number's
 * tries of the day, so a flood of other conversations cannot use up the tries of a code that was sent before.
 * The day's last send is kept for the conversation that asked first, until that has used it.
 */
export function issue({
  by,
  id,
  mac,
}: CodeRequest & { readonly mac: string }): Transition<NumberRecord, Issue> {
  return (before, nowMs) => {
    const record = tidyNumber(before, nowMs);
    if (before?.codes[by]?.id === id) return { record: before, answer: { kind: 'repeated' } };
    const untilMs = Math.max(sendsLimitMs(record, by, nowMs), triesLimitMs(record, by, nowMs));
    if (untilMs > nowMs) return { record: before, answer: { kind: 'limited', untilMs } };
    const last = record.codes[by];
    const replaced = last && { ...last, replaced: undefined };
    const code = { id, mac, untilMs: nowMs + CODE_MS, left: TRIES, ...(replaced && { replaced }) };
    const sends = [...record.sends, { id, by, atMs: nowMs }];
    return {
      record: { ...record, sends, codes: { ...record.codes, [by]: code } },
      answer: { kind: 'issued' },
    };
  };
}

function sendsLimitMs({ sends }: NumberRecord, by: string, nowMs: number): number {
  const recent = sends.filter(({ atMs }) => atMs > nowMs - SHORT_MS);
  const shortMs = (recent.at(-SHORT_SENDS)?.atMs ?? Number.NEGATIVE_INFINITY) + SHORT_MS;
  const first = sends[0]?.by;
  const isKept = first !== by && sends.filter((send) => send.by === first).length === 1;
  const most = DAY_SENDS - (isKept ? 1 : 0);
  return Math.max(shortMs, (sends.at(-most)?.atMs ?? Number.NEGATIVE_INFINITY) + DAY_MS);
}

function triesLimitMs({ wrong, codes }: NumberRecord, by: string, nowMs: number): number {
  const others = Object.entries(codes).filter(([asker, { untilMs }]) => asker !== by && untilMs > nowMs);
  const setAside = others.reduce((sum, [, { left }]) => sum + left, 0);
  if (wrong.length + setAside + TRIES <= NUMBER_TRIES) return nowMs;
  const freedMs = others.map(([, { untilMs }]) => untilMs);
  return Math.min(...freedMs, (wrong[0] ?? nowMs) + DAY_MS);
}

/** Takes a code back that was surely not sent. The one before it counts again. */
export function withdraw({ by, id }: CodeRequest): Transition<NumberRecord, void> {
  return (before) => {
    const code = before?.codes[by];
    if (before === null || code?.id !== id) return { record: before, answer: undefined };
    const { [by]: _, ...others } = before.codes;
    const codes = code.replaced ? { ...others, [by]: code.replaced } : others;
    return {
      record: { ...before, codes, sends: before.sends.filter((send) => send.id !== id) },
      answer: undefined,
    };
  };
}

export type Try =
  | { readonly kind: 'right'; readonly provedMs: number }
  | { readonly kind: 'wrong'; readonly left: number }
  | { readonly kind: 'expired' };

/** Tries a code. A repeat of the same message gets the same answer, and counts once. */
export function tryCode({
  by,
  id,
  mac,
}: CodeRequest & { readonly mac: string }): Transition<NumberRecord, Try> {
  return (before, nowMs) => {
    const code = before?.codes[by];
    if (before === null || code === undefined) return { record: before, answer: { kind: 'expired' } };
    const { tried } = code;
    if (tried?.by === id) {
      const provedMs = before.proved[by] ?? nowMs;
      const answer: Try = tried.isRight ? { kind: 'right', provedMs } : { kind: 'wrong', left: code.left };
      return { record: before, answer };
    }
    if (tried?.isRight || code.left === 0 || code.untilMs <= nowMs)
      return { record: before, answer: { kind: 'expired' } };
    const record = tidyNumber(before, nowMs);
    const isRight = code.mac === mac;
    const left = isRight ? 0 : code.left - 1;
    const codes = { ...record.codes, [by]: { ...code, left, tried: { by: id, isRight } } };
    if (!isRight)
      return {
        record: { ...record, codes, wrong: [...record.wrong, nowMs] },
        answer: { kind: 'wrong', left },
      };
    const provedMs = record.proved[by] ?? nowMs;
    const proved = { ...record.proved, [by]: provedMs };
    return { record: { ...record, codes, proved }, answer: { kind: 'right', provedMs } };
  };
}

/** Without what is older than a day. A code stays for a while, so that a repeated message finds it. */
function tidyNumber(before: NumberRecord | null, nowMs: number): NumberRecord {
  const { sends = [], wrong = [], codes = {}, proved = {} } = before ?? {};
  const kept = <Value>(all: Readonly<Record<string, Value>>, isKept: (value: Value) => boolean) =>
    Object.fromEntries(Object.entries(all).filter(([, value]) => isKept(value)));
  return {
    ...before,
    sends: sends.filter(({ atMs }) => atMs > nowMs - DAY_MS),
    wrong: wrong.filter((atMs) => atMs > nowMs - DAY_MS),
    codes: kept(codes, ({ untilMs }) => untilMs > nowMs - DAY_MS),
    proved: kept(proved, (atMs) => atMs > nowMs - PROVED_MS),
  };
}

export type Admission = { readonly kind: 'admitted' } | Limited;

/** Whether the conversation may ask a code for the number (a name). */
export function admit(number: string): Transition<AskerRecord, Admission> {
  return (before, nowMs) => {
    const record = tidyAsker(before, nowMs);
    const { numbers } = record;
    const untilMs = Math.max(wrongLimitMs(record), lastOf(record.refused, ASKER_REFUSALS) + DAY_MS);
    if (untilMs > nowMs) return { record: before, answer: { kind: 'limited', untilMs } };
    const others = Object.entries(numbers).filter(([name]) => name !== number);
    if (others.length >= ASKER_NUMBERS) {
      const oldestMs = Math.min(...others.map(([, atMs]) => atMs));
      return { record: before, answer: { kind: 'limited', untilMs: oldestMs + DAY_MS } };
    }
    return { record: { ...record, numbers: { ...numbers, [number]: nowMs } }, answer: { kind: 'admitted' } };
  };
}

/** Whether the conversation may try a code. */
export function mayTry(): Transition<AskerRecord, Admission> {
  return (before, nowMs) => {
    const untilMs = wrongLimitMs(tidyAsker(before, nowMs));
    const answer: Admission = untilMs > nowMs ? { kind: 'limited', untilMs } : { kind: 'admitted' };
    return { record: before, answer };
  };
}

/** Counts a wrong try of a message, once. */
export function noteWrong(id: string): Transition<AskerRecord, void> {
  return (before, nowMs) => {
    const record = tidyAsker(before, nowMs);
    if (record.wrong.some((attempt) => attempt.id === id)) return { record: before, answer: undefined };
    return { record: { ...record, wrong: [...record.wrong, { id, atMs: nowMs }] }, answer: undefined };
  };
}

/** Counts a message whose code the gateway refused to send, once. */
export function noteRefused(id: string): Transition<AskerRecord, void> {
  return (before, nowMs) => {
    const record = tidyAsker(before, nowMs);
    if (record.refused.some((attempt) => attempt.id === id)) return { record: before, answer: undefined };
    return { record: { ...record, refused: [...record.refused, { id, atMs: nowMs }] }, answer: undefined };
  };
}

/** When the conversation may try again, epoch ms; minus infinity: now. */
const wrongLimitMs = ({ wrong }: AskerRecord): number => lastOf(wrong, ASKER_TRIES) + DAY_MS;

/** The time of the last but `count - 1`, epoch ms; minus infinity: there are fewer. */
const lastOf = (all: readonly { readonly atMs: number }[], count: number): number =>
  all.at(-count)?.atMs ?? Number.NEGATIVE_INFINITY;

function tidyAsker(before: AskerRecord | null, nowMs: number): AskerRecord {
  const { numbers = {}, wrong = [], refused = [] } = before ?? {};
  const isRecent = (atMs: number) => atMs > nowMs - DAY_MS;
  return {
    ...before,
    numbers: Object.fromEntries(Object.entries(numbers).filter(([, atMs]) => isRecent(atMs))),
    wrong: wrong.filter(({ atMs }) => isRecent(atMs)),
    refused: refused.filter(({ atMs }) => isRecent(atMs)),
  };
}
