import { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import { markTicket } from '../conversation/dialogue/handover.ts';
import type { Media } from '../conversation/message.ts';
import type { State, Ticket } from '../conversation/state.ts';
import {
  FAILURES,
  type Failure,
  type FetchedMedia,
  MAX_MEDIA_BYTES,
  MEDIA_BOUNDS,
  type Platform,
} from '../engine/messages.ts';
import { entriesOf, type Operators, type StoredConversation } from '../engine/operators.ts';
import type { Runtime, Timer } from '../runtime.ts';
import { type RecordStore, StoreUnavailable } from '../store/port.ts';
import { listTickets, type TicketEntry } from './backlog.ts';
import { searchTickets } from './ticket-search.ts';

/* The tickets of all conversations. An answer is filed in its conversation like a message. */

/** A ticket, with what its customer did and where they are. */
export type SeenTicket = NonNullable<ReturnType<typeof ticketIn>>;

/** What happened to a ticket. */
export type News = {
  readonly ticket: string;
  readonly what: 'opened' | 'message' | 'answered' | 'delivery' | 'claimed' | 'closed';
};

/**
 * What staff do with a ticket. `text` answers it; with `inner` the text is a note that only staff see.
 * `claim` takes or releases it. `to` assigns it. Without these fields it is closed.
 */
export type StaffNote = {
  readonly by: string;
  readonly text?: string;
  readonly id?: string | undefined;
  readonly inner?: true;
  readonly claim?: boolean;
  readonly to?: string;
  readonly media?: readonly Media[];
};

type TicketParts = {
  readonly store: Pick<RecordStore, 'list'>;
  readonly operators: Pick<Operators, 'conversation' | 'file'>;
  readonly runtime: Pick<Runtime, 'id' | 'timer'>;
  /** The channel of that name. Absent: nothing that customers sent can be fetched. */
  platform?(channel: string): Pick<Platform, 'fetchMedia' | 'takes'> | undefined;
  /** Absent: staff send no files. */
  readonly files?:
    | {
        keep(ticket: string, note: string, bytes: Buffer): Promise<string>;
        read(name: string): Promise<Buffer | null>;
      }
    | undefined;
};

/** A picture or file that staff send, with or without text. */
export type StaffFile = Pick<StaffNote, 'by' | 'id'> & {
  readonly text: string;
  readonly name: string;
  readonly kind: 'picture' | 'file';
  readonly content: Buffer;
};

type Filed = 'filed' | 'unknown' | 'closed';

/** What a customer sent, and how fetching it ended. */
export type SeenMedia = Pick<Media, 'kind' | 'name'> & { readonly fetched: FetchedMedia };

/** Tickets in a list, unless more customers wait. */
const MOST_LISTED = 200;
/** Conversations whose unclear sentences are read, of each shard and in all. */
const MOST_UNCLEAR = 200;
/** Tickets whose conversation is remembered: it never changes. */
const MOST_PLACES = 10_000;
/**
 * How often the index is read while anybody follows. Another process may have written, or time may have
 * closed a ticket. A store that tells its readers would take one more connection for each process.
 */
const READ_EVERY_MS = 500;
/** How long what a list shows of a ticket is remembered, unless the ticket's entry changes. */
const ROW_MS = 60_000;

export type Tickets = ReturnType<typeof createTickets>;

/** `total`: how many there are, also beyond those in the list. */
export type TicketList = { readonly tickets: readonly SeenTicket[]; readonly total: number };

/** All functions reject with `StoreUnavailable`. */
export function createTickets(parts: TicketParts) {
  const { store, operators, runtime } = parts;
  const places = createPlaces(store);
  const read = async (conversation: string, id: string): Promise<SeenTicket | null> =>
    ticketIn(await operators.conversation(conversation), id);
  const rows = createRows(runtime, read);

  /** All that is kept of the conversation of a ticket; null: no ticket has that id. */
  async function conversationOf(id: string): Promise<StoredConversation | null> {
    const place = await places.of(id);
    return place === undefined ? null : operators.conversation(place);
  }

  const find = async (id: string): Promise<SeenTicket | null> => ticketIn(await conversationOf(id), id);

  return {
    /**
     * All waiting tickets come first, the longest wait on top. Then come answered ones, then closed ones, the
     * newest on top. Of the messages, the list has only the last of either side.
     */
    async list(state?: 'open' | 'closed'): Promise<TicketList> {
      const { listed, total } = await chooseListed(store, state);
      places.note(listed);
      const seen = await Promise.all(listed.map(rows.read));
      return { tickets: seen.filter((ticket) => ticket !== null), total };
    },

    find,

    conversationOf,

    /** Finds tickets by name, reference or phone, and open ones by their words. It reads a bounded number. */
    search: (query: string) => search(store, query, read),

    /** Begins to fetch what the customer sent, the `n`th of the ticket; null: the ticket has fewer. */
    media: async (id: string, n: number) => fetchMedia(await find(id), n, parts),

    ...createStaffNotes(parts, { places, rows, find }),

    /** What staff can send to the ticket's customer. */
    takes: (seen: SeenTicket): readonly ('picture' | 'file')[] => takesOf(seen, parts),

    unclear: () => readUnclear(store, operators),

    follow: createTicketNews(store, runtime),
  };
}

type TicketIndex = {
  readonly places: ReturnType<typeof createPlaces>;
  readonly rows: ReturnType<typeof createRows>;
  find(id: string): Promise<SeenTicket | null>;
};

/** Files what staff write and send. */
function createStaffNotes(parts: TicketParts, { places, rows, find }: TicketIndex) {
  const { operators, runtime } = parts;

  /** A repeated `note.id` changes nothing. */
  async function file(id: string, note: StaffNote): Promise<Filed> {
    const place = await places.of(id);
    if (place === undefined) return 'unknown';
    const filed = await operators.file(place, composeNote(id, { ...note, id: note.id ?? runtime.id() }));
    // The entry changes with the next turn.
    rows.forget(id);
    return filed;
  }

  return {
    file,

    /** Sends a picture or file. `refused`: the customer's channel takes none of its kind. */
    async send(id: string, { kind, name, content, ...note }: StaffFile): Promise<Filed | 'refused'> {
      const seen = await find(id);
      if (!seen) return 'unknown';
      if (!takesOf(seen, parts).includes(kind) || !parts.files) return 'refused';
      const noteId = note.id ?? runtime.id();
      const at = await parts.files.keep(id, noteId, content);
      return file(id, { ...note, id: noteId, media: [{ kind, name, bytes: content.length, at }] });
    },
  };
}

/** Where tickets are. */
function createPlaces(store: TicketParts['store']) {
  const places = new LRUCache<string, string>({ max: MOST_PLACES });
  return {
    note(tickets: readonly TicketEntry[]): void {
      for (const { id, conversation } of tickets) places.set(id, conversation);
    },

    /** The name of the ticket's conversation; undefined: no ticket has that id. */
    async of(id: string): Promise<string | undefined> {
      const known = places.get(id);
      if (known !== undefined) return known;
      const { tickets, isWhole } = await listTickets(store, 'ever');
      const entry = tickets.find((ticket) => ticket.id === id);
      if (!entry && !isWhole) throw new StoreUnavailable('some shards of the store do not answer');
      if (entry) places.set(id, entry.conversation);
      return entry?.conversation;
    },
  };
}

/** The message of a note, from the conversation as it is in the change that files it. */
const composeNote = (id: string, note: StaffNote & { readonly id: string }) => {
  return (conversation: StoredConversation | null) => {
    const { ticket, origin } = ticketIn(conversation, id) ?? {};
    if (!ticket || !origin) return 'unknown';
    const isRepeat = note.text !== undefined && ticket.notes.some((filed) => filed.id === note.id);
    if (!isRepeat && ticket.closed) return 'closed';
    return { ...origin, ...toMessage(id, note) };
  };
};

const takesOf = ({ origin }: SeenTicket, { platform }: TicketParts) =>
  platform?.(origin.channel)?.takes ?? [];

async function fetchMedia(
  seen: SeenTicket | null,
  n: number,
  { platform, files }: TicketParts,
): Promise<SeenMedia | null> {
  const note = seen?.ticket.notes.find(({ media = [] }) => media.some((file) => file.n === n));
  const found = note?.media?.find((file) => file.n === n);
  if (!seen || !note || !found) return null;
  const { kind, name, at, bytes = 0 } = found;
  if (note.by !== undefined) {
    const content = typeof at === 'string' ? await files?.read(at) : null;
    const kept = content && { kind: 'fetched' as const, content: Readable.from([content]) };
    return { kind, name, fetched: kept ?? { kind: 'gone' } };
  }
  if (at === undefined) return { kind, name, fetched: { kind: 'gone' } };
  if (bytes > MAX_MEDIA_BYTES) return { kind, name, fetched: { kind: 'large' } };
  const fetching = platform?.(seen.origin.channel)?.fetchMedia?.(seen.origin, at, MEDIA_BOUNDS);
  return { kind, name, fetched: (await fetching) ?? { kind: 'unavailable' } };
}

const search = async (store: TicketParts['store'], query: string, read: ReadTicket) =>
  searchTickets(query, await readEntries(store, undefined), ({ conversation, id }) => read(conversation, id));

type ReadTicket = (conversation: string, id: string) => Promise<SeenTicket | null>;

/** All that wait, and more up to the length of a list. */
async function chooseListed(store: TicketParts['store'], state: 'open' | 'closed' | undefined) {
  const { entries, total } = await readEntries(store, state);
  const waiting = entries.filter(({ stands }) => stands === 'waiting').length;
  return { listed: entries.slice(0, Math.max(MOST_LISTED, waiting)), total };
}

/** Open tickets all, of closed ones the newest, in the order of `list`. */
async function readEntries(store: TicketParts['store'], state: 'open' | 'closed' | undefined) {
  const open = await listTickets(store, 'now');
  if (state === 'open') return { entries: inOrder(open.tickets), total: open.count };
  // A shard lists its open tickets before its closed ones.
  const ever = await listTickets(store, 'ever', open.count + MOST_LISTED);
  if (state === undefined) return { entries: inOrder(ever.tickets), total: ever.count };
  const closed = ever.tickets.filter(({ stands }) => stands === 'closed');
  return { entries: inOrder(closed), total: Math.max(closed.length, ever.count - open.count) };
}

const RANKS = ['waiting', 'answered', 'closed'];
const rankOf = ({ stands }: TicketEntry): number => RANKS.indexOf(stands);
const inOrder = (entries: readonly TicketEntry[]): readonly TicketEntry[] =>
  entries.toSorted((a, b) => rankOf(a) - rankOf(b) || a.score - b.score);

/**
 * What lists show of tickets. Opening a conversation with a full ticket takes half a millisecond, and an
 * event makes each page read its list again: so a row is kept until the ticket's entry changes.
 */
function createRows(
  runtime: Pick<Runtime, 'timer'>,
  read: (conversation: string, id: string) => Promise<SeenTicket | null>,
) {
  type ListRow = { readonly entry: string; readonly seen: Promise<SeenTicket | null> };
  const rows = new Map<string, ListRow>();

  return {
    read({ conversation, id, ...shown }: TicketEntry): ListRow['seen'] {
      const { stands, score, customer, staff, claims, carried } = shown;
      const entry = [stands, score, customer, staff, claims, carried].join(':');
      const known = rows.get(id);
      if (known?.entry === entry) return known.seen;
      // Rows are personal data: none outlives the timer.
      if (rows.size === 0) runtime.timer(ROW_MS, () => rows.clear());
      const seen = read(conversation, id).then(withLastNotes);
      rows.set(id, { entry, seen });
      seen.catch(() => rows.delete(id));
      return seen;
    },

    forget: (id: string): void => void rows.delete(id),
  };
}

/** A ticket with no notes but the last message of either side and the customer's last one. */
function withLastNotes(seen: SeenTicket | null): SeenTicket | null {
  if (seen === null) return null;
  const { notes } = seen.ticket;
  const lastOfCustomer = notes.findLast(({ by }) => by === undefined);
  const lastOfBoth = notes.findLast(({ inner }) => !inner);
  const last = notes.filter((note) => note === lastOfCustomer || note === lastOfBoth);
  return { ...seen, ticket: { ...seen.ticket, notes: last } };
}

/** Texts that the bot did not understand, newest first, of some conversations. */
async function readUnclear(
  store: TicketParts['store'],
  operators: Pick<Operators, 'conversation'>,
): Promise<readonly (NonNullable<State['unclear']>[number] & { channel: string })[]> {
  const entries = await entriesOf(store, 'unclear', MOST_UNCLEAR);
  // The score is minus the time.
  const newest = entries.sort((a, b) => a.score - b.score).slice(0, MOST_UNCLEAR);
  const conversations = await Promise.all(newest.map(({ member }) => operators.conversation(member)));
  const sentences = conversations.flatMap((conversation) => {
    const channel = conversation?.origin?.channel ?? '';
    return (conversation?.state?.unclear ?? []).map((sentence) => ({ ...sentence, channel }));
  });
  return sentences.toSorted((a, b) => b.atMs - a.atMs);
}

function toMessage(
  ticket: string,
  { id, by, text, inner, claim, to, media }: StaffNote & { readonly id: string },
) {
  const content =
    text === undefined ? {} : { text, id, ...(inner && { inner }), ...(media && { media: [...media] }) };
  const mark = { ...(claim !== undefined && { claim }), ...(to !== undefined && { to }) };
  const isEnd = text === undefined && claim === undefined && to === undefined;
  return {
    id: isEnd ? `person:${ticket}` : `person:${ticket}:${id}`,
    message: { kind: 'person' as const, ticket, by, ...content, ...mark },
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
    const { tickets, isWhole } = await listTickets(store, 'now');
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
      const now = await readOpen();
      // Another follower may have begun meanwhile. Its reading stays, or its news would be lost.
      if (next === undefined) {
        open = now;
        next = runtime.timer(READ_EVERY_MS, look);
      }
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
  // The count of a new ticket may contain deliveries of an earlier one.
  if (before && now.carried > before.carried) news.push('delivery');
  if (now.claims > (before?.claims ?? 0)) news.push('claimed');
  return news;
}

/** The ticket, with the messages of staff that no turn has handled yet. */
function ticketIn(conversation: StoredConversation | null, id: string) {
  const { state, origin } = conversation ?? {};
  const stored = state?.tickets?.find((ticket) => ticket.id === id);
  if (!conversation || !state || !origin || !stored) return null;
  const ticket = withFiledNotes(stored, conversation);
  const deliveries = deliveriesOf(ticket, conversation);
  const known = [state.profile.phone, state.draft.phone].flatMap((phone) => phone?.value ?? []);
  return { ticket, origin, operations: state.operations, deliveries, phones: known };
}

/** Whether a message of staff has arrived. `why`: why it never will. */
export type NoteDelivery =
  | { readonly delivery: 'waiting' | 'delivered' }
  | { readonly delivery: 'failed'; readonly why: Failure };

/**
 * The delivery of each staff message, by its id. Only the record knows it: a message waits in the inbox, then
 * in the outbox. It has arrived if it left the outbox and did not fail.
 */
function deliveriesOf({ notes }: Ticket, { messages, unsent, failed }: StoredConversation) {
  const filed = messages.flatMap(({ message }) => (message.kind === 'person' ? (message.id ?? []) : []));
  const deliveries = new Map<string, NoteDelivery>();
  for (const { id, tracked, inner } of notes) {
    if (id === undefined || inner) continue;
    const why = failed.find(({ note }) => note === id)?.why;
    if (unsent.includes(id) || filed.includes(id)) deliveries.set(id, { delivery: 'waiting' });
    // A newer version may know more reasons.
    else if (why !== undefined)
      deliveries.set(id, {
        delivery: 'failed',
        why: FAILURES.find((failure) => failure === why) ?? 'refused',
      });
    else if (tracked) deliveries.set(id, { delivery: 'delivered' });
  }
  return deliveries;
}

function withFiledNotes(ticket: Ticket, { messages, nowMs }: StoredConversation): Ticket {
  let current = ticket;
  for (const { message, acceptedMs: atMs = nowMs } of messages) {
    if (message.kind !== 'person' || message.ticket !== ticket.id) continue;
    const { by, text, id, inner } = message;
    const marked = markTicket(current, message, atMs);
    if (marked) current = marked;
    else if (inner) continue;
    else if (text === undefined) current = { closed: { atMs, by: 'staff', staff: by }, ...current };
    else {
      const { waitsMs: _, assignedTo: __, ...rest } = current;
      const note = { atMs, text, by, ...(id !== undefined && { id }) };
      current = { ...rest, answeredMs: atMs, claimedBy: by, notes: [...rest.notes, note] };
    }
  }
  return current;
}
