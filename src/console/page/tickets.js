import { $, exchange, explain, goTo, place, tell } from './page.js';
import { word } from './words.js';

/*
 * The tickets that the inbox shows, and requests about them. After each reading it tells `waiting` (how many customers wait),
 * `tickets` (the list is new) and `ticket` ({ isOther, isSame }: `inbox.open` is another one, is unchanged).
 */

/** `open`: the open ticket with its messages; `found`: what a search found, in place of `tickets`. */
export const inbox = { tickets: [], open: null, filter: 'open', found: null };

/** Staff without a name are told apart by a number, the same in this tab. */
sessionStorage.number ??= String(100 + Math.floor(Math.random() * 900));
export const by = () => $('by').value.trim() || `${word('Staff', 'Nhân viên')} ${sessionStorage.number}`;
export const isMine = ({ claimedBy, assignedTo }) => (claimedBy ?? assignedTo) === by();
export const isOthers = ({ claimedBy }) => Boolean(claimedBy) && claimedBy !== by();
/** Customers without a name are told apart by the end of the reference. */
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
const find = async (id) => contentOf(await exchange(`staff/tickets/${id}`));

let isLooking = false;
let isStale = false;

/** Reads and shows everything. However much is new meanwhile, it reads once more. */
export async function look() {
  isStale = true;
  if (isLooking) return;
  isLooking = true;
  while (isStale) {
    isStale = false;
    await read().catch(() => {});
  }
  isLooking = false;
}

/** Reads the lists, the open ticket, and tickets with a draft, also closed ones. */
async function read() {
  const listed = await listTickets('open');
  const waiting = listed?.filter(({ waitingSinceMs }) => waitingSinceMs !== null).length ?? 0;
  if (!location.hash) goTo(firstView(listed !== undefined, waiting));
  // HANDOVER=off: there is no inbox.
  if (!listed) return;
  tell('waiting', waiting);
  if (inbox.filter === 'closed') listed.push(...((await listTickets('closed')) ?? []));
  const [view, id] = place();
  const named = view === 'inbox' && id ? await find(id) : null;
  const drafts = Object.keys(sessionStorage).flatMap((key) => /^draft:(.*)/.exec(key)?.[1] ?? []);
  const gone = drafts.filter((draft) => draft !== id && listed.every((ticket) => ticket.id !== draft));
  const others = [named, ...(await Promise.all(gone.map(find)))].filter(Boolean);
  inbox.tickets = [...listed.filter((ticket) => ticket.id !== named?.id), ...others];
  tell('tickets');
  if (place()[1] === id) show(named);
}

/** The view of an address without one. Who signs in is staff of a shop; a developer tries the bot while nobody waits. */
function firstView(hasInbox, waiting) {
  const isDeveloper = $('chat') !== null && ($('account').hidden || !hasInbox);
  if (isDeveloper && waiting === 0) return 'chat';
  return hasInbox ? 'inbox' : 'unclear';
}

function show(ticket) {
  const isOther = ticket?.id !== inbox.open?.id;
  const isSame = JSON.stringify(ticket) === JSON.stringify(inbox.open);
  inbox.open = ticket;
  tell('ticket', { isOther, isSame });
}

/** Files something in a ticket, and shows what became of it. Resolves to whether it was filed. */
export async function post(id, what, body = {}) {
  const answer = await exchange(`staff/tickets/${id}/${what}`, { ...body, by: by() });
  const isDone = answer?.status === 200;
  // The page itself shows that the ticket was closed meanwhile.
  if (inbox.open?.id === id) $('wrong').textContent = isDone || answer?.status === 409 ? '' : explain(answer);
  await look();
  return isDone;
}
