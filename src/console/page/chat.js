import { $, button, exchange, explain, follow, goTo, make, random, tell } from './page.js';
import { word } from './words.js';

/*
 * The chat: one conversation, over the staff webhook. It tells `fresh` where another one begins, and `turn` ({ keys, trace })
 * once the last reply of a turn is there.
 */

const log = $('log');

/** What the part that is played can do. */
export const can = () => $('as').selectedOptions[0].dataset;

/** Shows the chat where another view fills the screen. */
export const showChat = () => $('chat').hidden && goTo('chat');

const typing = $('typing');

/** The current conversation. `mine`: the customer's bubbles by message id, and what each pressed. */
let here = null;

/** Turns to the conversation of that name; without one a new one is opened, as a customer would. */
function turnTo(name) {
  here?.left.abort();
  here = {
    ...{ name: name || `console-${random(2)}`, left: new AbortController() },
    ...{ seen: new Set(), mine: new Map(), pending: new Set(), keys: [] },
  };
  sessionStorage.conversation = here.name;
  log.replaceChildren(typing);
  wait('', true);
  tell('fresh');
  follow(`webhooks/staff/${here.name}/events`, receive, { signal: here.left.signal, onLink: linked });
  if (!name) send({ start: '' }, '');
}

function linked(stands) {
  $('status').textContent = stands
    ? word('Connected', 'Đã kết nối')
    : word('Reconnecting…', 'Đang kết nối lại…');
}

/** Sends one message. `label`: how it is shown; `item`: the bot's bubble whose button was pressed. */
export function send(message, label = message.text, item = null) {
  const name = $('name').value.trim();
  const email = can().proof === 'profile' && $('profile').value.trim();
  const body = {
    ...{ conversation: here.name, id: random(4), trace: true, locale: $('locale').value, as: $('as').value },
    ...(name && { name }),
    ...(email && { profile: { email } }),
    ...message,
  };
  const bubble = mineOf(label);
  here.mine.set(body.id, { bubble, item });
  place(bubble);
  if (label) showChat();
  void post(body, here);
}

/** After a cut connection the repeat carries the same id, so that it counts once. */
async function post(body, at) {
  wait(body.id);
  const answer = await exchange('webhooks/staff', body);
  if (at !== here) return;
  const { status, replies = [], trace } = answer?.content ?? {};
  // The answer comes as events.
  if (status === 'queued') return;
  if (answer?.status !== 200) notice(explain(answer), 'bad', answer ? null : () => post(body, at));
  for (const [index, reply] of replies.entries())
    receive({ ...reply, turn: body.id, trace, last: index === replies.length - 1 });
  wait(body.id, true);
}

/** A reply, by an answer or an event: both carry the same numbers. */
function receive({ turn = '', last, trace, ...reply }) {
  if (here.seen.has(reply.seq)) return;
  here.seen.add(reply.seq);
  here.keys.push(reply.key);
  if (!reply.quiet) showReply(reply, turn);
  if (reply.asks === 'proof') void showCode();
  if (!last) return;
  if (trace) showMessage(turn, trace.message);
  tell('turn', { keys: here.keys, trace });
  here.keys = [];
  wait(turn, true);
}

/** The text that a phone got: the bot tells it only while the sandbox is its backend. */
async function showCode() {
  const { codes = [] } = (await exchange('console/codes').catch(() => null))?.content ?? {};
  if (codes[0]) notice(`📱 ${codes[0].phone}: ${codes[0].text}`, 'soft');
}

/** The customer waits for the answer to a message, or does no more. */
function wait(id, isOver = false) {
  if (isOver) here.pending.delete(id);
  else here.pending.add(id);
  typing.hidden = here.pending.size === 0;
  toEnd();
}

const toEnd = () => log.scrollTo(0, log.scrollHeight);

/** Before everything that came later; the sign that the bot writes stays last. */
function place(item, before = typing) {
  log.insertBefore(item, before);
  toEnd();
}

function bubbleOf(kind, speaker, text) {
  return make('div', kind, make('p', 'bubble', make('span', 'unseen', `${speaker}: `), text));
}

/** What the customer said; whoever opens a conversation says nothing. */
const mineOf = (label) =>
  label
    ? bubbleOf('mine', word('You', 'Bạn'), label)
    : make('p', 'notice soft', word('Opened the conversation', 'Mở cuộc trò chuyện'));

/** A remark of the page itself. `again`: what to do once more. */
export function notice(text, kind = 'bad', again = null) {
  const retry = () => {
    item.remove();
    again();
  };
  const item = make('div', `notice ${kind}`, text);
  if (again) item.append(' ', button(word('Send again', 'Gửi lại'), retry));
  place(item);
}

function showReply(reply, turn) {
  const { seq, key, text, image, choices = [], form, sharePhone, inPlace } = reply;
  const item = bubbleOf('bot', 'Bot', text);
  Object.assign(item.dataset, { seq, key, turn });
  for (const { id, label } of choices) labels.set(id, label);
  if (image) item.append(pictureOf(image));
  if (choices.length > 0 || form || sharePhone) {
    for (const older of log.querySelectorAll('.bot:not(.past)')) putAside(older);
    if (form && 'forms' in can()) item.append(formOf(form));
    item.append(choicesOf(reply, item));
  }
  const pressed = inPlace && here.mine.get(turn);
  if (pressed?.item?.isConnected) {
    pressed.bubble.remove();
    pressed.item.replaceWith(item);
    return;
  }
  // Answers and events may overtake each other by a little: replies stand by their numbers.
  const later = [...log.querySelectorAll('.bot')].find((one) => Number(one.dataset.seq) > seq);
  place(item, later);
}

/** What is over can be read, and pressed no more. */
function putAside(item) {
  item.classList.add('past');
  item.querySelector('form')?.remove();
  for (const one of item.querySelectorAll('.row button')) one.disabled = true;
}

/** The text says everything without it: one that does not load leaves no gap. */
function pictureOf(url) {
  const picture = make('img');
  Object.assign(picture, { src: url, alt: '', width: 240, onload: toEnd, onerror: () => picture.remove() });
  return picture;
}

function choicesOf({ choices = [], view, sharePhone }, item) {
  const group = make('div', 'row');
  if (sharePhone && 'contacts' in can())
    group.append(button(word('Share own contact', 'Gửi số của khách'), () => sharePhoneOf(true)));
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

/** Shares the customer's phone, as their own or as somebody else's. */
export function sharePhoneOf(own) {
  const phone = $('phone').value.trim();
  send({ contact: { phone, own } }, `☎ ${phone}`);
}

function formOf(fields) {
  const submit = make('button', 'primary', word('Send the form', 'Gửi biểu mẫu'));
  const form = make('form', 'card', ...fields.map(fieldOf), submit);
  Object.assign(form, { noValidate: true, ariaLabel: word('Form', 'Biểu mẫu') });
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

const FIELDS = {
  ...{ code: [word('Code', 'Mã'), 'text'], phone: [word('Phone', 'Điện thoại'), 'tel'] },
  email: ['Email', 'email'],
};

function fieldOf({ slot, required, value = '', reason }) {
  const [name, type] = FIELDS[slot];
  const input = Object.assign(make('input'), { name: slot, type, value, required, autocomplete: 'off' });
  const hint = required ? null : make('small', '', word('optional', 'không bắt buộc'));
  const field = make('label', '', make('span', '', name, ' ', hint), input);
  if (!reason) return field;
  Object.assign(input, { ariaInvalid: 'true', ariaDescription: reason });
  field.append(make('small', 'bad', reason));
  return field;
}

/** The labels of all buttons seen, by their ids. */
const labels = new Map();

/** The customer's side, where it was not written here: before a reload, or elsewhere. */
function showMessage(turn, message) {
  const first = log.querySelector(`.bot[data-turn="${CSS.escape(turn)}"]`);
  if (!message || !first || here.mine.has(turn) || message.kind === 'person') return;
  const { kind, text, choice, phone, payload, code, email } = message;
  const filled = [code, phone, email].filter(Boolean).join('\n') || word('Photo', 'Ảnh');
  const said = text ?? labels.get(choice) ?? choice ?? filled;
  const bubble = mineOf(kind === 'start' ? (payload ?? '') : said);
  here.mine.set(turn, { bubble });
  place(bubble, first);
}

$('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (!text) return;
  $('text').value = '';
  // As on the platforms, `/start` and its payload is no text.
  const start = /^\/start (\S+)$/.exec(text)?.[1];
  send(start ? { start } : { text }, text);
});
$('image').addEventListener('change', async () => {
  const [file] = $('image').files;
  if (!file) return;
  $('image').value = '';
  const bytes = new Uint8Array(await file.arrayBuffer());
  send({ photo: bytes.toBase64() }, `${word('Photo', 'Ảnh')} · ${file.name}`);
});
$('as').value = sessionStorage.as ?? 'staff';
// Also when the view is shown again, and when a phone's keyboard comes up.
new ResizeObserver(toEnd).observe(log);

$('fresh').addEventListener('click', () => {
  turnTo();
  $('text').focus();
});

/** Whoever only answers customers opens no chat. */
function begin() {
  if (here || $('chat').hidden) return;
  turnTo(sessionStorage.conversation);
  $('text').focus();
}
addEventListener('view', begin);
begin();
