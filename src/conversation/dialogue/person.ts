import { after, type Decision, say } from '../decision.ts';
import type { Scope } from '../flow.ts';
import type { Message } from '../message.ts';
import { type Choice, choice, type Line, type Reply } from '../reply.ts';
import { type ConversationState, IDLE_MS, openTicket, type Reason, type Ticket } from '../state.ts';
import { aside } from './questions.ts';

/*
 * A person takes over: a ticket is opened, filled by the customer and by staff, and closed. While it is open the bot
 * interprets nothing but its own commands and buttons (`sources.ts`, `toStaff`).
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Nobody has answered by then: the customer hears whom else to ask. */
const LATE_MS = 15 * MINUTE_MS;
/** A ticket ends by itself: never answered; so long after the last answer. */
const UNANSWERED_MS = 24 * HOUR_MS;
const ANSWERED_MS = 12 * HOUR_MS;
/** A closed ticket is erased. */
const KEPT_MS = 30 * 24 * HOUR_MS;
const KEPT = 10;

/** What all tickets of a conversation keep together. What is too much goes, the oldest first. */
const MAX_NOTES = 200;
const MAX_BYTES = 64 * 1024;

/** What led to a ticket, of which the last is kept. */
const MAX_LED = 3;

/** Whom to ask outside of the chat. */
export function supportLines({ settings }: Pick<Scope, 'settings'>): Line[] {
  return settings.supportContact
    ? [{ key: 'help.support', params: { contact: settings.supportContact } }]
    : [];
}

/** The button that asks for a person; none where nobody would answer. */
export function personChoice({ settings }: Pick<Scope, 'settings'>): readonly Choice[] {
  return settings.handover ? [choice('person')] : [];
}

/** The state with a person offered by this answer: whoever says yes to it wants one. */
export function offering(
  state: ConversationState,
  why: NonNullable<ConversationState['offered']>['why'],
  { settings }: Scope,
): ConversationState {
  return settings.handover ? { ...state, offered: { why, led: [] } } : state;
}

/**
 * Whoever asks for a person gets one, and keeps what is being done: `state` is as the message left it. `led`: what was
 * written that led to it. Asked once more, it is the same ticket; without staff, the contact is told.
 */
export function callPerson(
  state: ConversationState,
  reason: Reason,
  scope: Scope,
  led: readonly string[] = [],
): Decision {
  if (!scope.settings.handover) {
    const [contact] = supportLines(scope);
    return aside(state, scope, contact ?? { key: 'support.none' });
  }
  const opened = openTicket(state) ? state : opening(state, reason, scope, led);
  const next = { ...opened, view: opened.view ?? scope.ids.view };
  const reply: Reply = {
    key: 'person.waiting',
    params: { reference: openTicket(next)?.id ?? '', minutes: LATE_MS / MINUTE_MS },
    choices: [choice('person:leave')],
    view: next.view,
  };
  return say(next, reply);
}

/** The same decision, and a person looks at it: what the bot cannot find out opens one ticket, however often it says so. */
export function escalating(decision: Decision, scope: Scope): Decision {
  if (!scope.settings.handover || openTicket(decision.state)) return decision;
  return after(decision.replies, { ...decision, ...callPerson(decision.state, 'escalated', scope) });
}

function opening(
  state: ConversationState,
  reason: Reason,
  { nowMs, ids }: Scope,
  led: readonly string[],
): ConversationState {
  const { step, draft, tickets = [] } = state;
  const { codes, code: gift } = draft;
  const ticket: Ticket = {
    id: ids.operation,
    reason,
    openedMs: nowMs,
    waitsMs: nowMs,
    ...('flow' in step && {
      doing: { flow: step.flow, ...(codes && { codes }), ...(gift !== undefined && { gift }) },
    }),
    ...(led.length > 0 && { led: led.slice(-MAX_LED) }),
    notes: [],
    count: { customer: 0, staff: 0 },
  };
  return { ...state, tickets: bounded([...tickets, ticket]) };
}

/** What the customer writes goes to staff; nobody else answers. */
export function passOn(state: ConversationState, text: string, { nowMs }: Scope): Decision {
  const ticket = openTicket(state);
  if (!ticket) return say(state);
  const { count, waitsMs = nowMs } = ticket;
  const next = noted(
    { ...ticket, waitsMs, count: { ...count, customer: count.customer + 1 } },
    { text, atMs: nowMs },
  );
  return say(changed(state, next), { key: 'person.noted', quiet: true });
}

/** One of staff writes, or closes the ticket. What was said already, or is of a ticket that was erased, is passed over. */
export function fromStaff(
  state: ConversationState,
  { ticket: id, by, text, id: note }: Extract<Message, { kind: 'person' }>,
  scope: Scope,
): Decision {
  const { nowMs } = scope;
  const ticket = state.tickets?.find((one) => one.id === id);
  if (!ticket || (text === undefined && ticket.closed)) return say(state);
  if (text === undefined) return close(state, 'staff', scope);
  if (note !== undefined && ticket.notes.some((one) => one.id === note)) return say(state);
  const { waitsMs: _, late: __, ...answered } = ticket;
  const next: Ticket = {
    ...answered,
    answeredMs: nowMs,
    count: { ...ticket.count, staff: ticket.count.staff + 1 },
  };
  const said = { atMs: nowMs, text, by, ...(note !== undefined && { id: note }) };
  return say(changed(state, noted(next, said)), { key: 'person.says', params: { text: { written: text } } });
}

/** The bot is there again, with what was being done, or the menu. */
export function close(
  state: ConversationState,
  by: NonNullable<Ticket['closed']>['by'],
  scope: Scope,
): Decision {
  const { nowMs } = scope;
  const ticket = openTicket(state);
  if (!ticket) return aside(state, scope, { key: 'person.back' });
  const { waitsMs: _, ...ended } = ticket;
  const isIdle = nowMs - state.lastMessageMs > IDLE_MS;
  const rest: ConversationState = isIdle ? { ...state, step: { at: 'idle' }, draft: {} } : state;
  const isUnheard = by === 'time' && ticket.answeredMs === undefined;
  return aside(changed(rest, { ...ended, closed: { atMs: nowMs, by } }), scope, {
    key: 'person.back',
    context: by === 'customer' ? undefined : isUnheard ? 'unanswered' : by,
    ...(isUnheard && { lines: supportLines(scope) }),
  });
}

/** What time does: tells that nobody answers yet, closes, erases. Undefined where nothing of it is due. */
export function onTime(state: ConversationState, scope: Scope): Decision | undefined {
  const { nowMs } = scope;
  const kept = state.tickets?.filter(({ closed }) => !closed || nowMs < closed.atMs + KEPT_MS);
  if (kept && kept.length < (state.tickets?.length ?? 0)) return say({ ...state, tickets: kept });
  const ticket = openTicket(state);
  if (!ticket || nowMs < nextOf(ticket)) return undefined;
  if (nowMs >= endOf(ticket)) return close(state, 'time', scope);
  const next = changed(state, { ...ticket, late: true });
  const { view } = next;
  const choices = [choice('person:leave')];
  return say(next, { key: 'person.late', lines: supportLines(scope), choices, view });
}

/** When time does something of it, epoch ms; null: never. */
export function nextTicketMs({ tickets = [] }: ConversationState): number | null {
  return tickets.length > 0 ? Math.min(...tickets.map(nextOf)) : null;
}

function nextOf(ticket: Ticket): number {
  const { closed, openedMs, late, answeredMs } = ticket;
  if (closed) return closed.atMs + KEPT_MS;
  return late || answeredMs !== undefined ? endOf(ticket) : openedMs + LATE_MS;
}

const endOf = ({ openedMs, answeredMs }: Ticket): number =>
  answeredMs === undefined ? openedMs + UNANSWERED_MS : answeredMs + ANSWERED_MS;

/** What is left of tickets when all is erased: that there were some. */
export function erasedTickets(
  { tickets }: ConversationState,
  nowMs: number,
): Pick<ConversationState, 'tickets'> {
  if (!tickets) return {};
  return {
    tickets: tickets.map(({ doing: _, led: __, waitsMs: ___, ...ticket }) => ({
      ...ticket,
      notes: [],
      closed: ticket.closed ?? { atMs: nowMs, by: 'customer' },
    })),
  };
}

/** The same decision, with what the customer wrote noted where it led to a ticket, or to the offer of one. */
export function ledBy(decision: Decision, before: ConversationState, written: string): Decision {
  const { state } = decision;
  const led = [...(before.offered?.led ?? []), written].slice(-MAX_LED);
  const ticket = openTicket(state);
  if (ticket && ticket.id !== openTicket(before)?.id && ticket.reason !== 'escalated')
    return { ...decision, state: changed(state, { ...ticket, led }) };
  return state.offered ? { ...decision, state: { ...state, offered: { ...state.offered, led } } } : decision;
}

const noted = (ticket: Ticket, note: Ticket['notes'][number]): Ticket => ({
  ...ticket,
  notes: [...ticket.notes, note],
});

function changed(state: ConversationState, ticket: Ticket): ConversationState {
  const tickets = state.tickets?.map((one) => (one.id === ticket.id ? ticket : one));
  return tickets ? { ...state, tickets: bounded(tickets) } : state;
}

function bounded(tickets: readonly Ticket[]): Ticket[] {
  let [notes, bytes] = [0, 0];
  const kept = tickets.slice(-KEPT).toReversed();
  return kept
    .map((ticket) => ({
      ...ticket,
      notes: ticket.notes
        .toReversed()
        .filter(({ text }) => {
          notes += 1;
          bytes += Buffer.byteLength(text);
          return notes <= MAX_NOTES && bytes <= MAX_BYTES;
        })
        .toReversed(),
    }))
    .toReversed();
}
