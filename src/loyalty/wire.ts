import { z } from 'zod';
import type { HistoryType, Identifier } from '../conversation/effect.ts';
import type {
  AccumulateRequest,
  Contact,
  CustomerNames,
  HistoryPage,
  HistoryQuery,
  LoyaltyRecord,
  RedeemRequest,
  UnpagedQuery,
} from './port.ts';

/*
 * What goes over the wire, as docs/antcrm.md has it, and what comes back, read tolerantly: a part that is
 * missing, null or of a wrong type is simply not there. Nothing here throws, whatever the value.
 */

/** AntCRM's form of an identifier: Vietnamese phones national (`0867123456`), others unchanged. */
export const toSent = ({ kind, value }: Identifier): string =>
  kind === 'phone' ? value.replace(/^\+84/, '0') : value;

/** E.164 of a phone as AntCRM has it; unchanged where it cannot be read as a phone. */
export function toE164(stored: string): string {
  // "+84 (0)867…": people write both the country's code and the zero that it replaces.
  const digits = stored.replace(/\D/g, '').replace(/^(?:00)?840(?=\d{9})/, '84');
  if (stored.trim().startsWith('+')) return `+${digits}`;
  if (/^00[1-9]\d{6,}$/.test(digits)) return `+${digits.slice(2)}`;
  if (/^0\d{9,10}$/.test(digits)) return `+84${digits.slice(1)}`;
  if (/^84\d{9}$/.test(digits)) return `+${digits}`;
  // A phone that was once stored as a number has lost its leading zero.
  if (/^[1-9]\d{8}$/.test(digits)) return `+84${digits}`;
  return stored;
}

export function accumulateBody({ code, phone, email, name }: Omit<AccumulateRequest, 'permit'>) {
  const emails = email === undefined ? [] : [{ type: 'Work', value: email }];
  const phones =
    phone === undefined ? [] : [{ type: 'Work', value: toSent({ kind: 'phone', value: phone }) }];
  return { code, data: { emails, name, phones } };
}

/** Flat strings, unlike an accumulation. */
export function redeemBody({ gift, phone, email }: Omit<RedeemRequest, 'permit'>) {
  return { code: gift, data: { email, phone: phone && toSent({ kind: 'phone', value: phone }) } };
}

/** `page` is AntCRM's number of the page. */
export function historyPath(query: UnpagedQuery, page: number): string {
  const search = new URLSearchParams(query.type === 'point' ? { type: 'point' } : {});
  if (query.fromMs !== undefined) search.set('createdAtRangeFrom', String(query.fromMs));
  // Our periods are half-open. AntCRM does not say whether it includes the end.
  if (query.toMs !== undefined) search.set('createdAtRangeTo', String(query.toMs - 1));
  search.set(query.by.kind, toSent(query.by));
  search.set('page', String(page));
  return `/history-point?${search}`;
}

/** How many customers a page is asked to have at least. AntCRM may put more or fewer on it. */
const CONTACT_LIMIT = 20;

/** `more`: than the limit, which makes another address of it. */
export function contactPath(by: Identifier, { page, more = 0 }: { page: number; more?: number }): string {
  const paging = { page: String(page), limit: String(CONTACT_LIMIT + more) };
  return `/contacts?${new URLSearchParams({ contactType: 'customer', [by.kind]: toSent(by), ...paging })}`;
}

/** Undefined where it is no JSON. */
export function parseJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Longer names are cut, because customers see them. Longer ids and codes are ignored. */
const MAX_LENGTH = 200;

const optional = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined);

const NUMBER = /^\s*-?\d{1,15}(\.\d{1,6})?\s*$/;
const anyNumber = z.union([z.number(), z.string().regex(NUMBER).transform(Number)]);
const number = optional(anyNumber);
/** Epoch ms of a year with four digits: no other time can be shown. */
const time = optional(anyNumber.pipe(z.number().nonnegative().lt(Date.UTC(10_000))));
const anyText = z.union([z.string(), z.number().transform(String)]).pipe(z.string().trim().min(1));
const text = optional(anyText);
const shortText = z.string().trim().min(1).max(MAX_LENGTH);
/** A number above 2^53 was rounded when it was parsed, so that two ids may have become one. */
const exactNumber = z.number().refine(Number.isSafeInteger);
const id = optional(z.union([shortText, exactNumber.transform(String)]));
/** It stays a number, because a number has lost the leading zeros of its code. */
const code = optional(z.union([shortText, exactNumber]));
const item = optional(z.object({ code, name: text }));

/** AntCRM lists objects: they are tried first, because a failed attempt costs more than the rest. */
const address = z.union([z.object({ value: anyText }), anyText]);
const addresses = z.array(optional(address)).catch([]);
const namesSchema = z.object({ customerId: id, phones: addresses, emails: addresses });
const contactSchema = namesSchema.extend({ scoreAvailable: number, scoreRank: number, rankName: text });

const recordSchema = z.object({
  type: number,
  score: number,
  status: optional(z.union([anyNumber, z.boolean().transform(Number)])),
  product: item,
  gift: item,
  code,
  contact: optional(namesSchema),
  createdAt: time,
  id,
  _id: id,
});

const anything = z.unknown().optional();
const answerSchema = z.object({ success: anything, message: text, error: text, data: anything });

/**
 * `kind`: what the answer to a POST says; `unknown` where nothing tells whether it was applied. `isRefusal`:
 * AntCRM says that it failed, so an empty list in the same answer does not mean an empty history.
 */
export function parseAnswer(json: unknown) {
  const { success, data } = answerSchema.safeParse(json).data ?? {};
  const isApplied = success === 1 || success === '1' || success === true;
  // A word like "ok" may mean that points were spent, so it is no refusal.
  const isRefused =
    typeof success === 'number' || success === false || success === '0' || success === 'false';
  const kind: 'applied' | 'refused' | 'unknown' = isApplied ? 'applied' : isRefused ? 'refused' : 'unknown';
  return { kind, isRefusal: success !== undefined && !isApplied, data };
}

/** AntCRM's message about a refusal, if it has one; at most 2,000 characters. */
export function parseReason(json: unknown): string | undefined {
  const { message, error } = answerSchema.safeParse(json).data ?? {};
  return (message ?? error)?.slice(0, 10 * MAX_LENGTH);
}

/**
 * Makes AntCRM's message safe for an operator's log: at most 200 characters. It removes what the customer
 * gave, control characters, e-mails, words with a digit and, after the first word, words with a capital.
 */
export function scrub(reason: string, given: readonly (string | undefined)[]): string {
  let scrubbed = reason;
  for (const value of given) if (value && value.length > 1) scrubbed = scrubbed.replaceAll(value, '*');
  const isPersonal = (word: string, index: number) =>
    /[@\p{N}]/u.test(word) || (index > 0 && /\p{Lu}/u.test(word));
  const words = scrubbed.trim().split(/[\p{C}\p{Z}]+/u);
  const shown = words.map((word, index) => (isPersonal(word, index) ? '*' : word));
  return shown.join(' ').slice(0, MAX_LENGTH);
}

type HistoryFilter = Pick<HistoryQuery, 'type' | 'by'>;

/**
 * A page of the history. `unreadable` if the answer is no list or a refusal, or if it lists another
 * customer's record: then it proves nothing.
 */
export function parseHistory(json: unknown, { type, by }: HistoryFilter): HistoryPage | 'unreadable' {
  const { data: list, isRefusal } = Array.isArray(json) ? { data: json } : parseAnswer(json);
  if (!Array.isArray(list) || isRefusal) return 'unreadable';
  const parsed = list.map((entry) => parseRecord(entry, type));
  const known = parsed.filter((record) => record !== null);
  if (known.some(({ whose }) => whose && isOfAnotherCustomer(whose, by))) return 'unreadable';
  const marks = parsed.map(markOf);
  return {
    records: known.filter((record) => record.type === type),
    marks,
    isWhole: known.length === parsed.length && new Set(marks).size === marks.length,
  };
}

/** Tells a record from others: its id, or all else that it says. */
function markOf(record: LoyaltyRecord | null): string {
  if (record === null) return '';
  const { id, type, code, score, what, atMs } = record;
  return id ?? JSON.stringify([type, code, score, what, atMs]);
}

const TYPES: Readonly<Record<number, HistoryType>> = { 1: 'point', 2: 'gift' };

/** Null: it is no record, or of an unknown type. */
function parseRecord(entry: unknown, asked: HistoryType): LoyaltyRecord | null {
  const record = recordSchema.safeParse(entry).data;
  if (!record) return null;
  const type = record.type === undefined ? asked : TYPES[record.type];
  if (!type) return null;
  const { product, gift, status } = record;
  const codeOf = type === 'point' ? record.code : gift?.code;
  const isVague = record.type === undefined || (status !== 0 && status !== 1);
  return {
    id: record.id ?? record._id,
    type,
    // Only a plain 0 is a failure: taking a success for one would let points be spent a second time.
    failed: status === 0,
    score: record.score,
    what: (type === 'point' ? product : gift)?.name?.slice(0, MAX_LENGTH),
    code: codeOf === undefined ? undefined : String(codeOf),
    atMs: record.createdAt,
    whose: record.contact && toNames(record.contact),
    ...(typeof codeOf === 'number' && { isNumericCode: true }),
    ...(isVague && { isVague }),
  };
}

function toNames({ customerId, phones, emails }: z.infer<typeof namesSchema>): CustomerNames {
  const names = { customerId, phones: [] as string[], emails: [] as string[] };
  for (const phone of phones) {
    if (phone) names.phones.push(toE164(typeof phone === 'string' ? phone : phone.value));
  }
  for (const email of emails) {
    if (email) names.emails.push((typeof email === 'string' ? email : email.value).toLowerCase());
  }
  return names;
}

/**
 * Reads the customer's record from an object, an array or `{ data }`. Null: AntCRM has none. `elsewhere`: a
 * list of others, so that the record may be on the next page. `unreadable`: the answer is something else. A
 * record that lists only other phones (or e-mails) than `by` is another customer's.
 */
export function parseContact(json: unknown, by: Identifier): Contact | null | 'elsewhere' | 'unreadable' {
  const { data, isRefusal } = parseAnswer(json);
  if (isRefusal) return 'unreadable';
  if (data === null) return null;
  const answer = data ?? json;
  const entries: unknown[] = [answer].flat();
  if (entries.length === 0) return null;
  const contacts = entries.map(toContact).filter((contact) => contact !== null);
  const own = contacts.find((contact) => hasIdentifier(contact, by));
  if (own) return own;
  const [first] = contacts;
  if (!first) return 'unreadable';
  if (entries.length === 1 && !isOfAnotherCustomer(first, by)) return first;
  return Array.isArray(answer) ? 'elsewhere' : null;
}

function toContact(entry: unknown): Contact | null {
  const contact = contactSchema.safeParse(entry).data;
  if (!contact) return null;
  const { scoreAvailable: points, scoreRank: rankPoints, rankName } = contact;
  const names = toNames(contact);
  const isEmpty = (names.customerId ?? points ?? names.phones[0] ?? names.emails[0]) === undefined;
  return isEmpty ? null : { ...names, points, rank: rankName?.slice(0, MAX_LENGTH), rankPoints };
}

/** Whether AntCRM lists this identifier for a customer. */
export function hasIdentifier({ phones, emails }: CustomerNames, { kind, value }: Identifier): boolean {
  return kind === 'phone' ? phones.includes(value) : emails.includes(value.toLowerCase());
}

/** A customer without any identifier of this kind may be anybody. */
function isOfAnotherCustomer(names: CustomerNames, by: Identifier): boolean {
  return (by.kind === 'phone' ? names.phones : names.emails).length > 0 && !hasIdentifier(names, by);
}
