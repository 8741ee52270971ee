import { toE164 } from '../loyalty/wire.ts';
import { GIFTS, type Item, PRODUCTS, prefixOf, readPrintedCode } from './catalog.ts';

type Address = { readonly type: 'Work'; readonly _id: string; readonly value: string };

/** A customer; without a `customerId` a stranger: a failed attempt makes nobody a customer. */
export type Person = Readonly<{ phones: Address[]; emails: Address[]; lastname: ''; id: string }> & {
  name: string;
  readonly customerId?: number;
};

/** What a request says about the person it is for. */
export type Named = Readonly<Partial<Record<'phone' | 'email' | 'name', string | undefined>>>;

/** A record of the history. Its `contact` is the customer's own object: later joins show in it. */
export type Entry = {
  readonly type: 1 | 2;
  readonly score: number;
  readonly status: 0 | 1;
  readonly product?: Item | undefined;
  readonly gift?: Item | { readonly code: string } | undefined;
  contact: Person;
  readonly code?: string | undefined;
  readonly serialNumber?: string | undefined;
  /** Epoch ms; the history shows it from `visibleAt` on. */
  readonly createdAt: number;
  readonly visibleAt: number;
  readonly id: string;
};

/** Epoch ms; 24 hex digits, unique even after a reset: record ids settle operations. */
export type LedgerSources = { readonly now: () => number; readonly newId: () => string };

const GARNACHO: Named = { name: 'Garnacho', phone: '0867123456', email: 'garnacho@gmail.com' };

/** However it is written. */
const hasPhone = ({ phones }: Person, phone: string | undefined): boolean =>
  phone !== undefined && phones.some(({ value }) => toE164(value) === toE164(phone));
const hasEmail = ({ emails }: Person, email: string | undefined): boolean =>
  email !== undefined && emails.some(({ value }) => value.toLowerCase() === email.toLowerCase());

export type Ledger = ReturnType<typeof createLedger>;

/**
 * AntCRM's books: who has which points and how they came by them. A fresh one has one customer with a past,
 * all codes unused. Who earns or spends gets null, or AntCRM's words for its refusal; `hiddenMs`: the record
 * shows up that much later in the history, the points move at once.
 */
export function createLedger({ now, newId }: LedgerSources) {
  const used = new Set<string>();
  const garnacho = write(newPerson(475), GARNACHO);
  let customers: readonly Person[] = [garnacho];
  const entries = pastOf(garnacho, now(), newId);

  function newPerson(customerId?: number): Person {
    const known = customerId === undefined ? {} : { customerId };
    return { phones: [], emails: [], name: '', lastname: '', ...known, id: newId() };
  }

  function write(person: Person, { phone, email, name = '' }: Named): Person {
    const address = (value: string): Address => ({ type: 'Work', _id: newId(), value });
    if (phone !== undefined && !hasPhone(person, phone)) person.phones.push(address(phone));
    if (email !== undefined && !hasEmail(person, email)) person.emails.push(address(email));
    person.name ||= name;
    return person;
  }

  /** Whoever has the phone, then whoever has the e-mail. */
  function matching({ phone, email }: Named): Person[] {
    const byPhone = customers.filter((person) => hasPhone(person, phone));
    return [...byPhone, ...customers.filter((person) => hasEmail(person, email))];
  }

  /**
   * The customer who earns: found, or new. What else was sent is joined to them, and where it belonged to
   * another customer that one is merged: the worst that docs/antcrm.md allows for.
   */
  function join(named: Named): Person {
    const [found, ...others] = new Set(matching(named));
    const customer = found ?? newPerson(Math.max(...customers.map(({ customerId = 0 }) => customerId)) + 1);
    customers = found ? customers.filter((one) => !others.includes(one)) : [...customers, customer];
    for (const other of others) {
      for (const { value } of other.phones) write(customer, { phone: value });
      for (const { value } of other.emails) write(customer, { email: value });
    }
    for (const entry of entries) if (others.includes(entry.contact)) entry.contact = customer;
    return write(customer, named);
  }

  function balance(customer: Person) {
    const scores = { 1: 0, 2: 0 };
    for (const { contact, status, type, score } of entries)
      if (contact === customer && status === 1) scores[type] += score;
    return { available: scores[1] - scores[2], earned: scores[1] };
  }

  type Made = Pick<Entry, 'type' | 'score' | 'product' | 'serialNumber' | 'gift' | 'code'>;
  function note(made: Made, named: Named, refusal: string | null, hiddenMs: number): string | null {
    const isEarned = made.type === 1 && refusal === null;
    const contact = isEarned ? join(named) : (matching(named)[0] ?? write(newPerson(), named));
    const at = { createdAt: now(), visibleAt: now() + hiddenMs, id: newId() };
    entries.push({ ...made, ...at, status: refusal === null ? 1 : 0, contact });
    return refusal;
  }

  return {
    customers: (): readonly Person[] => customers,
    find: (named: Named): Person | undefined => matching(named)[0],
    balance,

    accumulate(code: string, named: Named, hiddenMs = 0): string | null {
      const printed = readPrintedCode(code);
      const refusal = firstOf([
        [named.phone === undefined && named.email === undefined, 'A phone or an email is needed'],
        [printed === null, 'The code does not exist'],
        [used.has(code), 'The code has been used'],
      ]);
      if (refusal === null) used.add(code);
      const score = refusal === null ? (printed?.product.score ?? 0) : 0;
      return note({ type: 1, score, ...printed, code }, named, refusal, hiddenMs);
    },

    redeem(code: string, named: Named, hiddenMs = 0): string | null {
      const [customer] = matching(named);
      const gift = GIFTS.find((one) => one.code === code);
      const refusal = firstOf([
        [gift === undefined, 'The gift does not exist'],
        [customer === undefined, 'The customer does not exist'],
        [customer && gift && gift.score > balance(customer).available, 'Not enough points'],
      ]);
      return note({ type: 2, score: gift?.score ?? 0, gift: gift ?? { code } }, named, refusal, hiddenMs);
    },

    /** Newest first. A phone and an e-mail together narrow. */
    history(type: Entry['type'], { phone, email }: Named, fromMs = -Infinity, toMs = Infinity): Entry[] {
      const at = now();
      const isOf = (one: Person) =>
        (phone === undefined || hasPhone(one, phone)) && (email === undefined || hasEmail(one, email));
      return entries
        .filter((entry) => entry.type === type && entry.visibleAt <= at && isOf(entry.contact))
        .filter(({ createdAt }) => createdAt >= fromMs && createdAt <= toMs)
        .sort((a, b) => b.createdAt - a.createdAt);
    },
  };
}

const firstOf = (rules: readonly (readonly [isBroken: unknown, refusal: string])[]): string | null =>
  rules.find(([isBroken]) => isBroken)?.[1] ?? null;

const HOUR_MS = 60 * 60 * 1000;

/**
 * 45 accumulations and 25 redemptions, every ninth of which failed; oldest first. They end the day before
 * `nowMs` and go back some ten weeks, so that every period has records. Their codes are not among those that
 * can be tried.
 */
function pastOf(contact: Person, nowMs: number, newId: () => string): Entry[] {
  const entry = (hoursAgo: number) => {
    const at = nowMs - hoursAgo * HOUR_MS;
    return { createdAt: at, visibleAt: at, id: newId(), contact };
  };
  const earned = Array.from({ length: 45 }, (_, n): Entry => {
    const product = PRODUCTS[n % PRODUCTS.length];
    const at = entry((45 - n) * 36 - 12);
    const serialNumber = String(100_000_001 + n);
    const code = (product ? prefixOf(product) : '') + serialNumber;
    // A failed attempt tells no product: the code was mistyped.
    if (n % 9 === 8) return { ...at, type: 1, score: 0, status: 0, code };
    return { ...at, type: 1, score: product?.score ?? 0, status: 1, product, code, serialNumber };
  });
  const redeemed = Array.from({ length: 25 }, (_, n): Entry => {
    const isFailed = n % 9 === 8;
    const wanted = isFailed ? 'NOICOM01' : n % 2 === 0 ? 'DAUMAY01' : 'LOA01';
    const gift = GIFTS.find(({ code }) => code === wanted);
    return { ...entry((25 - n) * 62 - 20), type: 2, score: gift?.score ?? 0, status: isFailed ? 0 : 1, gift };
  });
  return [...earned, ...redeemed].sort((a, b) => a.createdAt - b.createdAt);
}
