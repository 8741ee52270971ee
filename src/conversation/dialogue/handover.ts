import type { Scope } from '../flow.ts';
import type { Media, MessageOf } from '../message.ts';
import { showPhone } from '../prompts/format.ts';
import { type Choice, changeLast, choice, type Decision, type Line, type Reply, say } from '../reply.ts';
import { findOpenTicket, findTakenTicket, IDLE_MS, type Reason, type State, type Ticket } from '../state.ts';
import { remark, toQuestion } from './questions.ts';

/*
 * Tickets: a person takes over. While a ticket is open, the bot interprets only its own commands and buttons
 * (`passToStaff` in `inputs.ts`).
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The customer gets the contact if no answer came by then. */
const LATE_MS = 15 * MINUTE_MS;
const UNANSWERED_MS = 24 * HOUR_MS;
const ANSWERED_MS = 12 * HOUR_MS;
/**
 * A closed ticket is erased after this time. The oldest of more than `KEPT` are erased, except those in which
 * staff wrote.
 */
const KEPT_MS = 30 * 24 * HOUR_MS;
const KEPT = 10;
/** The limits of all tickets of a conversation. The oldest messages go first. */
const MAX_NOTES = 200;
const MAX_BYTES = 64 * 1024;
const MAX_LED = 3;
/** Messages with pictures or files that a ticket takes over. */
const MAX_RECENT = 3;

const LEAVE = choice('person:leave');

/** The contact outside of the chat. */
export function supportLines({ settings: { supportContact: contact } }: Pick<Scope, 'settings'>): Line[] {
  return contact ? [{ key: 'help.support', params: { contact } }] : [];
}

/** Where a person answers: right here, or the contact. */
export const personLines = (scope: Pick<Scope, 'settings'>): Line[] => [
  ...(scope.settings.handover ? [{ key: 'person.here' }] : []),
  ...supportLines(scope),
];

/** The contact as a reply. */
export function supportReply(scope: Pick<Scope, 'settings'>): Reply {
  const [contact = { key: 'support.none' }] = supportLines(scope);
  return contact;
}

/** The button that asks for a person; none if staff do not answer. */
export const personChoice = ({ settings }: Pick<Scope, 'settings'>): readonly Choice[] =>
  settings.handover ? [choice('person')] : [];

type TicketCause = { readonly why: Reason; readonly led?: readonly string[] };

/** Opens a ticket, or uses the open one; without staff, tells the contact. */
export function callPerson(state: State, { why, led = [] }: TicketCause, scope: Scope): Decision {
  const { ids, nowMs, settings } = scope;
  if (!settings.handover) return remark(state, scope, supportReply(scope));
  const { notUnderstood, recentMedia, tickets = [], view = ids.view, ...rest } = state;
  const open = findOpenTicket(state);
  const { waitsMs = nowMs, ...called } = open ?? {
    ...createTicket(state, why, scope),
    ...(led.length > 0 && { led: [...led] }),
    ...(notUnderstood && { notUnderstood }),
  };
  const ticket: Ticket = { ...takeMedia(called, recentMedia), waitsMs };
  const next = {
    ...rest,
    view,
    tickets: boundTickets([...tickets.filter((other) => other !== open), ticket]),
  };
  // Once an answer came or was late, the reply names no time.
  const context = ticket.late || ticket.answeredMs !== undefined ? 'open' : undefined;
  return say(next, sayWaiting(ticket, { view, context }));
}

/** A ticket of this turn, with what the customer was doing. The customer does not wait for an answer yet. */
function createTicket(state: State, reason: Reason, scope: Scope): Ticket {
  const { ids, nowMs, sender } = scope;
  const { step, draft } = state;
  const { codes, gift, phone, email } = draft;
  const doing = 'flow' in step && {
    flow: step.flow,
    asks: toQuestion(state, scope).asks,
    ...(codes && { codes }),
    ...(gift && { gift }),
    ...(phone && { phone: showPhone(phone.value).replaceAll(' ', '') }),
    ...(email && { email: email.value }),
  };
  return {
    id: ids.operation,
    reason,
    ...(sender.name && { name: sender.name }),
    openedMs: nowMs,
    ...(doing && { doing }),
    notes: [],
    count: { customer: 0, staff: 0 },
  };
}

/** Notes what the customer sent in addition to text; only while no ticket takes it. */
export function noteMedia(state: State, { text, media }: NewText, { nowMs, settings }: Scope): State {
  if (!media || !settings.handover) return state;
  const recentMedia = [...(state.recentMedia ?? []), { atMs: nowMs, text, media: [...media] }];
  return { ...state, recentMedia: recentMedia.slice(-MAX_RECENT) };
}

/** The ticket with what was sent before it as its messages. They are no news: their number is not counted. */
function takeMedia(ticket: Ticket, recent: State['recentMedia'] = []): Ticket {
  const { notes, ...others } = ticket;
  let { count } = ticket;
  const taken = recent.map(({ media, ...note }) => {
    const numbered = numberMedia(count, media);
    count = numbered.count;
    return { ...note, ...numbered.shown };
  });
  return { ...others, count, notes: [...notes, ...taken] };
}

const sayWaiting = ({ id }: Ticket, { view, context }: Pick<Reply, 'view' | 'context'>): Reply => ({
  key: 'person.waiting',
  context,
  params: { reference: id, minutes: LATE_MS / MINUTE_MS },
  choices: [LEAVE],
  view,
});

/** Opens a ticket for an operation that the bot cannot resolve, if none is open. The bot goes on. */
export function escalateTicket(decision: Decision, scope: Scope): Decision {
  const { state } = decision;
  if (!scope.settings.handover || findOpenTicket(state)) return decision;
  const tickets = boundTickets([...(state.tickets ?? []), createTicket(state, 'escalated', scope)]);
  const choices = [...(decision.replies.at(-1)?.choices ?? []), ...personChoice(scope)];
  return { ...changeLast(decision, { choices }), state: { ...state, tickets } };
}

/** Closes the ticket silently if no operation is left for staff and no message was written in it. */
export function closeSettled(decision: Decision, { nowMs }: Scope): Decision {
  const { state } = decision;
  const ticket = findOpenTicket(state);
  const isLeft = state.operations.some(({ status }) => status === 'escalated');
  if (!ticket || findTakenTicket(state) || isLeft) return decision;
  return { ...decision, state: saveTicket(state, { ...ticket, closed: { atMs: nowMs, by: 'staff' } }) };
}

type NewText = {
  readonly text: string;
  readonly media?: readonly Media[] | undefined;
  /** The platform's id of the message. */
  readonly ref?: string | undefined;
  readonly edited?: true;
};

/** Passes a message to staff. Only the first one is acknowledged. */
export function addCustomerNote(state: State, { text, media, ...more }: NewText, scope: Scope): Decision {
  const { nowMs, ids, sender } = scope;
  const ticket = findOpenTicket(state);
  if (!ticket) return say(state);
  const { count, waitsMs = nowMs, notes } = ticket;
  const name = sender.name && { name: sender.name };
  const numbered = numberMedia(count, media);
  const counts = { ...numbered.count, customer: count.customer + 1 };
  const note = { text, atMs: nowMs, ...numbered.shown, ...more };
  const next = saveTicket(state, { ...ticket, ...name, waitsMs, count: counts, notes: [...notes, note] });
  if (count.customer > 0 || ticket.answeredMs !== undefined)
    return say(next, { key: 'person.noted', quiet: true });
  const { view = ids.view } = next;
  return say({ ...next, view }, sayWaiting(ticket, { view, context: 'noted' }));
}

/**
 * Shows staff that a message was edited, or (without `text`) deleted. One of before the ticket is new to
 * them.
 */
export function changeNote(
  state: State,
  { of, text }: Pick<MessageOf<'edit'>, 'of' | 'text'>,
  scope: Scope,
): Decision {
  const ticket = findOpenTicket(state);
  const note = ticket?.notes.find(({ ref }) => ref === of);
  if (!ticket || !note)
    return text === undefined ? say(state) : addCustomerNote(state, { text, ref: of, edited: true }, scope);
  const { text: before } = note;
  const [pictures = ''] = /^\u{1f4f7}*/u.exec(before) ?? [];
  const next = text === undefined ? before : `${pictures} ${text}`.trim();
  if (text !== undefined && next === before) return say(state);
  const changed: TicketNote =
    text === undefined ? { ...note, deleted: true } : { ...note, text: next, before, edited: true };
  const notes = ticket.notes.map((other) => (other === note ? changed : other));
  const count = { ...ticket.count, customer: ticket.count.customer + 1 };
  const waits = text === undefined ? {} : { waitsMs: ticket.waitsMs ?? scope.nowMs };
  return say(saveTicket(state, { ...ticket, ...waits, count, notes }));
}

/** Gives media the next numbers of the ticket. */
function numberMedia(count: Ticket['count'], media: NewText['media']) {
  if (!media) return { count, shown: {} };
  const { media: before = 0 } = count;
  const shown = { media: media.map((file, at) => ({ ...file, n: before + at + 1 })) };
  return { count: { ...count, media: before + media.length }, shown };
}

/** Offers the button that leaves, once a ticket: the text may have meant that. Staff get the text anyway. */
export function offerLeave(decision: Decision, { ids }: Scope): Decision {
  const { state } = decision;
  const ticket = findOpenTicket(state);
  if (!ticket || ticket.leaveOffered) return decision;
  const next = saveTicket(state, { ...ticket, leaveOffered: true });
  const isShown = decision.replies.some(({ choices = [] }) => choices.some(({ id }) => id === LEAVE.id));
  if (isShown) return { ...decision, state: next };
  const { view = ids.view } = next;
  return say({ ...next, view }, sayWaiting(ticket, { view, context: 'leave' }));
}

/**
 * A member of staff writes (and so claims the ticket), notes something for colleagues, claims, releases,
 * assigns or closes it. Repeats, and messages for an erased ticket, are ignored.
 */
export function takeStaffWord(state: State, message: MessageOf<'person'>, scope: Scope): Decision {
  const { ticket: id, by, text, id: note, inner, media } = message;
  const { nowMs: atMs } = scope;
  const ticket = state.tickets?.find((candidate) => candidate.id === id);
  if (!ticket || ticket.erased || (text === undefined && ticket.closed)) return say(state);
  const marked = markTicket(ticket, message, atMs);
  if (marked) return say(saveTicket(state, marked));
  if (text === undefined) return closeTicket(state, { by: 'staff', staff: by }, scope);
  if (inner || (note !== undefined && ticket.notes.some((earlier) => earlier.id === note))) return say(state);
  const { waitsMs: _, late: __, assignedTo: ___, count, notes, ...rest } = ticket;
  const tracked = note === undefined ? {} : { id: note, tracked: true as const };
  const numbered = numberMedia(count, media);
  const answer = { atMs, text, by, ...tracked, ...numbered.shown };
  const counted = { ...rest, answeredMs: atMs, count: { ...numbered.count, staff: count.staff + 1 } };
  const next = saveTicket(state, { ...counted, claimedBy: by, notes: [...notes, answer] });
  const context = text === '' ? 'file' : undefined;
  const params = { by: { written: by }, text: { written: text } };
  return say(next, { key: 'person.says', context, params, file: media?.[0], note });
}

/**
 * The ticket after what the customer does not see: a claim, a release, an assignment, an inner note.
 * Undefined: it is something else, or the repeat of a note.
 */
export function markTicket(
  ticket: Ticket,
  { by, text, id, inner, claim, to }: MessageOf<'person'>,
  atMs: number,
): Ticket | undefined {
  if (to !== undefined) return assignTicket(ticket, to);
  if (claim !== undefined) return claimTicket(ticket, by, claim);
  if (!inner || text === undefined || ticket.notes.some((earlier) => earlier.id === id)) return undefined;
  return countMark({ ...ticket, notes: [...ticket.notes, { atMs, text, by, ...(id && { id }), inner }] });
}

/** A claim takes the ticket over. Only its owner can release it. */
function claimTicket(ticket: Ticket, by: string, isClaim: boolean): Ticket {
  const { claimedBy, ...rest } = ticket;
  if (!isClaim) return claimedBy === by ? countMark(rest) : ticket;
  const { assignedTo: _, ...claimed } = rest;
  return countMark({ ...claimed, claimedBy: by });
}

/** Hands the ticket over: it is unclaimed until the colleague, or another member of staff, claims it. */
function assignTicket(ticket: Ticket, to: string): Ticket {
  const { claimedBy, ...rest } = ticket;
  return countMark(claimedBy === to ? ticket : { ...rest, assignedTo: to });
}

/** Followers learn of what changes these counts. */
const countMark = (ticket: Ticket): Ticket => {
  return { ...ticket, count: { ...ticket.count, claims: (ticket.count.claims ?? 0) + 1 } };
};

type Closing = Pick<NonNullable<Ticket['closed']>, 'by' | 'staff'>;

/** Closes the open ticket: the bot goes on with its question, or the menu. `staff`: who closed it. */
export function closeTicket(state: State, { by, staff }: Closing, scope: Scope): Decision {
  const { nowMs } = scope;
  const ticket = findOpenTicket(state);
  if (!ticket) return remark(state, scope, { key: 'person.back' });
  const { waitsMs: _, ...ended } = ticket;
  const closed = saveTicket(state, { ...ended, closed: { atMs: nowMs, by, ...(staff && { staff }) } });
  if (!findTakenTicket(state) && by !== 'customer') return say(closed);
  const isIdle = nowMs - state.lastMessageMs > IDLE_MS;
  const isUnheard = by === 'time' && ticket.answeredMs === undefined;
  const context = by === 'customer' ? undefined : isUnheard ? 'unanswered' : by;
  const lines = isUnheard ? supportLines(scope) : [];
  const left: State = isIdle ? { ...closed, step: { at: 'idle' }, draft: {} } : closed;
  return remark(left, scope, { key: 'person.back', context, lines });
}

/** Tells that no answer came, closes, erases. Undefined: nothing is due. */
export function handleTicketTime(state: State, scope: Scope): Decision | undefined {
  const { nowMs } = scope;
  const { tickets = [], view } = state;
  const kept = tickets.filter(({ closed }) => !closed || nowMs < closed.atMs + KEPT_MS);
  if (kept.length < tickets.length) return say({ ...state, tickets: kept });
  const ticket = findOpenTicket(state);
  if (!ticket || nowMs < nextAtMs(ticket)) return undefined;
  if (nowMs >= endAtMs(ticket)) return closeTicket(state, { by: 'time' }, scope);
  const reply: Reply = { key: 'person.late', lines: supportLines(scope), choices: [LEAVE], view };
  return say(saveTicket(state, { ...ticket, late: true }), reply);
}

/** When the next of these is due, epoch ms; infinite: never. */
export const nextTicketMs = ({ tickets = [] }: State): number => Math.min(...tickets.map(nextAtMs));

function nextAtMs(ticket: Ticket): number {
  const { closed, waitsMs, late, answeredMs } = ticket;
  if (closed) return closed.atMs + KEPT_MS;
  return late || answeredMs !== undefined || waitsMs === undefined ? endAtMs(ticket) : waitsMs + LATE_MS;
}

/** Who waits for a further answer waits as long as for the customer's next word. */
const endAtMs = ({ openedMs, answeredMs, waitsMs = 0 }: Ticket): number =>
  answeredMs === undefined ? openedMs + UNANSWERED_MS : Math.max(answeredMs, waitsMs) + ANSWERED_MS;

/** Erases the content of all tickets. Only the id, the reason, times and counts stay. */
export function eraseTickets({ tickets }: State, nowMs: number) {
  const erased = tickets?.map(({ id, reason, openedMs, count, closed }): Ticket => {
    const ended = closed ?? { atMs: nowMs, by: 'customer' };
    return { id, reason, openedMs, count, closed: ended, notes: [], erased: true };
  });
  return erased ? { tickets: erased } : {};
}

/** Notes the message in the ticket that it opened, or in the offer of one. */
export function noteLead(decision: Decision, before: State, customerText: string): Decision {
  const { state } = decision;
  const led = [...(before.offered?.led ?? []), customerText].slice(-MAX_LED);
  const ticket = findOpenTicket(state);
  if (ticket && ticket.id !== findOpenTicket(before)?.id && ticket.reason !== 'escalated')
    return { ...decision, state: saveTicket(state, { ...ticket, led }) };
  return state.offered ? { ...decision, state: { ...state, offered: { ...state.offered, led } } } : decision;
}

function saveTicket(state: State, ticket: Ticket): State {
  const { tickets = [] } = state;
  return {
    ...state,
    tickets: boundTickets(tickets.map((other) => (other.id === ticket.id ? ticket : other))),
  };
}

function boundTickets(tickets: readonly Ticket[]): Ticket[] {
  const oldest = tickets.length - KEPT;
  const kept = tickets.filter((ticket, at) => at >= oldest || hasStaffText(ticket));
  const newestFirst = kept.flatMap(({ notes }) => notes).reverse();
  const fitting = new Set<TicketNote>();
  let bytes = 0;
  for (const note of newestFirst.slice(0, MAX_NOTES)) {
    bytes += countBytes(note);
    if (bytes > MAX_BYTES) break;
    fitting.add(note);
  }
  return kept.map((ticket) => ({ ...ticket, notes: ticket.notes.filter((note) => fitting.has(note)) }));
}

const hasStaffText = ({ count, notes }: Ticket): boolean =>
  count.staff > 0 || notes.some(({ inner }) => inner);

type TicketNote = Ticket['notes'][number];
const countBytes = ({ text, before = '', media }: TicketNote): number =>
  Buffer.byteLength(text) +
  Buffer.byteLength(before) +
  (media ? Buffer.byteLength(JSON.stringify(media)) : 0);
