import { randomBytes } from 'node:crypto';
import { toE164 } from '../loyalty/wire.ts';
import { GIFTS, type Item, PRODUCTS, prefixOf, readPrintedCode } from './catalog.ts';

type WorkValue = Readonly<Record<'_id' | 'value', string>> & { readonly type: 'Work' };

/** A customer; without a `customerId` a stranger: a failed attempt creates no customer. */
export type Member = Readonly<{ phones: WorkValue[]; emails: WorkValue[]; lastname: ''; id: string }> & {
  name: string;
  readonly customerId?: number;
};

/** What a request says about the person it is for. */
export type Named = Readonly<Partial<Record<'phone' | 'email' | 'name', string | undefined>>>;

/** Times are epoch ms, both included. */
type EntryQuery = Named & { readonly fromMs?: number | undefined; readonly toMs?: number | undefined };

/** A record of the history. Its `contact` is the customer's own object. */
export type HistoryEntry = {
  readonly type: 1 | 2;
  readonly score: number;
  readonly status: 0 | 1;
  readonly product?: Item | undefined;
  readonly gift?: Item | { readonly code: string } | undefined;
  contact: Member;
  readonly code?: string | undefined;
  readonly serialNumber?: string | undefined;
  /** Epoch ms; the history shows it from `visibleAt` on. */
  readonly createdAt: number;
  readonly visibleAt: number;
  readonly id: string;
};

/** 24 hex digits, unique even after a reset: record ids settle operations. */
const newId = (): string => randomBytes(12).toString('hex');

const GARNACHO: Named = { name: 'Garnacho', phone: '0867123456', email: 'garnacho@gmail.com' };

const hasPhone = ({ phones }: Member, phone: string | undefined): boolean =>
  phone !== undefined && phones.some(({ value }) => toE164(value) === toE164(phone));
const hasEmail = ({ emails }: Member, email: string | undefined): boolean =>
  email !== undefined && emails.some(({ value }) => value.toLowerCase() === email.toLowerCase());

/** AntCRM's books. `accumulate` and `redeem` return null, or AntCRM's words for a refusal. */
export class Ledger {
  customers: readonly Member[] = [addTo(createPerson(475), GARNACHO)];
  readonly #entries = this.customers.flatMap(pastOf);

  find(named: Named): Member | undefined {
    return this.#findAll(named)[0];
  }

  balance(customer: Member) {
    const scores = { 1: 0, 2: 0 };
    for (const { contact, status, type, score } of this.#entries)
      if (contact === customer && status === 1) scores[type] += score;
    return { available: scores[1] - scores[2], earned: scores[1] };
  }

  /** `hiddenMs`: the points move at once, but the history shows the record so much later. */
  accumulate(code: string, named: Named, hiddenMs: number): string | null {
    const printed = readPrintedCode(code);
    const refusal = findRefusal([
      [named.phone === undefined && named.email === undefined, 'A phone or an email is needed'],
      [printed === null, 'The code does not exist'],
      [this.#entries.some((entry) => entry.code === code && entry.status === 1), 'The code has been used'],
    ]);
    const score = refusal === null ? (printed?.product.score ?? 0) : 0;
    const contact = refusal === null ? this.#join(named) : this.#findOrCreate(named);
    const status = refusal === null ? 1 : 0;
    this.#record({ type: 1, score, status, ...printed, code, contact }, hiddenMs);
    return refusal;
  }

  redeem(code: string, named: Named, hiddenMs: number): string | null {
    const customer = this.find(named);
    const gift = GIFTS.find((item) => item.code === code);
    const refusal = findRefusal([
      [gift === undefined, 'The gift does not exist'],
      [customer === undefined, 'The customer does not exist'],
      [customer && gift && gift.score > this.balance(customer).available, 'Not enough points'],
    ]);
    const contact = this.#findOrCreate(named);
    const status = refusal === null ? 1 : 0;
    this.#record({ type: 2, score: gift?.score ?? 0, status, gift: gift ?? { code }, contact }, hiddenMs);
    return refusal;
  }

  /** Newest first. A phone together with an e-mail narrows the result. */
  history(type: HistoryEntry['type'], { phone, email, fromMs = 0, toMs = Infinity }: EntryQuery) {
    return this.#entries
      .filter((entry) => entry.type === type && entry.visibleAt <= Date.now())
      .filter(({ createdAt }) => createdAt >= fromMs && createdAt <= toMs)
      .filter(({ contact }) => phone === undefined || hasPhone(contact, phone))
      .filter(({ contact }) => email === undefined || hasEmail(contact, email))
      .sort((a, b) => b.createdAt - a.createdAt);
  }

  /** The customer with the phone, then the one with the e-mail. */
  #findAll({ phone, email }: Named): Member[] {
    const byPhone = this.customers.filter((person) => hasPhone(person, phone));
    return [...byPhone, ...this.customers.filter((person) => hasEmail(person, email))];
  }

  #findOrCreate(named: Named): Member {
    return this.find(named) ?? addTo(createPerson(), named);
  }

  /** Merges all customers who have a part of it: the worst case of docs/antcrm.md. */
  #join(named: Named): Member {
    const [known, ...others] = new Set(this.#findAll(named));
    const customerId = Math.max(...this.customers.map((person) => person.customerId ?? 0)) + 1;
    const customer = known ?? createPerson(customerId);
    const unmerged = this.customers.filter((person) => person !== customer && !others.includes(person));
    this.customers = [...unmerged, customer];
    for (const { phones, emails } of others) {
      for (const { value } of phones) addTo(customer, { phone: value });
      for (const { value } of emails) addTo(customer, { email: value });
    }
    for (const entry of this.#entries) if (others.includes(entry.contact)) entry.contact = customer;
    return addTo(customer, named);
  }

  #record(attempt: Omit<HistoryEntry, 'createdAt' | 'visibleAt' | 'id'>, hiddenMs: number): void {
    const createdAt = Date.now();
    this.#entries.push({ ...attempt, createdAt, visibleAt: createdAt + hiddenMs, id: newId() });
  }
}

/** Without a `customerId` a stranger. */
function createPerson(customerId?: number): Member {
  const identity = customerId === undefined ? {} : { customerId };
  return { phones: [], emails: [], name: '', lastname: '', ...identity, id: newId() };
}

function addTo(person: Member, { phone, email, name = '' }: Named): Member {
  const identifier = { type: 'Work', _id: newId() } as const;
  if (phone !== undefined && !hasPhone(person, phone)) person.phones.push({ ...identifier, value: phone });
  if (email !== undefined && !hasEmail(person, email)) person.emails.push({ ...identifier, value: email });
  person.name ||= name;
  return person;
}

const findRefusal = (rules: readonly (readonly [isBroken: unknown, refusal: string])[]): string | null =>
  rules.find(([isBroken]) => isBroken)?.[1] ?? null;

/** 45 accumulations and 25 redemptions, so that every period has records. Every ninth failed. */
function pastOf(contact: Member): HistoryEntry[] {
  const entry = (hoursAgo: number) => {
    const createdAt = Date.now() - hoursAgo * 60 * 60 * 1000;
    return { createdAt, visibleAt: createdAt, id: newId(), contact };
  };
  const earned = Array.from({ length: 45 }, (_, n): HistoryEntry => {
    const product = PRODUCTS[n % PRODUCTS.length];
    const serialNumber = String(100_000_001 + n);
    const code = (product ? prefixOf(product) : '') + serialNumber;
    // A failed attempt tells no product: the code was mistyped.
    const item = n % 9 === 8 ? {} : { product, serialNumber };
    const score = item.product?.score ?? 0;
    return { ...entry((45 - n) * 36 - 12), type: 1, score, status: n % 9 === 8 ? 0 : 1, code, ...item };
  });
  const redeemed = Array.from({ length: 25 }, (_, n): HistoryEntry => {
    // The dear one cannot be paid.
    const gift = GIFTS[n % 9 === 8 ? 2 : n % 2];
    const status = n % 9 === 8 ? 0 : 1;
    return { ...entry((25 - n) * 62 - 20), type: 2, score: gift?.score ?? 0, status, gift };
  });
  return [...earned, ...redeemed].sort((a, b) => a.createdAt - b.createdAt);
}
