import { $, make, moment, place } from './page.js';
import { inbox, isMine, isOthers, label, nameOf, post } from './tickets.js';
import { word } from './words.js';

/* The conversation with the customer of the open ticket: its head and its messages. */

const parts = [];
/** Adds an element below the text of each message: `part(message, ticket)` returns it, or null. */
export const addToMessages = (part) => parts.push(part);

function drawHead() {
  const { state, claimedBy } = inbox.open;
  const claim = claimedBy ? word('Give back', 'Trả lại') : word('Claim', 'Nhận');
  $('whom').textContent = nameOf(inbox.open);
  $('talk').className = state === 'closed' ? 'over' : '';
  label($('claim'), isOthers(inbox.open) ? word('Take over', 'Nhận thay') : claim);
  label($('end'), word('End', 'Kết thúc'));
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
  const { led = [], messages } = inbox.open;
  const isAtEnd = isOther || $('said').scrollHeight - $('said').scrollTop - $('said').clientHeight < 80;
  const days = messages.map(({ at }) => new Date(at).toDateString());
  const rows = messages.flatMap((message, index) => {
    const day = { weekday: 'long', day: 'numeric', month: 'numeric' };
    const isSameDay = days[index] === days[index - 1];
    return [...(isSameDay ? [] : [make('p', 'notice soft', moment(message.at, day))]), rowOf(message)];
  });
  const before = led.map((text) => make('div', 'bot before', make('p', 'bubble', text)));
  $('said').replaceChildren(...before, ...rows);
  if (isAtEnd) toEnd();
}

const toEnd = () => $('said').scrollTo(0, $('said').scrollHeight);

function rowOf(message) {
  const { at, text, by } = message;
  const about = make('small', '', `${by ?? nameOf(inbox.open)} · ${moment(at, { timeStyle: 'short' })}`);
  // The signs of what is shown itself.
  const written = message.media ? text.replace(/^(📷+ ?|🎤$|🙂$|📎$)/u, '') : text;
  const bubble = written ? make('p', 'bubble', written) : null;
  return make('div', by ? 'mine' : 'bot', about, bubble, ...parts.map((part) => part(message, inbox.open)));
}

function end() {
  const question = word('End the conversation with', 'Kết thúc trò chuyện với');
  if (confirm(`${question} ${nameOf(inbox.open)}?`)) void post(inbox.open.id, 'close');
}

$('claim').addEventListener('click', () =>
  post(inbox.open.id, 'claim', inbox.open.claimedBy && isMine(inbox.open) ? { release: true } : {}),
);
$('end').addEventListener('click', end);
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
