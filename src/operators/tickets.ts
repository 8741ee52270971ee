import { claimTicket } from '../conversation/dialogue/handover.ts';
import type { Operation, State, Ticket } from '../conversation/state.ts';
import { membersOf } from '../engine/listing.ts';
import type { Operators, StoredConversation } from '../engine/operators.ts';
import type { Runtime } from '../runtime.ts';
import { type RecordStore, StoreUnavailable } from '../store/port.ts';
import { type TicketEntry as Entry, ticketsIn } from './backlog.ts';

/*
 * Tickets as staff see them. An answer of staff is filed in its conversation like a message, so it is stored
 * and in order.
 */

/** A ticket and what its customer did. */
export type SeenTicket = {
  readonly ticket: Ticket;
  readonly channel: string;
  /** The channel's own name of it. */
  readonly conversation: string;
  readonly operations: readonly Operation[];
};

export type News = {
  readonly ticket: string;
  readonly what: 'opened' | 'message' | 'answered' | 'claimed' | 'closed';
};

/** All reject with `StoreUnavailable`. */
export type Tickets = {
  /** Oldest first; of very many not all. */
  list(stands?: 'open' | 'closed'): Promise<readonly SeenTicket[]>;
  find(id: string): Promise<SeenTicket | null>;
  /** Files an answer, a claim (`true`) or release, or else the end of the ticket. */
  file(
    id: string,
    note: {
      readonly by: string;
      readonly text?: string;
      readonly id?: string | undefined;
      readonly claim?: boolean;
    },
  ): Promise<'filed' | 'unknown' | 'closed'>;
  /** What was not understood, newest first; of very many not all. */
  unclear(): Promise<readonly (NonNullable<State['unclear']>[number] & { channel: string })[]>;
  /** Tells what is new from now on, until the returned function is called. */
  follow(tell: (news: News) => void): Promise<() => void>;
};

/** How many tickets are read for a list, and how many of a shard are looked at. */
const MOST_READ = 200;
const MOST_LISTED = 200;
/** How often is looked for news, while anybody follows. */
const LOOK_MS = 500;

export function createTickets(options: {
  readonly store: Pick<RecordStore, 'list'>;
  readonly operators: Pick<Operators, 'conversation' | 'file'>;
  readonly runtime: Pick<Runtime, 'id' | 'timer'>;
}): Tickets {
  const { store, operators, runtime } = options;
  const followers = new Set<(news: News) => void>();
  let known: ReadonlyMap<string, Entry> = new Map();
  let watching: Promise<void> | undefined;

  /** What is open; while a shard does not answer, nothing is taken as closed. */
  async function look(): Promise<ReadonlyMap<string, Entry>> {
    const { tickets, isWhole } = await ticketsIn(store, 'now', MOST_LISTED);
    return new Map([...(isWhole ? [] : known), ...tickets.map((entry) => [entry.id, entry] as const)]);
  }

  async function watch(): Promise<void> {
    if (followers.size === 0) {
      watching = undefined;
      return;
    }
    // Where the store does not answer, whoever follows hears of it the next time.
    const open = await look().catch(() => known);
    for (const news of newsIn(known, open)) for (const tell of followers) tell(news);
    known = open;
    runtime.timer(LOOK_MS, watch);
  }

  async function begin(): Promise<void> {
    known = await look();
    runtime.timer(LOOK_MS, watch);
  }

  async function seen({ conversation: name, id }: Entry): Promise<SeenTicket | null> {
    const found = ticketIn(await operators.conversation(name), id);
    if (found === null) return null;
    const { ticket, operations, origin } = found;
    return { ticket, operations, channel: origin.channel, conversation: origin.conversation };
  }

  /** Undefined: there is none of that id. */
  async function entryOf(id: string): Promise<Entry | undefined> {
    const { tickets, isWhole } = await ticketsIn(store, 'ever', MOST_LISTED);
    const entry = tickets.find((one) => one.id === id);
    if (!entry && !isWhole) throw new StoreUnavailable('some shards of the store do not answer');
    return entry;
  }

  return {
    async list(stands) {
      const { tickets } = await ticketsIn(store, stands === 'open' ? 'now' : 'ever', MOST_LISTED);
      const all = tickets.toSorted((a, b) => a.score - b.score);
      const some = [false, true].flatMap((isClosed) =>
        all.filter((entry) => (entry.stands === 'closed') === isClosed).slice(0, MOST_READ),
      );
      return (await Promise.all(some.map(seen)))
        .filter((one) => one !== null)
        .filter(({ ticket }) => stands === undefined || stands === (ticket.closed ? 'closed' : 'open'))
        .toSorted((a, b) => a.ticket.openedMs - b.ticket.openedMs);
    },

    async find(id) {
      const entry = await entryOf(id);
      return entry === undefined ? null : seen(entry);
    },

    async file(id, { by, text, claim, id: note = runtime.id() }) {
      const entry = await entryOf(id);
      if (!entry) return 'unknown';
      const content = text === undefined ? {} : { text, id: note };
      const isEnd = text === undefined && claim === undefined;
      return operators.file(entry.conversation, (conversation) => {
        const { ticket, origin } = ticketIn(conversation, id) ?? {};
        if (!ticket || !origin) return 'unknown';
        const isSaid = text !== undefined && ticket.notes.some((one) => one.id === note);
        if (!isSaid && ticket.closed) return 'closed';
        const claimed = claim === undefined ? {} : { claim };
        const message = { kind: 'person' as const, ticket: id, by, ...content, ...claimed };
        return { ...origin, id: isEnd ? `person:${id}` : `person:${id}:${note}`, message };
      });
    },

    async follow(tell) {
      watching ??= begin();
      await watching.catch((error: unknown) => {
        watching = undefined;
        throw error;
      });
      followers.add(tell);
      return () => void followers.delete(tell);
    },

    async unclear() {
      const names = await membersOf(store, 'unclear', MOST_LISTED);
      const found = await Promise.all(names.slice(0, MOST_READ).map(operators.conversation));
      const sentences = found.flatMap((one) =>
        (one?.state?.unclear ?? []).map((each) => ({ ...each, channel: one?.origin?.channel ?? '' })),
      );
      return sentences.toSorted((a, b) => b.atMs - a.atMs);
    },
  };
}

/** The ticket, with what staff filed that no turn has taken up yet. */
function ticketIn(conversation: StoredConversation | null, id: string) {
  const { state, origin } = conversation ?? {};
  const ticket = state?.tickets?.find((one) => one.id === id);
  if (!conversation || !state || !origin || !ticket) return null;
  return { ticket: withFiled(ticket, conversation), origin, operations: state.operations };
}

function withFiled(ticket: Ticket, { messages, nowMs }: StoredConversation): Ticket {
  let filed = ticket;
  for (const { message, acceptedMs: atMs = nowMs } of messages) {
    if (message.kind !== 'person' || message.ticket !== ticket.id) continue;
    const { by, text, id, claim } = message;
    if (claim !== undefined) filed = claimTicket(filed, by, claim);
    else if (text === undefined) filed = { closed: { atMs, by: 'staff', staff: by }, ...filed };
    else {
      const { waitsMs: _, ...rest } = filed;
      const note = { atMs, text, by, ...(id !== undefined && { id }) };
      filed = { ...rest, answeredMs: atMs, claimedBy: by, notes: [...rest.notes, note] };
    }
  }
  return filed;
}

/** What happened between two looks. What is open no more is closed. */
function newsIn(before: ReadonlyMap<string, Entry>, now: ReadonlyMap<string, Entry>): News[] {
  const closed = [...before.keys()].filter((id) => !now.has(id));
  const told = [...now.values()].flatMap(({ id, customer, staff, claims }) => {
    const known = before.get(id);
    const what: News['what'][] = known ? [] : ['opened'];
    if (customer > (known?.customer ?? 0)) what.push('message');
    if (staff > (known?.staff ?? 0)) what.push('answered');
    if (claims > (known?.claims ?? 0)) what.push('claimed');
    return what.map((one) => ({ ticket: id, what: one }));
  });
  return [...told, ...closed.map((ticket) => ({ ticket, what: 'closed' as const }))];
}
