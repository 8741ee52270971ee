import { $, addressParts, emit, exchange, explain, goTo } from './page.js';
import { word } from './words.js';

/*
 * The tickets that the inbox shows, and requests about them. After each refresh it emits `waiting` (how many
 * customers wait), `tickets` (the list has changed) and `ticket` ({ isOther, isSame }: whether `inbox.open`
 * is another ticket, and whether it is unchanged).
 */

/** `open`: the open ticket with its messages. `results`: what a search found, in place of `tickets`. */
export const inbox = { tickets: [], open: null, filter: 'open', results: null };

/** Staff without a name get a number, which stays the same in this tab. */
sessionStorage.number ??= String(100 + Math.floor(Math.random() * 900));
export const staffName = () =>
  $('by').value.trim() || `${word('Staff', 'Nhân viên')} ${sessionStorage.number}`;
export const isMine = ({ claimedBy, assignedTo }) => (claimedBy ?? assignedTo) === staffName();
export const isOthers = ({ claimedBy }) => Boolean(claimedBy) && claimedBy !== staffName();
/** A customer without a name gets the end of the reference as a name. */
export const nameOf = ({ name, id }) => name ?? `${word('Customer', 'Khách')} ${id.slice(-4)}`;
/** The name that people use for a ticket's channel. */
export function channelOf({ channel }) {
  if (channel === 'staff') return word('Trial chat', 'Chat thử');
  return $('channels').querySelector(`[value="${CSS.escape(channel)}"]`)?.textContent ?? channel;
}

/** A control's text, and for screen readers also the ticket that it is for. */
export function label(control, text) {
  control.textContent = text;
  control.ariaLabel = `${text}: ${nameOf(inbox.open)} (${inbox.open.id})`;
}

/** The text that was typed and not sent, by ticket. It survives a reload. */
export const draftOf = (id) => sessionStorage[`draft:${id}`] ?? '';
export function keepDraft(id, text) {
  if (text) sessionStorage[`draft:${id}`] = text;
  else delete sessionStorage[`draft:${id}`];
}

export const contentOf = (answer) => (answer?.status === 200 ? answer.content : null);
const listTickets = async (state) => contentOf(await exchange(`staff/tickets?state=${state}`))?.tickets;
const readTicket = async (id) => contentOf(await exchange(`staff/tickets/${id}`));

let isRefreshing = false;
let isStale = false;

/** Reads and shows everything. A call during a refresh makes it read once more. */
export async function refresh() {
  isStale = true;
  if (isRefreshing) return;
  isRefreshing = true;
  while (isStale) {
    isStale = false;
    await readTickets().catch(() => {});
  }
  isRefreshing = false;
}

/** Reads the lists, the open ticket, and all tickets with a draft, also closed ones. */
async function readTickets() {
  const listed = await listTickets('open');
  const waiting = listed?.filter(({ waitingSinceMs }) => waitingSinceMs !== null).length ?? 0;
  if (!location.hash) goTo(firstView(listed !== undefined, waiting));
  // HANDOVER=off: there is no inbox.
  if (!listed) return;
  emit('waiting', waiting);
  if (inbox.filter === 'closed') listed.push(...((await listTickets('closed')) ?? []));
  const [view, id] = addressParts();
  const open = view === 'inbox' && id ? await readTicket(id) : null;
  const drafts = Object.keys(sessionStorage).flatMap((key) => /^draft:(.*)/.exec(key)?.[1] ?? []);
  const unlisted = drafts.filter((draft) => draft !== id && listed.every((ticket) => ticket.id !== draft));
  const others = [open, ...(await Promise.all(unlisted.map(readTicket)))].filter(Boolean);
  inbox.tickets = [...listed.filter((ticket) => ticket.id !== open?.id), ...others];
  emit('tickets');
  if (addressParts()[1] === id) show(open);
}

/**
 * The first view. A developer, who need not sign in, sees the chat while no customer waits. Others see the
 * inbox.
 */
function firstView(hasInbox, waiting) {
  const isDeveloper = $('chat') !== null && ($('account').hidden || !hasInbox);
  if (isDeveloper && waiting === 0) return 'chat';
  return hasInbox ? 'inbox' : 'unclear';
}

function show(ticket) {
  const isOther = ticket?.id !== inbox.open?.id;
  const isSame = JSON.stringify(ticket) === JSON.stringify(inbox.open);
  inbox.open = ticket;
  emit('ticket', { isOther, isSame });
}

/** Posts to a route of the ticket, then refreshes. Resolves to whether the bot accepted it. */
export async function post(id, route, body = {}) {
  const answer = await exchange(`staff/tickets/${id}/${route}`, { ...body, by: staffName() });
  const isDone = answer?.status === 200;
  // 409: the ticket was closed meanwhile, and the refreshed page shows that.
  if (inbox.open?.id === id) $('wrong').textContent = isDone || answer?.status === 409 ? '' : explain(answer);
  await refresh();
  return isDone;
}
