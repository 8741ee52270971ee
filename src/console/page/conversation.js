import { $, addressParts, make, toLocalTime } from './page.js';
import { inbox, isMine, isOthers, label, nameOf, post } from './tickets.js';
import { word } from './words.js';

/* The conversation with the customer of the open ticket: its head and its messages. */

const parts = [];
/** Adds an element below the text of each message: `part(message, ticket)` returns it, or null. */
export const addToMessages = (part) => parts.push(part);

function drawHead() {
  const { state, claimedBy } = inbox.open;
  const claim = claimedBy ? word('Unclaim', 'Bỏ nhận') : word('Claim', 'Nhận');
  $('customerName').textContent = nameOf(inbox.open);
  $('talk').className = state === 'closed' ? 'over' : '';
  label($('claim'), isOthers(inbox.open) ? word('Take over', 'Nhận thay') : claim);
  label($('end'), word('Back to the bot', 'Chuyển lại cho bot'));
  $('claim').hidden = $('end').hidden = state === 'closed';
}

function nameParts() {
  const { id } = inbox.open;
  $('toAbout').href = `#inbox/${id}/about`;
  for (const part of document.querySelectorAll('#talk [data-name]'))
    part.ariaLabel = `${part.dataset.name}: ${nameOf(inbox.open)} (${id})`;
}

/** Shows the bubbles, with a line between days. It scrolls only if the end was in view. */
function drawMessages(isOther) {
  const { led = [], openedAt, messages } = inbox.open;
  // The texts that led to the ticket have no time of their own. A caption is shown with its picture.
  const isCaption = (text) => messages.some(({ at, text: sent }) => at <= openedAt && sent.endsWith(text));
  const texts = led.filter((text) => !isCaption(text));
  const before = texts.map((text) => [openedAt, make('div', 'bot before', make('p', 'bubble', text))]);
  const rows = [...before, ...messages.map((message) => [message.at, rowOf(message)])];
  // Pictures that were sent before the ticket come first.
  rows.sort(([a], [b]) => a.localeCompare(b));
  const days = rows.map(([at]) => new Date(at).toDateString());
  const day = { weekday: 'long', day: 'numeric', month: 'numeric' };
  const lines = rows.flatMap(([at, row], index) =>
    days[index] === days[index - 1] ? [row] : [make('p', 'notice soft', toLocalTime(at, day)), row],
  );
  $('messages').replaceChildren(...lines);
  if (isOther) isAtEnd = true;
  stayAtEnd();
}

let isAtEnd = true;
/** Keeps the last message in view, also above a phone's keyboard, unless staff scrolled up. */
export const stayAtEnd = () => isAtEnd && $('messages').scrollTo(0, $('messages').scrollHeight);

function rowOf(message) {
  const { at, text, by } = message;
  const about = make('small', '', `${by ?? nameOf(inbox.open)} · ${toLocalTime(at, { timeStyle: 'short' })}`);
  // The sign of a picture or file is left out, because the picture or file itself is shown.
  const content = message.media ? text.replace(/^(📷+ ?|🎤$|🙂$|📎$)/u, '') : text;
  const bubble = content ? make('p', 'bubble', content) : null;
  return make('div', by ? 'mine' : 'bot', about, bubble, ...parts.map((part) => part(message, inbox.open)));
}

function end() {
  const name = nameOf(inbox.open);
  const question = word(`Shall the bot answer ${name} again?`, `Chuyển ${name} lại cho bot?`);
  if (confirm(question)) void post(inbox.open.id, 'close');
}

$('claim').addEventListener('click', () =>
  post(inbox.open.id, 'claim', inbox.open.claimedBy && isMine(inbox.open) ? { release: true } : {}),
);
$('end').addEventListener('click', end);
$('messages').addEventListener('scroll', () => {
  isAtEnd = $('messages').scrollHeight - $('messages').scrollTop - $('messages').clientHeight < 80;
});
new ResizeObserver(stayAtEnd).observe($('messages'));
addEventListener('ticket', ({ detail: { isOther, isSame } }) => {
  const [, id, part = 'talk'] = addressParts();
  $('inbox').dataset.step = id ? part : 'list';
  $('talk').hidden = !inbox.open;
  $('none').hidden = Boolean(inbox.open);
  if (!inbox.open) return;
  drawHead();
  if (isOther) nameParts();
  if (!isSame) drawMessages(isOther);
});
