import { listOf } from './inside.js';
import { $, button, exchange, explain, follow, make, signIn, word } from './page.js';

/* The inbox: who waits for a person, an answer, the end; and what was not understood. */

/** The open tickets, by their ids: their cards, which keep what is being typed. */
const cards = new Map();
let isFollowed = false;
const onLink = (stands) => stands && look();

const moment = (iso) =>
  new Date(iso).toLocaleString($('locale').value, { dateStyle: 'short', timeStyle: 'short' });

const REASONS = { asked: 'Asked for a person', complaint: 'Complaint', escalated: 'Outcome unknown' };

let isLooking = false;
let isStale = false;

/** Draws who waits; what is new meanwhile makes it once more, however much it is. */
async function look() {
  isStale = true;
  if (isLooking) return;
  isLooking = true;
  try {
    while (isStale) {
      isStale = false;
      await draw();
    }
  } finally {
    isLooking = false;
  }
}

async function draw() {
  const answer = await exchange('staff/tickets?state=open');
  if (answer?.status === 401) return signIn(look);
  // Where nobody is answered here, there is no inbox.
  if (answer?.status !== 200) return;
  $('toInbox').hidden = false;
  if (!isFollowed) void follow('staff/tickets/events', new AbortController().signal, look, onLink);
  isFollowed = true;

  const { tickets } = answer.content;
  for (const [id, { card }] of cards) {
    if (tickets.some((one) => one.id === id)) continue;
    card.remove();
    cards.delete(id);
  }
  for (const ticket of tickets) {
    const { title } = cards.get(ticket.id) ?? add(ticket.id);
    const since = ticket.waitsSince ?? ticket.openedAt;
    const state = make(
      'b',
      ticket.waitsSince ? 'bad' : 'soft',
      word(ticket.waitsSince ? 'Waits' : 'Answered'),
    );
    title.replaceChildren(state, ` ${moment(since)} · ${ticket.channel} · ${word(REASONS[ticket.reason])}`);
  }
  const waiting = tickets.filter(({ waitsSince }) => waitsSince).length;
  $('quiet').hidden = tickets.length > 0;
  if (waiting > 0) $('toInbox').dataset.count = waiting;
  else delete $('toInbox').dataset.count;
  document.title = document.title.replace(/^(\(\d+\) )?/, waiting > 0 ? `(${waiting}) ` : '');
  for (const [id, { card }] of cards) if (card.open) void fill(id);
}

/** A card of a ticket that is new here. */
function add(id) {
  const title = make('span');
  const card = make('details', 'card', make('summary', '', title));
  const about = make('div');
  const written = make('div', 'written');
  const wrong = make('p', 'bad');
  const input = make('input');
  const form = make(
    'form',
    'row',
    input,
    make('button', 'primary', word('Send')),
    button(word('Close'), close),
  );
  written.role = 'log';
  wrong.role = 'alert';
  Object.assign(input, { maxLength: 4000, required: true, autocomplete: 'off', ariaLabel: word('Answer') });
  card.dataset.ticket = id;
  card.append(about, written, form, wrong);
  card.addEventListener('toggle', () => card.open && fill(id));
  // Something else than what is not known to have arrived.
  input.addEventListener('input', () => delete form.dataset.note);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    // The same one again where it is not known to have arrived.
    form.dataset.note ||= crypto.randomUUID();
    void post('messages', { text: input.value, id: form.dataset.note });
  });

  function close() {
    void post('close', {});
  }
  async function post(what, body) {
    const by = $('by').value.trim() || word('Staff');
    const answer = await exchange(`staff/tickets/${id}/${what}`, { ...body, by });
    wrong.textContent = answer?.status === 200 ? '' : explain(answer);
    if (answer?.status === 200) {
      if (input.value === body.text) input.value = '';
      delete form.dataset.note;
    }
    await look();
  }

  $('tickets').append(card);
  cards.set(id, { card, title, about, written });
  return cards.get(id);
}

/** What was being done, and what was written. */
async function fill(id) {
  const answer = await exchange(`staff/tickets/${id}`);
  const shown = cards.get(id);
  if (answer?.status !== 200 || !shown) return;
  const { conversation, doing, led = [], operations, messages } = answer.content;
  const { flow, codes = [], gift } = doing ?? {};
  const rows = [
    ['Reference', id],
    ['Conversation', conversation],
    ['Was doing', [flow, ...codes, gift].filter(Boolean).join(' · ')],
    ['Had written', led.join(' · ')],
    [
      'Operations',
      operations.map(({ reference, kind, status }) => `${reference} ${kind} ${status}`).join('\n'),
    ],
  ];
  shown.about.replaceChildren(
    listOf(rows.filter(([, text]) => text).map(([name, text]) => [word(name), text])),
  );
  shown.written.replaceChildren(
    ...messages.map(({ at, text, by }) =>
      make('p', by ? 'good' : '', make('small', '', `${by ?? word('Customer')} · ${moment(at)} `), text),
    ),
  );
  shown.written.scrollTo(0, shown.written.scrollHeight);
}

/** What was not understood, as the line that teaches it. */
async function listUnclear() {
  const answer = await exchange('staff/unclear');
  if (answer?.status !== 200) return;
  const rows = answer.content.unclear.map(({ text, question }) =>
    make('p', '', `- ${text}`, make('small', '', question ? ` ← ${question}` : '')),
  );
  $('unclear').replaceChildren(...rows);
}

$('by').value = sessionStorage.by ?? '';
$('by').addEventListener('change', () => {
  sessionStorage.by = $('by').value;
});
addEventListener('hashchange', () => location.hash === '#inbox' && listUnclear());
void look();
void listUnclear();
