import { findOpenTicket, type Operation, type State, type Ticket } from './state.ts';

/*
 * What other rooms read of a state, as data: index entries, where the conversation is, and notices after a
 * turn.
 */

/** An entry of an index. The store appends `part` to the name of the conversation. */
export type ListedEntry = {
  readonly index: 'tickets' | 'unclear';
  readonly part?: string;
  readonly score: number;
};

/** Where a conversation is. `person`: staff answer in place of the bot. */
export type Outline = {
  readonly flow?: string | undefined;
  readonly person?: true;
  readonly listed: readonly ListedEntry[];
};

/** Closed tickets come after all open ones, the newest first. */
const CLOSED_SCORE = 1e14;

export function toOutline(state: State): Outline {
  const { step } = state;
  const isInFlow = step.at === 'asking' || step.at === 'confirming' || step.at === 'browsing';
  return {
    flow: isInFlow ? step.flow : undefined,
    ...(findOpenTicket(state) && { person: true as const }),
    listed: listEntries(state),
  };
}

function listEntries({ tickets = [], unclear = [] }: State): readonly ListedEntry[] {
  const sentence = unclear.at(-1);
  const listed = tickets.map((ticket): ListedEntry => {
    const { id, closed, answeredMs = 0, count } = ticket;
    const waitsMs = waitingSinceMs(ticket);
    const stands = closed ? 'closed' : waitsMs === null ? 'answered' : 'waiting';
    const score = closed ? CLOSED_SCORE - closed.atMs : (waitsMs ?? answeredMs);
    const { customer, staff, claims = 0 } = count;
    return { index: 'tickets', part: writeTicketPart({ id, stands, customer, staff, claims }), score };
  });
  // The newest first.
  return sentence ? [...listed, { index: 'unclear', score: -sentence.atMs }] : listed;
}

/**
 * What the index of tickets tells without opening a record: counts of what was written, claimed, and sent or
 * dropped by the engine (which adds `carried`).
 */
export type TicketPart = {
  readonly id: string;
  readonly stands: 'waiting' | 'answered' | 'closed';
  readonly customer: number;
  readonly staff: number;
  readonly claims: number;
  readonly carried: number;
};

const writeTicketPart = ({ id, stands, customer, staff, claims }: Omit<TicketPart, 'carried'>): string =>
  [id, stands, customer, staff, claims].join(':');

/** Reads what `writeTicketPart` wrote, also without the last counts, as versions before did. */
export function readTicketPart(part: string): TicketPart {
  const [id = '', stands, customer, staff, claims = 0, carried = 0] = part.split(':');
  return {
    id,
    stands: stands === 'waiting' || stands === 'answered' ? stands : 'closed',
    customer: Number(customer),
    staff: Number(staff),
    claims: Number(claims),
    carried: Number(carried),
  };
}

/** When the customer began to wait for staff, epoch ms; null: staff wrote last, or the ticket is closed. */
export function waitingSinceMs({ closed, waitsMs, answeredMs, openedMs }: Ticket): number | null {
  if (closed) return null;
  return waitsMs ?? (answeredMs === undefined ? openedMs : null);
}

/** What happened in a turn, for logs, metrics and alarms. */
export type Notice =
  /** Only staff can settle the operation from now on. */
  | { readonly kind: 'escalated'; readonly operation: string }
  /** A record of the operation came a day after the customer heard that it was not applied. */
  | { readonly kind: 'lateRecord'; readonly operation: string }
  /** The customer heard that no answer came in time. */
  | { readonly kind: 'late' }
  /** The customer asked for a person. */
  | { readonly kind: 'opened'; readonly ticket: Pick<Ticket, 'id' | 'reason' | 'openedMs'> }
  /** The customer asked a question. `answer`: its id, or `none`. */
  | { readonly kind: 'question'; readonly answer: string }
  | { readonly kind: 'misunderstood' }
  /** An operation got its outcome. */
  | { readonly kind: 'resolved'; readonly operation: string; readonly was: Status; readonly now: Status };

type Status = Operation['status'];

const UNDECIDED: readonly Status[] = ['checking', 'watching', 'escalated'];

type Decided = Readonly<Record<'escalated' | 'late' | 'questions', readonly string[]>>;

/** The notices of a turn. `decided` comes from its decisions. */
export function collectNotices(before: State, after: State, decided: Decided): readonly Notice[] {
  const { escalated, late, questions } = decided;
  const notices: Notice[] = [];
  for (const operation of escalated) notices.push({ kind: 'escalated', operation });
  for (const operation of late) notices.push({ kind: 'lateRecord', operation });
  for (const answer of questions) notices.push({ kind: 'question', answer });
  if ((after.misses ?? 0) > (before.misses ?? 0)) notices.push({ kind: 'misunderstood' });
  const ticket = findOpenTicket(after);
  const known = ticket && before.tickets?.find(({ id }) => id === ticket.id);
  if (ticket && !known) notices.push({ kind: 'opened', ticket });
  if (ticket?.late && !findOpenTicket(before)?.late) notices.push({ kind: 'late' });
  for (const { id, status: was } of before.operations) {
    if (!UNDECIDED.includes(was)) continue;
    const now = after.operations.find((operation) => operation.id === id)?.status;
    if (now !== undefined && now !== was) notices.push({ kind: 'resolved', operation: id, was, now });
  }
  return notices;
}
