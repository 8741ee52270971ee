import { $, make, moment, place } from './page.js';
import { inbox, isMine, isOthers, label, nameOf, post } from './tickets.js';
import { word } from './words.js';

/* The conversation with the customer of the open ticket: its head and its messages. */

const parts = [];
/** Adds an element below the text of each message: `part(message, ticket)` returns it, or null. */
export const addToMessages = (part) => parts.push(part);

function drawHead() {
  const { state, claimedBy } = inbox.open;
  const claim = claimedBy ? word('Unclaim', 'Bỏ nhận') : word('Claim', 'Nhận');
  $('whom').textContent = nameOf(inbox.open);
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

/** Bubbles, with a line between days. The scroll position stays, unless it is at the end. */
function drawMessages(isOther) {
  const { led = [], openedAt, messages } = inbox.open;
  // What led to the ticket has no time of its own.
  // A caption stands below its picture already.
  const texts = led.filter((text) => !messages.some((one) => one.at <= openedAt && one.text.endsWith(text)));
  const before = texts.map((text) => [openedAt, make('div', 'bot before', make('p', 'bubble', text))]);
  const rows = [...before, ...messages.map((message) => [message.at, rowOf(message)])];
  // Pictures that were sent before the ticket come first.
  rows.sort(([a], [b]) => a.localeCompare(b));
  const days = rows.map(([at]) => new Date(at).toDateString());
  const day = { weekday: 'long', day: 'numeric', month: 'numeric' };
  const lines = rows.flatMap(([at, row], index) =>
    days[index] === days[index - 1] ? [row] : [make('p', 'notice soft', moment(at, day)), row],
  );
  $('said').replaceChildren(...lines);
  if (isOther) isAtEnd = true;
  stayAtEnd();
}

let isAtEnd = true;
/** The last message stays in sight, also above a phone's keyboard, unless somebody reads further up. */
export const stayAtEnd = () => isAtEnd && $('said').scrollTo(0, $('said').scrollHeight);

function rowOf(message) {
  const { at, text, by } = message;
  const about = make('small', '', `${by ?? nameOf(inbox.open)} · ${moment(at, { timeStyle: 'short' })}`);
  // The signs of what is shown itself.
  const written = message.media ? text.replace(/^(📷+ ?|🎤$|🙂$|📎$)/u, '') : text;
  const bubble = written ? make('p', 'bubble', written) : null;
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
$('said').addEventListener('scroll', () => {
  isAtEnd = $('said').scrollHeight - $('said').scrollTop - $('said').clientHeight < 80;
});
new ResizeObserver(stayAtEnd).observe($('said'));
addEventListener('ticket', ({ detail: { isOther, isSame } }) => {
  const [, id, part = 'talk'] = place();
  $('inbox').dataset.step = id ? part : 'list';
  $('talk').hidden = !inbox.open;
  $('none').hidden = Boolean(inbox.open);
  if (!inbox.open) return;
  drawHead();
  if (isOther) nameParts();
  if (!isSame) drawMessages(isOther);
});
