import { $, addressParts, emit, make, toLocal } from './page.js';
import { channelOf, draftOf, inbox, isMine, nameOf, refresh } from './tickets.js';
import { word } from './words.js';

/* The list of tickets, and the number of waiting customers in the header and the title. */

/** Which tickets each button of the list shows. */
const FILTERS = {
  open: ({ state }) => state === 'open',
  mine: (ticket) => ticket.state === 'open' && isMine(ticket),
  free: ({ state, claimedBy, assignedTo }) => state === 'open' && !claimedBy && !assignedTo,
  closed: ({ state }) => state === 'closed',
};
export const REASONS = {
  asked: word('Asked for a person', 'Muốn gặp nhân viên'),
  complaint: word('Complaint', 'Phàn nàn'),
  escalated: word('Outcome unknown', 'Chưa rõ kết quả'),
};
/** A customer who waits longer is urgent. */
const URGENT_MS = 15 * 60_000;

const parts = [];
/** Adds a text to the last line of each row. `part(ticket)` returns the text, or a falsy value. */
export const addToRows = (part) => parts.push(part);

/**
 * Waiting customers first, the longest wait on top; then answered ones; then closed ones, the newest on top.
 */
function compareTickets(a, b) {
  const rank = ({ state, waitingSinceMs }) => (state === 'closed' ? 2 : waitingSinceMs === null ? 1 : 0);
  const age = (a.waitingSinceMs ?? Date.parse(a.openedAt)) - (b.waitingSinceMs ?? Date.parse(b.openedAt));
  return rank(a) - rank(b) || (rank(a) === 2 ? -age : age);
}

function drawList() {
  const isShown = (ticket) =>
    ticket.id === addressParts()[1] || draftOf(ticket.id) || FILTERS[inbox.filter](ticket);
  const rows = (inbox.results ?? inbox.tickets.filter(isShown)).toSorted(compareTickets).map(rowOf);
  const focused = $('tickets').contains(document.activeElement) && document.activeElement.hash;
  placeRows(rows);
  if (focused) $('tickets').querySelector(`[href="${focused}"]`)?.focus();
  $('quiet').hidden = rows.length > 0;
  for (const filter of $('filters').children)
    filter.ariaPressed = String(filter.dataset.filter === inbox.filter);
}

/** A ticket keeps its element: a click counts only if it ends on the element on which it began. */
function placeRows(rows) {
  const list = $('tickets');
  const kept = new Map([...list.children].map((row) => [row.hash, row]));
  const placed = rows.map((row) => {
    const old = kept.get(row.hash);
    if (!old) return row;
    Object.assign(old, { className: row.className, ariaCurrent: row.ariaCurrent });
    old.replaceChildren(...row.childNodes);
    return old;
  });
  for (const old of kept.values()) if (!placed.includes(old)) old.remove();
  for (const [at, row] of placed.entries())
    if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
}

function rowOf(ticket) {
  const { id, reason, state, claimedBy, lastText = '', last } = ticket;
  const owner = isMine(ticket)
    ? word('yours', 'của bạn')
    : claimedBy && `${word('with', 'của')} ${claimedBy}`;
  const about = [owner, draftOf(id) && word('draft', 'có nháp'), REASONS[reason], channelOf(ticket)];
  const details = [...parts.map((part) => part(ticket)), ...about].filter(Boolean).join(' · ');
  const lines = [
    make('span', '', last?.by ? `${last.by}: ${last.text || '📎'}` : lastText),
    make('small', '', details),
  ];
  const row = make('a', state, make('b', '', nameOf(ticket)), waitLabel(ticket), ...lines);
  row.href = `#inbox/${id}`;
  if (id === addressParts()[1]) row.ariaCurrent = 'true';
  return row;
}

/** Says how long the customer waits, or that they do not wait. */
function waitLabel({ state, waitingSinceMs }) {
  if (state === 'closed') return make('small', '', word('Closed', 'Đã đóng'));
  if (waitingSinceMs === null) return make('small', '', word('Answered', 'Đã trả lời'));
  const ms = Math.max(0, Date.now() - waitingSinceMs);
  if (ms < 60_000) return make('small', 'good', word('Just now', 'Vừa nhắn'));
  const [value, unit] = ms < 3_600_000 ? [Math.floor(ms / 60_000), 'minute'] : [ms / 3_600_000, 'hour'];
  const text = toLocal(value, { style: 'unit', unit, maximumFractionDigits: 1 });
  return make('small', ms < URGENT_MS ? 'good' : 'bad', `${word('Waits', 'Chờ')} ${text}`);
}

addEventListener('waiting', ({ detail: waiting }) => {
  $('toInbox').hidden = false;
  if (waiting > 0) $('toInbox').dataset.count = waiting;
  else delete $('toInbox').dataset.count;
  document.title = `${waiting > 0 ? `(${waiting}) ` : ''}AntCRM`;
});
for (const button of $('filters').children)
  button.addEventListener('click', () => {
    inbox.filter = button.dataset.filter;
    void refresh();
  });
$('by').value = sessionStorage.by ?? localStorage.by ?? '';
$('by').addEventListener('input', () => {
  sessionStorage.by = localStorage.by = $('by').value.trim();
  emit('tickets');
  emit('ticket', { isOther: false, isSame: true });
});
addEventListener('tickets', drawList);
setInterval(drawList, 20_000);
