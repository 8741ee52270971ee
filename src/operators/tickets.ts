import { claimTicket } from '../conversation/dialogue/handover.ts';
import type { State, Ticket } from '../conversation/state.ts';
import { membersOf, type Operators, type StoredConversation } from '../engine/operators.ts';
import type { Runtime, Timer } from '../runtime.ts';
import { type RecordStore, StoreUnavailable } from '../store/port.ts';
import { listTickets, type TicketEntry } from './backlog.ts';

/* The tickets of all conversations. An answer is filed in its conversation like a message. */

/** A ticket, with what its customer did and where they are. */
export type SeenTicket = NonNullable<ReturnType<typeof ticketIn>>;

/** What happened to a ticket. */
export type News = {
  readonly ticket: string;
  readonly what: 'opened' | 'message' | 'answered' | 'claimed' | 'closed';
};

/** What staff do with a ticket: `text` answers, `claim` takes or releases it, neither closes it. */
export type StaffNote = {
  readonly by: string;
  readonly text?: string;
  readonly id?: string | undefined;
  readonly claim?: boolean;
};

type TicketParts = {
  readonly store: Pick<RecordStore, 'list'>;
  readonly operators: Pick<Operators, 'conversation' | 'file'>;
  readonly runtime: Pick<Runtime, 'id' | 'timer'>;
};

/** Tickets in a list, and entries read of each shard. */
const MOST_READ = 200;
/** How often the index is read while anybody follows. */
const READ_EVERY_MS = 500;

export type Tickets = ReturnType<typeof createTickets>;

/** All functions reject with `StoreUnavailable`. */
export function createTickets({ store, operators, runtime }: TicketParts) {
  const read = async ({ conversation, id }: TicketEntry): Promise<SeenTicket | null> =>
    ticketIn(await operators.conversation(conversation), id);

  /** Undefined: no ticket has that id. */
  async function entryOf(id: string): Promise<TicketEntry | undefined> {
    const { tickets, isWhole } = await listTickets(store, 'ever', MOST_READ);
    const entry = tickets.find((ticket) => ticket.id === id);
    if (!entry && !isWhole) throw new StoreUnavailable('some shards of the store do not answer');
    return entry;
  }

  return {
    /** Oldest first. Of more than `MOST_READ` the closed ones are left out. */
    async list(state?: 'open' | 'closed'): Promise<readonly SeenTicket[]> {
      const { tickets } = await listTickets(store, state === 'open' ? 'now' : 'ever', MOST_READ);
      const isClosed = ({ stands }: TicketEntry): number => Number(stands === 'closed');
      const sorted = tickets.toSorted((a, b) => isClosed(a) - isClosed(b) || a.score - b.score);
      const seen = await Promise.all(sorted.slice(0, MOST_READ).map(read));
      return seen
        .filter((one) => one !== null)
        .filter(({ ticket }) => state === undefined || (state === 'closed') === Boolean(ticket.closed))
        .toSorted((a, b) => a.ticket.openedMs - b.ticket.openedMs);
    },

    async find(id: string): Promise<SeenTicket | null> {
      const entry = await entryOf(id);
      return entry === undefined ? null : read(entry);
    },

    /** A repeated `note.id` changes nothing. */
    async file(id: string, note: StaffNote): Promise<'filed' | 'unknown' | 'closed'> {
      const entry = await entryOf(id);
      if (!entry) return 'unknown';
      const { id: noteId = runtime.id() } = note;
      return operators.file(entry.conversation, (conversation) => {
        const { ticket, origin } = ticketIn(conversation, id) ?? {};
        if (!ticket || !origin) return 'unknown';
        const isRepeat = note.text !== undefined && ticket.notes.some((filed) => filed.id === noteId);
        if (!isRepeat && ticket.closed) return 'closed';
        return { ...origin, ...toMessage(id, { ...note, id: noteId }) };
      });
    },

    unclear: () => readUnclear(store, operators),

    follow: createTicketNews(store, runtime),
  };
}

/** Texts that the bot did not understand, newest first, of some conversations. */
async function readUnclear(
  store: TicketParts['store'],
  operators: Pick<Operators, 'conversation'>,
): Promise<readonly (NonNullable<State['unclear']>[number] & { channel: string })[]> {
  const names = (await membersOf(store, 'unclear', MOST_READ)).slice(0, MOST_READ);
  const conversations = await Promise.all(names.map((name) => operators.conversation(name)));
  const sentences = conversations.flatMap((conversation) => {
    const channel = conversation?.origin?.channel ?? '';
    return (conversation?.state?.unclear ?? []).map((sentence) => ({ ...sentence, channel }));
  });
  return sentences.toSorted((a, b) => b.atMs - a.atMs);
}

function toMessage(ticket: string, { id, by, text, claim }: StaffNote & { readonly id: string }) {
  const content = text === undefined ? {} : { text, id };
  const claimed = claim === undefined ? {} : { claim };
  const isEnd = text === undefined && claim === undefined;
  return {
    id: isEnd ? `person:${ticket}` : `person:${ticket}:${id}`,
    message: { kind: 'person' as const, ticket, by, ...content, ...claimed },
  };
}

/** Tells followers about new events, until they call the returned function. */
function createTicketNews(store: TicketParts['store'], runtime: Pick<Runtime, 'timer'>) {
  const followers = new Set<(news: News) => void>();
  let open: ReadonlyMap<string, TicketEntry> = new Map();
  /** Undefined: there are no followers. */
  let next: Timer | undefined;

  /** If a shard does not answer, a missing ticket does not count as closed. */
  async function readOpen(): Promise<ReadonlyMap<string, TicketEntry>> {
    const { tickets, isWhole } = await listTickets(store, 'now', MOST_READ);
    return new Map([...(isWhole ? [] : open), ...tickets.map((entry) => [entry.id, entry] as const)]);
  }

  async function look(): Promise<void> {
    // If the store does not answer, the next look tells the followers.
    const now = await readOpen().catch(() => open);
    for (const id of new Set([...now.keys(), ...open.keys()]))
      for (const what of newsOf(open.get(id), now.get(id)))
        for (const tell of followers) tell({ ticket: id, what });
    open = now;
    next = followers.size > 0 ? runtime.timer(READ_EVERY_MS, look) : undefined;
  }

  return async (tell: (news: News) => void): Promise<() => void> => {
    if (next === undefined) {
      open = await readOpen();
      next ??= runtime.timer(READ_EVERY_MS, look);
    }
    followers.add(tell);
    return () => void followers.delete(tell);
  };
}

/** What happened between two looks. A ticket that is no longer open was closed. */
function newsOf(before: TicketEntry | undefined, now: TicketEntry | undefined): News['what'][] {
  if (now === undefined) return ['closed'];
  const news: News['what'][] = before ? [] : ['opened'];
  if (now.customer > (before?.customer ?? 0)) news.push('message');
  if (now.staff > (before?.staff ?? 0)) news.push('answered');
  if (now.claims > (before?.claims ?? 0)) news.push('claimed');
  return news;
}

/** The ticket, with the messages of staff that no turn has handled yet. */
function ticketIn(conversation: StoredConversation | null, id: string) {
  const { state, origin } = conversation ?? {};
  const ticket = state?.tickets?.find((one) => one.id === id);
  if (!conversation || !state || !origin || !ticket) return null;
  return { ticket: withFiledNotes(ticket, conversation), origin, operations: state.operations };
}

function withFiledNotes(ticket: Ticket, { messages, nowMs }: StoredConversation): Ticket {
  let current = ticket;
  for (const { message, acceptedMs: atMs = nowMs } of messages) {
    if (message.kind !== 'person' || message.ticket !== ticket.id) continue;
    const { by, text, id, claim } = message;
    if (claim !== undefined) current = claimTicket(current, by, claim);
    else if (text === undefined) current = { closed: { atMs, by: 'staff', staff: by }, ...current };
    else {
      const { waitsMs: _, ...rest } = current;
      const note = { atMs, text, by, ...(id !== undefined && { id }) };
      current = { ...rest, answeredMs: atMs, claimedBy: by, notes: [...rest.notes, note] };
    }
  }
  return current;
}
