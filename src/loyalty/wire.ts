import { z } from 'zod';
import type { HistoryType, Identifier } from '../conversation/effect.ts';
import { type Contact, HISTORY_PAGE, type HistoryQuery, type LoyaltyRecord, type Named } from './port.ts';

/*
 * What goes over the wire, exactly as docs/antcrm.md has it, and what comes back, read tolerantly: any part may be
 * missing, null or of a wrong type, and then it is simply not there. Nothing here throws, whatever the value.
 */

export const HISTORY = '/history-point';

/** AntCRM's form of an E.164 number: Vietnamese ones national (`0867123456`), others as they are (docs/antcrm.md). */
export const toNational = (e164: string): string => e164.replace(/^\+84/, '0');

/** E.164 of a phone as AntCRM has it; what cannot be read as such stays as it is. */
export function toE164(stored: string): string {
  const digits = stored.replace(/\D/g, '');
  if (stored.trim().startsWith('+')) return `+${digits}`;
  if (/^00[1-9]\d{6,}$/.test(digits)) return `+${digits.slice(2)}`;
  if (/^0\d{9,10}$/.test(digits)) return `+84${digits.slice(1)}`;
  if (/^84\d{9}$/.test(digits)) return `+${digits}`;
  // A phone that was once stored as a number has lost its leading zero.
  if (/^[1-9]\d{8}$/.test(digits)) return `+84${digits}`;
  return stored;
}

/** A customer's values in AntCRM's form. None of them may reach a log. */
export type Sendable = Partial<Record<'code' | 'phone' | 'email' | 'name', string | undefined>>;

export const inAntCrmForm = (values: Sendable): Sendable => ({
  ...values,
  phone: values.phone === undefined ? undefined : toNational(values.phone),
});

export function accumulateBody({ code, phone, email, name }: Sendable) {
  const work = (value: string | undefined) => (value === undefined ? [] : [{ type: 'Work', value }]);
  return { code, data: { emails: work(email), name, phones: work(phone) } };
}

/** Flat strings, unlike an accumulation. */
export const redeemBody = ({ code, phone, email }: Sendable) => ({ code, data: { email, phone } });

/** `page` is AntCRM's number of it. */
export function historySearch(query: Omit<HistoryQuery, 'page'>, page: number): URLSearchParams {
  const search = new URLSearchParams(query.type === 'point' ? { type: 'point' } : {});
  if (query.fromMs !== undefined) search.set('createdAtRangeFrom', String(query.fromMs));
  // Our periods are half-open; AntCRM does not say whether the end is included, and a millisecond is not missed.
  if (query.toMs !== undefined) search.set('createdAtRangeTo', String(query.toMs - 1));
  search.set(query.by.kind, identifierIn(query.by));
  search.set('page', String(page));
  return search;
}

export function contactSearch(by: Identifier, page: number): URLSearchParams {
  const paging = { page: String(page), limit: String(HISTORY_PAGE) };
  return new URLSearchParams({ contactType: 'customer', [by.kind]: identifierIn(by), ...paging });
}

const identifierIn = (by: Identifier) => (by.kind === 'phone' ? toNational(by.value) : by.value);

/** A cheap read that shows whether AntCRM works again. */
export function historyOfNobody(page: number): { readonly method: 'GET'; readonly path: string } {
  const by = { kind: 'phone', value: '+84000000000' } as const;
  return { method: 'GET', path: `${HISTORY}?${historySearch({ type: 'point', by }, page)}` };
}

/** Undefined where it is no JSON. */
export function readJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Longer words are cut: they end up in messages to customers. */
const MAX_WORD = 200;

const NUMBER = /^\s*-?\d{1,15}(\.\d{1,6})?\s*$/;
const numeric = z.union([z.number(), z.string().regex(NUMBER).transform(Number)]);
const word = z
  .union([z.string(), z.number().transform(String)])
  .transform((text) => text.trim().slice(0, MAX_WORD))
  .refine((text) => text !== '');

const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined);

const number = maybe(numeric);
/** Epoch ms of a year with four digits: what no calendar has, nobody can be shown. */
const time = maybe(numeric.refine((ms) => ms >= 0 && ms < Date.UTC(10_000)));
const text = maybe(word);
const thing = maybe(z.object({ code: text, name: text }));

const address = maybe(z.union([word, z.object({ value: word }).transform((entry) => entry.value)]));
const addresses = z
  .array(address)
  .catch([])
  .transform((values) => values.filter((value) => value !== undefined));

const namedSchema = z.object({
  customerId: text,
  phones: addresses.transform((values) => values.map(toE164)),
  emails: addresses.transform((values) => values.map((value) => value.toLowerCase())),
});
const contactSchema = namedSchema.extend({ scoreAvailable: number, scoreRank: number, rankName: text });

const recordSchema = z.object({
  type: number,
  score: number,
  status: maybe(z.union([numeric, z.boolean().transform(Number)])),
  product: thing,
  gift: thing,
  code: text,
  contact: maybe(namedSchema),
  createdAt: time,
  id: text,
  _id: text,
});

const answerSchema = z.object({ success: z.unknown(), message: text, error: text });
const wrappedSchema = z.object({ data: z.unknown() });

/** The answer to a POST: `unreadable` where nothing tells whether it was applied. */
export function readSuccess(json: unknown): 'applied' | 'refused' | 'unreadable' {
  const { success } = answerSchema.safeParse(json).data ?? {};
  if (success === 1 || success === '1' || success === true) return 'applied';
  return ['number', 'string', 'boolean'].includes(typeof success) ? 'refused' : 'unreadable';
}

/** Whether AntCRM says that it did not do as asked: an empty list beside that does not mean that there is nothing. */
function isRefusal(json: unknown): boolean {
  return answerSchema.safeParse(json).data?.success !== undefined && readSuccess(json) !== 'applied';
}

/** AntCRM's own words for a refusal, where it has any. */
export function readReason(json: unknown): string | undefined {
  const answer = answerSchema.safeParse(json).data;
  return answer?.message ?? answer?.error;
}

/**
 * AntCRM's own words for a refusal, made fit for an operator's log: without what we sent (`sent`: code, phone, e-mail,
 * name), e-mails, anything with a digit in it and control characters; at most 200 characters.
 */
export function scrub(reason: string | undefined, sent: readonly (string | undefined)[]): string {
  const said = (reason ?? '').slice(0, 10 * MAX_WORD);
  const ours = sent.filter((value = '') => value.length > 1);
  return ours
    .reduce<string>((text, value = '') => text.replaceAll(value, '*'), said)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .split(' ')
    .map((word) => (word.includes('@') ? '*' : word))
    .join(' ')
    .replace(/[\p{L}\p{N}+]+/gu, (word) => (/\p{N}/u.test(word) ? '*' : word))
    .trim()
    .slice(0, MAX_WORD);
}

/**
 * A page of the history; null if the answer is no list, a refusal, or lists what is somebody else's: nothing follows from
 * it then.
 * `count` is what the page held before records of the other type were left out: it tells whether there may be another.
 */
export function readHistory(
  json: unknown,
  { type, by }: Pick<HistoryQuery, 'type' | 'by'>,
): { records: LoyaltyRecord[]; count: number } | null {
  const list = Array.isArray(json) ? json : wrappedSchema.safeParse(json).data?.data;
  if (!Array.isArray(list) || isRefusal(json)) return null;
  const records = list.flatMap((entry) => readRecord(entry, type) ?? []);
  if (records.some(({ whose }) => whose && isAnothers(whose, by))) return null;
  return { records: records.filter((record) => record.type === type), count: list.length };
}

function readRecord(entry: unknown, asked: HistoryType): LoyaltyRecord | null {
  const record = recordSchema.safeParse(entry).data;
  if (!record) return null;
  const type = record.type === undefined ? asked : TYPES[record.type];
  if (!type) return null;
  const about = type === 'point' ? record.product : record.gift;
  return {
    id: record.id ?? record._id,
    type,
    // Only a plain 0 is a failure: taking a success for one would let points be spent a second time.
    status: record.status === 0 ? 'failed' : 'succeeded',
    score: record.score,
    what: about?.name,
    code: type === 'point' ? record.code : record.gift?.code,
    atMs: record.createdAt,
    whose: record.contact,
  };
}

const TYPES: Readonly<Record<number, HistoryType>> = { 1: 'point', 2: 'gift' };

/**
 * The customer's record out of one object, an array or `{ data }`; null if there is none, `unreadable` if the answer
 * is something else. A record that carries another phone (or e-mail) than the one asked for is somebody else's.
 */
export function readContact(json: unknown, by: Identifier): Contact | null | 'unreadable' {
  if (isRefusal(json)) return 'unreadable';
  const wrapped = wrappedSchema.safeParse(json).data;
  const found = wrapped?.data === undefined ? json : wrapped.data;
  if (found === null || found === undefined) return wrapped?.data === null ? null : 'unreadable';
  const entries = Array.isArray(found) ? found : [found];
  const contacts = entries.flatMap((entry) => readOneContact(entry) ?? []);
  if (contacts.length === 0) return entries.length === 0 ? null : 'unreadable';

  const theirs = contacts.find((contact) => carries(contact, by));
  const [only] = contacts;
  return theirs ?? (contacts.length === 1 && only && !isAnothers(only, by) ? only : null);
}

/** Whether AntCRM lists this identifier for a customer. */
export const carries = ({ phones, emails }: Named, { kind, value }: Identifier): boolean =>
  kind === 'phone' ? phones.includes(value) : emails.includes(value.toLowerCase());

/** What names nobody of this kind may be anybody's. */
const isAnothers = (named: Named, by: Identifier): boolean =>
  (by.kind === 'phone' ? named.phones : named.emails).length > 0 && !carries(named, by);

function readOneContact(entry: unknown): Contact | null {
  const contact = contactSchema.safeParse(entry).data;
  if (!contact) return null;
  const { customerId, phones, emails, scoreAvailable, scoreRank, rankName } = contact;
  if ((customerId ?? scoreAvailable ?? phones[0] ?? emails[0]) === undefined) return null;
  return { customerId, phones, emails, points: scoreAvailable, rank: rankName, rankPoints: scoreRank };
}
