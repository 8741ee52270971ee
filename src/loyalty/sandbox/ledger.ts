import { GIFTS, readPrintedCode, type SandboxGift } from './catalog.ts';
import {
  type Customer,
  type Customers,
  createCustomers,
  emailKey,
  type Named,
  phoneKey,
} from './customers.ts';
import type { Entry } from './entry.ts';
import { pastOf } from './past.ts';

/** How a request to earn or spend ended: null, or AntCRM's words for its refusal. */
export type Refusal = string | null;

export type HistoryFilter = {
  readonly type: 1 | 2;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly phone?: string | undefined;
  readonly email?: string | undefined;
};

export type Balance = { readonly available: number; readonly earned: number };

/** AntCRM's books: who has which points and how they came by them. */
export type Ledger = {
  readonly customers: Customers;
  /** `hiddenMs`: the record shows up that much later in the history; the points move at once. */
  accumulate(code: string, named: Named, hiddenMs?: number): Refusal;
  redeem(giftCode: string, named: Named, hiddenMs?: number): Refusal;
  /** Newest first. A phone and an e-mail together narrow. */
  history(filter: HistoryFilter): Entry[];
  balance(customer: Customer): Balance;
};

export type Sources = {
  /** Epoch ms. */
  readonly now: () => number;
  /** 24 hex digits, never the same twice, not even after a reset: operations are settled by record ids. */
  readonly newId: () => string;
};

const GARNACHO = { name: 'Garnacho', phones: ['0867123456'], emails: ['garnacho@gmail.com'] };

/** A fresh ledger: one customer with a past, all codes unused. */
export function createLedger({ now, newId }: Sources): Ledger {
  const customers = createCustomers(newId);
  const used = new Set<string>();
  let entries = pastOf(customers.add(475, GARNACHO), now(), newId);

  const note = (entry: Omit<Entry, 'createdAt' | 'id' | 'visibleAt'>, hiddenMs: number) => {
    const createdAt = now();
    entries.push({ ...entry, createdAt, id: newId(), visibleAt: createdAt + hiddenMs });
  };

  const total = (customer: Customer, type: 1 | 2) =>
    entries
      .filter((entry) => entry.person === customer && entry.type === type && entry.status === 1)
      .reduce((sum, { score }) => sum + score, 0);

  const balance = (customer: Customer) => {
    const earned = total(customer, 1);
    return { available: earned - total(customer, 2), earned };
  };

  const merge = (from: Customer, into: Customer) => {
    entries = entries.map((entry) => (entry.person === from ? { ...entry, person: into } : entry));
  };

  return {
    customers,
    balance,

    accumulate(code, named, hiddenMs = 0) {
      const printed = readPrintedCode(code);
      const refusal = isNobody(named) ?? refuseCode(printed !== null, used.has(code));
      const person =
        refusal === null
          ? customers.join(named, merge)
          : (customers.find(named) ?? customers.stranger(named));
      const score = refusal === null ? (printed?.product.score ?? 0) : 0;
      if (refusal === null) used.add(code);
      note({ type: 1, score, status: refusal === null ? 1 : 0, ...printed, person, code }, hiddenMs);
      return refusal;
    },

    redeem(giftCode, named, hiddenMs = 0) {
      const customer = customers.find(named);
      const gift = GIFTS.find(({ code }) => code === giftCode);
      const refusal = isNobody(named) ?? refuseGift(gift, customer && balance(customer).available);
      const person = customer ?? customers.stranger(named);
      const score = gift?.score ?? 0;
      note(
        { type: 2, score, status: refusal === null ? 1 : 0, gift: gift ?? { code: giftCode }, person },
        hiddenMs,
      );
      return refusal;
    },

    history(filter) {
      const at = now();
      return entries
        .filter((entry) => entry.visibleAt <= at && isAskedFor(entry, filter))
        .sort((a, b) => b.createdAt - a.createdAt);
    },
  };
}

const isNobody = ({ phones, emails }: Named): Refusal =>
  phones.length + emails.length === 0 ? 'A phone or an email is needed' : null;

function refuseCode(printed: boolean, used: boolean): Refusal {
  if (!printed) return 'The code does not exist';
  return used ? 'The code has been used' : null;
}

function refuseGift(gift: SandboxGift | undefined, available: number | undefined): Refusal {
  if (!gift) return 'The gift does not exist';
  if (available === undefined) return 'The customer does not exist';
  return gift.score > available ? 'Not enough points' : null;
}

function isAskedFor(
  entry: Entry,
  { type, fromMs = -Infinity, toMs = Infinity, phone, email }: HistoryFilter,
): boolean {
  return (
    entry.type === type &&
    entry.createdAt >= fromMs &&
    entry.createdAt <= toMs &&
    (phone === undefined || entry.person.keys.has(phoneKey(phone))) &&
    (email === undefined || entry.person.keys.has(emailKey(email)))
  );
}
