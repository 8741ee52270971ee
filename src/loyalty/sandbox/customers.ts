import { toE164 } from '../phone.ts';

/** A phone or an e-mail as AntCRM shows it. */
type Address = { readonly type: 'Work'; readonly _id: string; readonly value: string };

/** The `contact` of a record, as AntCRM shows it. */
type Card = {
  readonly phones: Address[];
  readonly emails: Address[];
  name: string;
  readonly lastname: '';
  readonly id: string;
};

/** The person of a record. One without a `customerId` is a stranger: a failed attempt makes nobody a customer. */
export type Person = {
  readonly card: Card & { readonly customerId?: number };
  /** Every phone and e-mail, however written, as one key each. */
  readonly keys: Set<string>;
};
export type Customer = Person & { readonly card: { readonly customerId: number } };

/** What a request says about the person it is for. */
export type Named = {
  readonly phones: readonly string[];
  readonly emails: readonly string[];
  readonly name?: string | undefined;
};

/** The customers of the sandbox; a phone and an e-mail that come together end up on one of them. */
export type Customers = {
  all(): Customer[];
  /** The first customer who has any of the phones, else any of the e-mails. */
  find(named: Named): Customer | undefined;
  /**
   * The customer who earns: found, or new. What else was sent is joined to them, and where it belonged to another
   * customer that one is merged (`onMerge`): the worst that docs/antcrm.md allows for.
   */
  join(named: Named, onMerge: (from: Customer, into: Customer) => void): Customer;
  add(customerId: number, named: Named): Customer;
  /** Somebody to put on the record of a failed attempt; not kept. */
  stranger(named: Named): Person;
};

export const phoneKey = (phone: string): string => `phone:${toE164(phone)}`;
export const emailKey = (email: string): string => `email:${email.toLowerCase()}`;

export function createCustomers(newId: () => string): Customers {
  const byKey = new Map<string, Customer>();

  const emptyCard = (name = ''): Card => ({ phones: [], emails: [], name, lastname: '', id: newId() });

  function write(value: string, key: string, list: Address[], { keys }: Person): void {
    if (keys.has(key)) return;
    keys.add(key);
    list.push({ type: 'Work', _id: newId(), value });
  }

  function extend(person: Person, { phones, emails, name = '' }: Named): void {
    for (const phone of phones) write(phone, phoneKey(phone), person.card.phones, person);
    for (const email of emails) write(email, emailKey(email), person.card.emails, person);
    person.card.name ||= name;
  }

  function keep(customer: Customer, named: Named): Customer {
    extend(customer, named);
    for (const key of customer.keys) byKey.set(key, customer);
    return customer;
  }

  const add = (customerId: number, named: Named): Customer =>
    keep({ card: { ...emptyCard(), customerId }, keys: new Set() }, named);

  const all = () => [...new Set(byKey.values())];

  const matching = ({ phones, emails }: Named): Customer[] =>
    [...phones.map(phoneKey), ...emails.map(emailKey)].flatMap((key) => byKey.get(key) ?? []);

  return {
    all,
    find: (named) => matching(named)[0],
    add,

    join(named, onMerge) {
      const [customer, ...others] = new Set(matching(named));
      if (!customer) return add(Math.max(0, ...all().map(({ card }) => card.customerId)) + 1, named);
      for (const other of others) {
        const valuesOf = (list: readonly Address[]) => list.map(({ value }) => value);
        keep(customer, { phones: valuesOf(other.card.phones), emails: valuesOf(other.card.emails) });
        onMerge(other, customer);
      }
      return keep(customer, named);
    },

    stranger(named) {
      const person = { card: emptyCard(), keys: new Set<string>() };
      extend(person, named);
      return person;
    },
  };
}
