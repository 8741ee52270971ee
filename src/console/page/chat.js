import { $, button, emit, exchange, explain, followEvents, goTo, make, random } from './page.js';
import { word } from './words.js';

/*
 * The chat: one conversation over the staff webhook. It emits `fresh` when another conversation begins, and
 * `turn` ({ keys, trace }) after the last reply of a turn.
 */

const log = $('log');

/** The channel that the chat plays: its `proof`, and the keys `forms` and `contacts` if it has them. */
export const playedRole = () => $('as').selectedOptions[0].dataset;

/** Shows the chat if another view fills the screen. */
export const showChat = () => $('chat').hidden && goTo('chat');

const typing = $('typing');

/**
 * The current conversation.
 * - `seen`: the numbers of the replies that are shown. `keys`: those of the current turn.
 * - `sent`: the customer's bubbles by message id, each with the bot's bubble whose button was pressed.
 * - `pending`: ids of the messages without an answer.
 */
let current = null;

/** Opens the conversation of that name. Without a name a new one begins, as if the customer pressed Start. */
function openConversation(name) {
  current?.leaving.abort();
  current = {
    name: name || `console-${random(2)}`,
    leaving: new AbortController(),
    seen: new Set(),
    sent: new Map(),
    pending: new Set(),
    keys: [],
  };
  sessionStorage.conversation = current.name;
  log.replaceChildren(typing);
  showTyping();
  emit('fresh');
  const { signal } = current.leaving;
  followEvents(`webhooks/staff/${current.name}/events`, receive, { signal, onLink: showConnection });
  if (!name) send({ start: '' }, '');
}

function showConnection(isConnected) {
  $('status').textContent = isConnected
    ? word('Connected', 'Đã kết nối')
    : word('Reconnecting…', 'Đang kết nối lại…');
}

/** Sends a message. `label`: its text in the chat. `item`: the bot's bubble whose button was pressed. */
export function send(message, label = message.text, item = null) {
  const name = $('name').value.trim();
  const email = playedRole().proof === 'profile' && $('profile').value.trim();
  const body = {
    conversation: current.name,
    id: random(4),
    trace: true,
    locale: $('locale').value,
    as: $('as').value,
    ...(name && { name }),
    ...(email && { profile: { email } }),
    ...message,
  };
  const bubble = customerBubble(label);
  current.sent.set(body.id, { bubble, item });
  insertItem(bubble);
  if (label) showChat();
  void post(body, current);
}

/** Sends a message. After a lost connection it may be repeated with the same id, so that it counts once. */
async function post(body, conversation) {
  conversation.pending.add(body.id);
  showTyping();
  const answer = await exchange('webhooks/staff', body);
  if (conversation !== current) return;
  const { status, replies = [], trace } = answer?.content ?? {};
  // The answer comes as events.
  if (status === 'queued') return;
  if (answer?.status !== 200) notice(explain(answer), 'bad', answer ? null : () => post(body, conversation));
  for (const [index, reply] of replies.entries())
    receive({ ...reply, turn: body.id, trace, last: index === replies.length - 1 });
  endWait(body.id);
}

/** Takes a reply of an answer or an event. Both number replies alike, so each reply is shown once. */
function receive({ turn = '', last, trace, ...reply }) {
  if (current.seen.has(reply.seq)) return;
  current.seen.add(reply.seq);
  current.keys.push(reply.key);
  if (!reply.quiet) showReply(reply, turn);
  if (reply.asks === 'proof') void showCode();
  if (!last) return;
  if (trace) showMessage(turn, trace.message);
  emit('turn', { keys: current.keys, trace });
  current.keys = [];
  endWait(turn);
}

/** Shows the text message with the one-time code. Only a bot with the sandbox as backend gives it. */
async function showCode() {
  const { codes = [] } = (await exchange('console/codes').catch(() => null))?.content ?? {};
  if (codes[0]) notice(`📱 ${codes[0].phone}: ${codes[0].text}`, 'soft');
}

/** The message is answered. */
function endWait(id) {
  current.pending.delete(id);
  showTyping();
}

/** Shows that the bot is typing while a message has no answer. */
function showTyping() {
  typing.hidden = current.pending.size === 0;
  scrollToEnd();
}

const scrollToEnd = () => log.scrollTo(0, log.scrollHeight);

/** Inserts a bubble before another one. By default it is the last one, above the typing sign. */
function insertItem(item, next = typing) {
  log.insertBefore(item, next);
  scrollToEnd();
}

function bubbleOf(kind, speaker, text) {
  return make('div', kind, make('p', 'bubble', make('span', 'unseen', `${speaker}: `), text));
}

/** The bubble of a customer's message. Without a text, the customer only opened the conversation. */
const customerBubble = (label) =>
  label
    ? bubbleOf('mine', word('You', 'Bạn'), label)
    : make('p', 'notice soft', word('Opened the conversation', 'Mở cuộc trò chuyện'));

/** Shows a remark of the page itself. `retry`: what its button repeats. */
export function notice(text, kind = 'bad', retry = null) {
  const onRetry = () => {
    item.remove();
    retry();
  };
  const item = make('div', `notice ${kind}`, text);
  if (retry) item.append(' ', button(word('Send again', 'Gửi lại'), onRetry));
  insertItem(item);
}

function showReply(reply, turn) {
  const { seq, key, text, image, choices = [], form, sharePhone, inPlace } = reply;
  const item = bubbleOf('bot', 'Bot', text);
  Object.assign(item.dataset, { seq, key, turn });
  for (const { id, label } of choices) labels.set(id, label);
  if (image) item.append(pictureOf(image));
  if (choices.length > 0 || form || sharePhone) {
    for (const older of log.querySelectorAll('.bot:not(.past)')) disableItem(older);
    if (form && 'forms' in playedRole()) item.append(formOf(form));
    item.append(choicesOf(reply, item));
  }
  const pressed = inPlace && current.sent.get(turn);
  if (pressed?.item?.isConnected) {
    pressed.bubble.remove();
    pressed.item.replaceWith(item);
    return;
  }
  // Answers and events may overtake each other, so replies are sorted by their numbers.
  const later = [...log.querySelectorAll('.bot')].find(({ dataset }) => Number(dataset.seq) > seq);
  insertItem(item, later);
}

/** An older question can still be read, but not answered. */
function disableItem(item) {
  item.classList.add('past');
  item.querySelector('form')?.remove();
  for (const choice of item.querySelectorAll('.row button')) choice.disabled = true;
}

/** A picture that does not load is removed, because the text says the same. */
function pictureOf(url) {
  const picture = make('img');
  Object.assign(picture, {
    src: url,
    alt: '',
    width: 240,
    onload: scrollToEnd,
    onerror: () => picture.remove(),
  });
  return picture;
}

function choicesOf({ choices = [], view, sharePhone }, item) {
  const group = make('div', 'row');
  if (sharePhone && 'contacts' in playedRole())
    group.append(button(word('Share own contact', 'Gửi số của khách'), () => sharePhoneOf(true)));
  for (const { id, label } of choices) {
    const onPress = () => {
      send({ choice: view ? `${id}~${view}` : id }, label, item);
      $('text').focus();
    };
    const element = button(label, onPress);
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
    // An empty field means that the customer has no e-mail.
    const none = fields.some(({ slot }) => slot === 'email') && { email: '' };
    send({ form: { ...none, ...Object.fromEntries(typed) } }, typed.map(([, value]) => value).join('\n'));
    $('text').focus();
  });
  return form;
}

const FIELDS = {
  code: [word('Code', 'Mã'), 'text'],
  phone: [word('Phone', 'Điện thoại'), 'tel'],
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

/** The labels of all buttons that were shown, by their ids. */
const labels = new Map();

/** Shows a customer's message that this page did not send: it was sent before a reload, or elsewhere. */
function showMessage(turn, message) {
  const first = log.querySelector(`.bot[data-turn="${CSS.escape(turn)}"]`);
  if (!message || !first || current.sent.has(turn) || message.kind === 'person') return;
  const { kind, text, choice, phone, payload, code, email } = message;
  const filled = [code, phone, email].filter(Boolean).join('\n') || word('Photo', 'Ảnh');
  const content = text ?? labels.get(choice) ?? choice ?? filled;
  const bubble = customerBubble(kind === 'start' ? (payload ?? '') : content);
  current.sent.set(turn, { bubble });
  insertItem(bubble, first);
}

$('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (!text) return;
  $('text').value = '';
  // As on Telegram, `/start` with a payload is sent as a start, not as a text.
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
// The log changes its size when its view is shown, and when a phone's keyboard opens.
new ResizeObserver(scrollToEnd).observe(log);

$('fresh').addEventListener('click', () => {
  openConversation();
  $('text').focus();
});

/** The chat begins when it is first shown: staff who only answer customers start no conversation. */
function openWhenShown() {
  if (current || $('chat').hidden) return;
  openConversation(sessionStorage.conversation);
  $('text').focus();
}
addEventListener('view', openWhenShown);
openWhenShown();
