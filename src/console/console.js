import { WORDS } from './words.js';

const $ = (id) => document.getElementById(id);
const log = $('log');
const text = $('text');

/** What this tab remembers: the conversation, its language, whom to act as, the token. Nothing outlives the tab. */
const session = {
  get: (name, otherwise) => sessionStorage.getItem(name) ?? otherwise,
  set: (name, value) => sessionStorage.setItem(name, value),
};

let conversation = session.get('conversation') ?? newConversation();
let following = new AbortController();
/** The `seq` of every reply shown: answers and events carry the same ones. */
let shown = new Set();
/** The button pressed last: its message, which a reply "in place" replaces, and how the press is shown. */
let pressed = null;
let waiting = 0;

function newConversation() {
  const name = `console-${crypto.getRandomValues(new Uint32Array(2)).join('')}`;
  session.set('conversation', name);
  return name;
}

/* ---- Words ---- */

const word = (name) => WORDS[$('locale').value][name];

function speak() {
  document.documentElement.lang = $('locale').value;
  for (const element of document.querySelectorAll('[data-word]'))
    element.textContent = word(element.dataset.word);
  for (const element of document.querySelectorAll('[data-label]'))
    element.setAttribute('aria-label', word(element.dataset.label));
  for (const element of document.querySelectorAll('[data-hint]'))
    element.placeholder = word(element.dataset.hint);
}

function status(name) {
  $('status').dataset.word = name;
  $('status').textContent = word(name);
}

/* ---- Messages on the screen ---- */

function bubble(kind, speaker, content) {
  const item = document.createElement('div');
  item.className = kind;
  const who = document.createElement('span');
  who.className = 'visually-hidden';
  who.textContent = `${speaker}: `;
  const body = document.createElement('p');
  body.className = 'bubble';
  body.append(who, content);
  item.append(body);
  return item;
}

function append(item) {
  log.append(item);
  log.scrollTop = log.scrollHeight;
  return item;
}

function button(label, onClick) {
  const element = document.createElement('button');
  element.type = 'button';
  element.textContent = label;
  element.addEventListener('click', onClick);
  return element;
}

function showReply(reply) {
  if (shown.has(reply.seq)) return;
  shown.add(reply.seq);
  const item = bubble(reply.notice ? 'bot notice' : 'bot', word('bot'), reply.text);
  if (reply.choices?.length || reply.sharePhone) {
    for (const older of log.querySelectorAll('.bot')) older.classList.add('past');
    item.append(choices(reply, item));
  }
  if (reply.inPlace && pressed?.item.isConnected) {
    pressed.item.replaceWith(item);
    pressed.mine.remove();
    pressed = null;
  } else append(item);
}

function choices({ choices = [], view, sharePhone }, item) {
  const group = document.createElement('div');
  group.className = 'choices';
  if (sharePhone) group.append(button(word('contact'), openContact));
  for (const { id, label } of choices) {
    const press = () => {
      pressed = { item, mine: send({ choice: view ? `${id}~${view}` : id }, label) };
    };
    group.append(button(label, press));
  }
  return group;
}

function showFault(message, again) {
  const item = bubble('fault', word('bot'), message);
  const retry = () => {
    item.remove();
    again();
  };
  if (again) item.append(button(word('retry'), retry));
  append(item);
}

/* ---- Talking to the webhook ---- */

function call(path, options = {}) {
  const token = session.get('token');
  const headers = { ...options.headers, ...(token && { authorization: `Bearer ${token}` }) };
  return fetch(`webhooks/staff${path}`, { ...options, headers });
}

/** Sends one message, and shows it: gives that bubble. */
function send(message, label) {
  const id = crypto.getRandomValues(new Uint32Array(4)).join('-');
  void post({ conversation, id, locale: $('locale').value, as: $('as').value, ...message });
  text.focus();
  return append(bubble('mine', word('you'), label));
}

/** A repeat after a cut connection carries the same id, so that it counts once. */
async function post(body) {
  waiting += 1;
  $('working').hidden = false;
  const response = await exchange(body);
  waiting -= 1;
  $('working').hidden = waiting === 0;
  if (body.conversation !== conversation) return;
  if (!response) showFault(word('failed'), () => post(body));
  else if (response.code === 401) signIn(() => post(body));
  else if (response.code !== 200) showFault(explain(response.content));
  else if (response.content.status === 'queued') status('queued');
  else for (const reply of response.content.replies) showReply(reply);
}

/** Null where no answer came. */
async function exchange(body) {
  try {
    const response = await call('', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { code: response.status, content: await response.json() };
  } catch {
    return null;
  }
}

function explain({ title, detail, faults = [] }) {
  return [title, detail, ...faults.map(({ where, what }) => `${where}: ${what}`)].filter(Boolean).join('\n');
}

/* ---- Following the conversation (server-sent events; EventSource cannot carry a token) ---- */

async function follow() {
  following.abort();
  const mine = new AbortController();
  following = mine;
  let after = 0;
  for (let pauseMs = 1000; !mine.signal.aborted; pauseMs = Math.min(pauseMs * 2, 15_000)) {
    try {
      const response = await call(`/${conversation}/events`, {
        headers: { 'last-event-id': String(after) },
        signal: mine.signal,
      });
      if (response.status === 401) return signIn(follow);
      if (response.ok) {
        status('connected');
        pauseMs = 1000;
        for await (const event of eventsOf(response)) {
          after = event.seq;
          showReply(event);
        }
      }
    } catch {
      // A cut connection: the next round resumes after the last event seen.
    }
    if (mine.signal.aborted) return;
    status('connecting');
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

async function* eventsOf(response) {
  let rest = '';
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const blocks = (rest + part.value).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const data = block.split('\n').find((line) => line.startsWith('data: '));
      if (data) yield JSON.parse(data.slice('data: '.length));
    }
  }
}

/* ---- Dialogs ---- */

/** Asks for the token once, however many calls wait for it. */
let onSignedIn = [];
function signIn(next) {
  onSignedIn.push(next);
  if (!$('login').open) $('login').showModal();
}

$('login').addEventListener('cancel', (event) => event.preventDefault());
$('login').addEventListener('close', () => {
  session.set('token', $('token').value);
  $('token').value = '';
  const calls = onSignedIn;
  onSignedIn = [];
  for (const next of calls) next();
});

function openContact() {
  $('own').disabled = $('as').value === 'staff';
  if ($('own').disabled) $('own').checked = true;
  $('contactDialog').showModal();
}

$('contactDialog').addEventListener('close', () => {
  const { returnValue } = $('contactDialog');
  $('contactDialog').returnValue = '';
  text.focus();
  const phone = $('phone').value;
  if (returnValue === 'send') send({ contact: { phone, own: $('own').checked } }, `☎ ${phone}`);
});

/* ---- The page ---- */

$('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const typed = text.value.trim();
  if (!typed) return;
  text.value = '';
  send({ text: typed }, typed);
});

$('contact').addEventListener('click', openContact);

$('fresh').addEventListener('click', () => {
  conversation = newConversation();
  shown = new Set();
  log.replaceChildren();
  text.focus();
  void follow();
});

$('locale').addEventListener('change', () => {
  session.set('locale', $('locale').value);
  speak();
});

$('as').addEventListener('change', () => session.set('as', $('as').value));

$('locale').value = session.get('locale', 'vi');
$('as').value = session.get('as', 'staff');
speak();
text.focus();
void follow();
