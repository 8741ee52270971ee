import { z } from 'zod';
import type { HistoryType, Identifier } from '../../conversation/effect.ts';
import type { Contact, HistoryQuery, LoyaltyRecord } from '../loyalty.ts';
import { toE164 } from '../phone.ts';

/*
 * AntCRM's answers, read tolerantly: numbers may be strings, any part may be missing, null or of a wrong type, and
 * then it is simply not there. Nothing here throws, whatever the value.
 */

/** Longer words are cut: they end up in messages to customers. */
const MAX_WORD = 200;

const numeric = z.union([
  z.number(),
  z
    .string()
    .trim()
    .regex(/^-?\d{1,15}(\.\d{1,6})?$/)
    .transform(Number),
]);
const word = z
  .union([z.string(), z.number().transform(String)])
  .transform((text) => text.trim().slice(0, MAX_WORD))
  .refine((text) => text !== '');

const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined);

const number = maybe(numeric);
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
const contactSchema = namedSchema.extend({
  scoreAvailable: number,
  scoreRank: number,
  rankName: text,
});

const recordSchema = z.object({
  type: number,
  score: number,
  status: maybe(z.union([numeric, z.boolean().transform(Number)])),
  product: thing,
  gift: thing,
  code: text,
  contact: maybe(namedSchema),
  createdAt: number,
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

/** AntCRM's own words for a refusal, where it has any. */
export function readReason(json: unknown): string | undefined {
  const answer = answerSchema.safeParse(json).data;
  return answer?.message ?? answer?.error;
}

/**
 * AntCRM's own words for a refusal, made fit for an operator's log: without what we sent (`sent`: code, phone, e-mail,
 * name), e-mails, anything with a digit in it and control characters; at most 200 characters.
 */
export function scrub(reason: string, sent: readonly (string | undefined)[]): string {
  const known = sent.filter((value): value is string => value !== undefined && value.length > 1);
  const withoutOurs = known.reduce(
    (text, value) => text.replaceAll(value, '*'),
    reason.slice(0, 10 * MAX_WORD),
  );
  return withoutOurs
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .replace(/\S*@\S*/g, '*')
    .replace(/[\p{L}\p{N}+]*\p{N}[\p{L}\p{N}]*/gu, '*')
    .trim()
    .slice(0, MAX_WORD);
}

/**
 * A page of the history; null if the answer is no list, or lists what is somebody else's: nothing follows from it then.
 * `count` is what the page held before records of the other type were left out: it tells whether there may be another.
 */
export function readHistory(
  json: unknown,
  { type, by }: Pick<HistoryQuery, 'type' | 'by'>,
): { records: LoyaltyRecord[]; count: number } | null {
  const list = Array.isArray(json) ? json : wrappedSchema.safeParse(json).data?.data;
  if (!Array.isArray(list)) return null;
  const records = list.flatMap((entry) => readRecord(entry, type) ?? []);
  if (records.some(({ whose }) => whose && isAnothers(whose, by))) return null;
  return { records: records.filter((record) => record.type === type), count: list.length };
}

function readRecord(entry: unknown, asked: HistoryType): LoyaltyRecord | null {
  const record = recordSchema.safeParse(entry).data;
  if (!record) return null;
  const type = record.type === undefined ? asked : TYPES.get(record.type);
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

const TYPES = new Map<number, HistoryType>([
  [1, 'point'],
  [2, 'gift'],
]);

/**
 * The customer's record out of one object, an array or `{ data }`; null if there is none, `unreadable` if the answer
 * is something else. A record that carries another phone (or e-mail) than the one asked for is somebody else's.
 */
export function readContact(json: unknown, by: Identifier): Contact | null | 'unreadable' {
  const wrapped = wrappedSchema.safeParse(json).data;
  const found = wrapped?.data === undefined ? json : wrapped.data;
  if (found === null || found === undefined) return wrapped?.data === null ? null : 'unreadable';
  const entries = Array.isArray(found) ? found : [found];
  const contacts = entries.flatMap((entry) => readOneContact(entry) ?? []);
  if (contacts.length === 0) return entries.length === 0 ? null : 'unreadable';

  const theirs = contacts.find((contact) => isOf(contact, by));
  const [only] = contacts;
  return theirs ?? (contacts.length === 1 && only && !isAnothers(only, by) ? only : null);
}

type Named = Pick<Contact, 'phones' | 'emails'>;
const isOf = ({ phones, emails }: Named, { kind, value }: Identifier): boolean =>
  kind === 'phone' ? phones.includes(value) : emails.includes(value.toLowerCase());

/** What names nobody of this kind may be anybody's. */
const isAnothers = (named: Named, by: Identifier): boolean =>
  (by.kind === 'phone' ? named.phones : named.emails).length > 0 && !isOf(named, by);

function readOneContact(entry: unknown): Contact | null {
  const contact = contactSchema.safeParse(entry).data;
  if (!contact) return null;
  const { customerId, phones, emails, scoreAvailable, scoreRank, rankName } = contact;
  const says = customerId ?? scoreAvailable ?? phones[0] ?? emails[0];
  if (says === undefined) return null;
  return { customerId, phones, emails, points: scoreAvailable, rank: rankName, rankPoints: scoreRank };
}
