import { VI } from './words.js';

/*
 * What every part of the page uses: elements, views, wording, and requests with the staff token. What the page remembers is in
 * `sessionStorage`: this tab, and no longer.
 */

export const $ = (id) => document.getElementById(id);

/** Parts tell each other what happened, as events of the window. */
export const tell = (what, detail) => dispatchEvent(new CustomEvent(what, { detail }));

/** What the part that is played can do. */
export const can = () => $('as').selectedOptions[0].dataset;

/** What the page says in English, in the chosen language. One that it does not speak yet reads English. */
export const word = (english) => ($('locale').value === 'vi' ? VI[english] : english);

/** An element with its class and content; a content of null is left out. */
export function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content.filter((one) => one !== null));
  return element;
}

export function button(label, onClick) {
  const element = make('button', '', label);
  element.type = 'button';
  element.addEventListener('click', onClick);
  return element;
}

export const number = (value, digits = 0) =>
  new Intl.NumberFormat($('locale').value, { maximumFractionDigits: digits }).format(value);

const wide = matchMedia('(width >= 60rem)');

/** The view that the address names; where there is room, the chat is always shown, and another one beside it. */
function show() {
  const named = location.hash.slice(1) || 'chat';
  const view = named === 'chat' && wide.matches ? 'inside' : named;
  for (const panel of document.querySelectorAll('.panel')) panel.hidden = panel.id !== view;
  $('chat').hidden = view !== 'chat' && !wide.matches;
  for (const link of document.querySelectorAll('nav a'))
    link.setAttribute('aria-current', String(link.hash === `#${view}`));
}
addEventListener('hashchange', show);
wide.addEventListener('change', show);
show();

/** Where another view fills the screen. */
export function showChat() {
  if ($('chat').hidden) location.hash = 'chat';
  $('chat').hidden = false;
}

/** The token stays in this tab, and travels in a header, never in an address. */
export function call(path, options = {}) {
  const { token } = sessionStorage;
  const headers = { ...options.headers, ...(token && { authorization: `Bearer ${token}` }) };
  return fetch(path, { ...options, headers });
}

/** A JSON answer and its status; null where no answer came. Without a body it is asked by GET. */
export async function exchange(path, body) {
  const headers = { 'content-type': 'application/json' };
  const options = body && { method: 'POST', headers, body: JSON.stringify(body) };
  try {
    const response = await call(path, options);
    return { status: response.status, content: await response.json() };
  } catch {
    return null;
  }
}

/** What went wrong, in a sentence: of a problem document every fault on a line. */
export function explain(answer) {
  if (!answer) return word('Could not be sent.');
  const { title, detail, faults = [] } = answer.content;
  return [title, detail, ...faults.map(({ where, what }) => `${where}: ${what}`)].filter(Boolean).join('\n');
}

/**
 * Follows a stream of server-sent events until `signal` aborts, reconnecting for ever; what was missed comes first. An
 * `EventSource` could not carry the token. `onLink` is told whether the stream stands.
 */
export async function follow(path, signal, onEvent, onLink = () => {}) {
  let after = '0';
  for (let pauseMs = 1000; !signal.aborted; pauseMs = Math.min(pauseMs * 2, 15_000)) {
    try {
      const response = await call(path, { headers: { 'last-event-id': after }, signal });
      if (response.status === 401) return signIn(() => follow(path, signal, onEvent, onLink));
      if (response.ok) {
        onLink(true);
        pauseMs = 1000;
        for await (const event of eventsOf(response)) {
          after = /^id: (.*)$/m.exec(event)?.[1] ?? after;
          const data = /^data: (.*)$/m.exec(event)?.[1];
          if (data) onEvent(JSON.parse(data));
        }
      }
    } catch {
      // A cut connection: the next round resumes after the last event seen.
    }
    if (signal.aborted) return;
    onLink(false);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Each event as its lines. */
async function* eventsOf(response) {
  let rest = '';
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const events = (rest + part.value).split('\n\n');
    rest = events.pop();
    yield* events;
  }
}

const onSignedIn = [];

/** Asks for the token once, however many calls wait for it. */
export function signIn(next) {
  onSignedIn.push(next);
  if ($('login').open) return;
  $('wrong').textContent = sessionStorage.token ? word('This token is wrong.') : '';
  $('login').showModal();
}

$('login').addEventListener('cancel', (event) => event.preventDefault());
$('login').addEventListener('close', () => {
  sessionStorage.token = $('token').value;
  $('token').value = '';
  for (const next of onSignedIn.splice(0)) next();
});

/** The language of the browser, where the bot speaks it; else the bot's first. */
function ofBrowser() {
  const spoken = [...$('locale').options].map(({ value }) => value);
  const wanted = navigator.languages.map((tag) => tag.split('-', 1)[0]);
  return wanted.find((tag) => spoken.includes(tag)) ?? spoken[0];
}

/** What of an element is worded, by its mark. */
const MARKS = { word: 'textContent', label: 'ariaLabel', hint: 'placeholder', title: 'title' };

// Once, before anything else is shown: another language is another load of the page.
$('locale').value = sessionStorage.locale ?? ofBrowser();
$('as').value = sessionStorage.as ?? 'staff';
document.documentElement.lang = $('locale').value;
document.title = `AntCRM · ${word('Chatbot bench')}`;
for (const [mark, part] of Object.entries(MARKS))
  for (const element of document.querySelectorAll(`[data-${mark}]`)) element[part] = word(element[part]);
$('locale').addEventListener('change', () => {
  sessionStorage.locale = $('locale').value;
  location.reload();
});
