import { setImmediate } from 'node:timers/promises';
import { fold } from '../conversation/language/tokens.ts';
import type { Operation, Ticket } from '../conversation/state.ts';
import { parsePhone } from '../conversation/values/contact.ts';
import type { TicketEntry } from './backlog.ts';

/** Tickets that a search reads: open ones first, then the newest closed ones. */
const MOST_SEARCHED = 300;
const MOST_FOUND = 50;
/** Tickets that are read at once, so that the search holds nothing else up. */
const AT_ONCE = 20;

/** What is searched of a ticket. */
type Searchable = {
  readonly ticket: Ticket;
  readonly operations: readonly Pick<Operation, 'id'>[];
  /** The phones that the bot knows of the customer, E.164. */
  readonly phones: readonly string[];
};

/** `searched`: how many were read, of `total`. */
export type TicketSearch<Seen> = {
  readonly tickets: readonly Seen[];
  readonly searched: number;
  readonly total: number;
};

type Searched = { readonly entries: readonly TicketEntry[]; readonly total: number };

/**
 * Finds tickets by the customer's name, a reference, a phone, or words of an open one. Its cost does not grow
 * with the number of tickets.
 */
export async function searchTickets<Seen extends Searchable>(
  query: string,
  { entries, total }: Searched,
  read: (entry: TicketEntry) => Promise<Seen | null>,
): Promise<TicketSearch<Seen>> {
  const isWanted = matcherOf(query);
  const tickets: Seen[] = [];
  const most = Math.min(entries.length, MOST_SEARCHED);
  let searched = 0;
  while (searched < most && tickets.length < MOST_FOUND) {
    const some = await Promise.all(entries.slice(searched, Math.min(searched + AT_ONCE, most)).map(read));
    searched += some.length;
    for (const seen of some) {
      if (seen !== null && isWanted(seen)) tickets.push(seen);
      // A full ticket has 64 KB: customers must not wait for all of them.
      await setImmediate();
    }
  }
  return { tickets, searched, total };
}

/** Marks, capitals and blanks do not count. A phone is compared as a number, however it is written. */
function matcherOf(query: string): (seen: Searchable) => boolean {
  const words = fold(query).split(' ').filter(Boolean);
  const phone = parsePhone(query);
  return (seen) => {
    if (phone.ok && phonesOf(seen).includes(phone.value)) return true;
    const text = textsOf(seen).map(foldAll).join(' ');
    return words.length > 0 && words.every((word) => text.includes(word));
  };
}

/** Folds each word, because `fold` reads only the beginning of a text. */
const foldAll = (text: string): string => text.split(/\s+/).map(fold).filter(Boolean).join(' ');

function phonesOf({ ticket, phones }: Searchable): readonly string[] {
  const asked = parsePhone(ticket.doing?.phone ?? '');
  return asked.ok ? [...phones, asked.value] : phones;
}

/** The texts of a ticket that are searched. A closed ticket has only its name and references. */
function textsOf({ ticket, operations }: Searchable): readonly string[] {
  const { id, name = '', closed, led = [], notes } = ticket;
  const always = [name, id, ...operations.map((operation) => operation.id)];
  return closed ? always : [...always, ...led, ...notes.map(({ text }) => text)];
}
