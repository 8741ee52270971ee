import { send } from './conversation.js';
import { $, button, can, make, on, random, word, worded } from './page.js';

/* The chat: what both sides said, the buttons and the form of the live question. */

const log = $('log');
const typing = $('typing');
/** The customer's bubble of each message, and the bot's bubble whose button it pressed. */
let sent = new Map();

function bubble(kind, speaker, ...content) {
  const who = make('span', 'visually-hidden', `${speaker}: `);
  return make('div', kind, make('p', 'bubble', who, ...content));
}

/** Before everything that came later; the typing dots stay last. */
function place(item, before = typing) {
  log.insertBefore(item, before);
  toEnd();
}

function toEnd() {
  log.scrollTop = log.scrollHeight;
}

/** How a message that was sent from elsewhere, or before a reload, is shown. */
function labelOf({ kind, text, choice, phone, payload, what, ...fields }) {
  if (kind === 'text') return text;
  if (kind === 'contact') return `☎ ${phone}`;
  if (kind === 'start') return payload ? `/start ${payload}` : word('opened');
  if (kind === 'form') return [fields.code, phone, fields.email].filter(Boolean).join('\n');
  if (kind === 'choice') return labels.get(choice) ?? choice;
  return word(what ?? 'photo');
}

/** The labels of all buttons seen, by their ids. */
const labels = new Map();

function showSent({ id, message, label, item }) {
  if (sent.has(id)) return;
  const opened = message.start === '';
  const mine = opened
    ? worded('p', 'notice', 'opened')
    : bubble('mine', word('you'), label ?? message.text ?? '');
  sent.set(id, { mine, item });
  place(mine);
}

function showReply(reply) {
  for (const { id, label } of reply.choices ?? []) labels.set(id, label);
  const item = bubble(reply.notice ? 'bot aside' : 'bot', word('bot'), reply.text);
  if (reply.image) item.append(pictureOf(reply.image));
  item.dataset.turn = reply.turn ?? '';
  item.dataset.seq = reply.seq;
  item.dataset.key = reply.key;
  if (reply.choices?.length || reply.sharePhone || reply.form) {
    for (const older of log.querySelectorAll('.bot')) older.classList.add('past');
    if (reply.form && 'forms' in can()) item.append(formOf(reply.form));
    item.append(choicesOf(reply, item));
  }
  const pressed = reply.inPlace ? sent.get(reply.turn) : undefined;
  if (pressed?.item?.isConnected) {
    pressed.mine.remove();
    pressed.item.replaceWith(item);
  } else place(item, laterThan(reply.seq));
}

/** The text says everything without it: one that does not load leaves no gap. */
function pictureOf(url) {
  const picture = make('img', 'picture');
  Object.assign(picture, { src: url, alt: '' });
  picture.addEventListener('load', toEnd);
  picture.addEventListener('error', () => picture.remove());
  return picture;
}

/** Answers and events may overtake each other by a little: replies stand by their numbers. */
function laterThan(seq) {
  const later = [...log.querySelectorAll('.bot')].filter((one) => Number(one.dataset.seq) > seq);
  return later[0] ?? typing;
}

function choicesOf({ choices = [], view, sharePhone }, item) {
  const group = make('div', 'choices');
  if (sharePhone && 'contacts' in can()) group.append(button(word('contact.own'), sharePhoneOf(true)));
  for (const { id, label } of choices) {
    const press = () => {
      send({ choice: view ? `${id}~${view}` : id }, label, item);
      $('text').focus();
    };
    const element = button(label, press);
    element.dataset.choice = id;
    group.append(element);
  }
  return group;
}

/** Shares the phone of the Play panel, as the customer's own or as somebody else's. */
export const sharePhoneOf = (own) => () => {
  const phone = $('phone').value.trim();
  send({ contact: { phone, own } }, `☎ ${phone}`);
  $('text').focus();
};

const KINDS = { code: 'text', phone: 'tel', email: 'email' };

function formOf(fields) {
  const form = make('form', 'slots');
  form.noValidate = true;
  form.setAttribute('aria-label', word('form'));
  form.append(...fields.map(fieldOf));
  const submit = make('button', 'primary', word('form.send'));
  form.append(submit);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const typed = [...new FormData(form)].filter(([, value]) => value.trim());
    if (typed.length === 0) return form.querySelector('input').focus();
    // An e-mail left empty is an answer: there is none.
    const none = fields.some(({ slot }) => slot === 'email') && { email: '' };
    send({ form: { ...none, ...Object.fromEntries(typed) } }, typed.map(([, value]) => value).join('\n'));
    $('text').focus();
  });
  return form;
}

function fieldOf({ slot, required, value = '', reason }) {
  const input = make('input');
  Object.assign(input, { name: slot, type: KINDS[slot], value, required, autocomplete: 'off' });
  const hint = required ? null : make('small', '', word('optional'));
  const label = make('label', '', make('span', '', word(`state.${slot}`), ' ', hint), input);
  if (!reason) return label;
  const why = make('small', 'reason', reason);
  why.id = `why-${random(1)}`;
  input.setAttribute('aria-describedby', why.id);
  input.setAttribute('aria-invalid', 'true');
  label.append(why);
  return label;
}

// Also when the panel is shown again, and when a phone's keyboard comes up.
new ResizeObserver(toEnd).observe(log);

on('fresh', () => {
  sent = new Map();
  log.replaceChildren(typing);
});
on('sent', showSent);
on('reply', showReply);
on('turn', ({ turn, trace }) => {
  if (!trace?.message || !turn || sent.has(turn)) return;
  const first = log.querySelector(`.bot[data-turn="${CSS.escape(turn)}"]`);
  if (!first) return;
  const { message } = trace;
  const opened = message.kind === 'start' && !message.payload;
  const mine = opened ? worded('p', 'notice', 'opened') : bubble('mine', word('you'), labelOf(message));
  sent.set(turn, { mine });
  place(mine, first);
});
on('pending', (count) => {
  typing.hidden = count === 0;
  toEnd();
});
on('notice', ({ text, again, fault = true }) => {
  const item = make('div', fault ? 'notice fault' : 'notice', make('p', '', text));
  const retry = () => {
    item.remove();
    void again();
  };
  if (again) item.append(button(word('retry'), retry));
  place(item);
});
