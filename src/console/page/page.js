import { word } from './words.js';

/*
 * What every part of the page uses: elements, views, requests. The page keeps what it remembers in
 * `sessionStorage`, so it ends with the tab. Two settings stay in `localStorage`: the staff member's name,
 * and whether the page gives notice.
 */

export const $ = (id) => document.getElementById(id);

/** The parts of the page inform each other by events of the window. */
export const emit = (name, detail) => dispatchEvent(new CustomEvent(name, { detail }));

export const random = (parts) => crypto.getRandomValues(new Uint32Array(parts)).join('-');

/** A text without the characters that change its direction. */
const dropDirection = (text) => text.replace(/[\u202a-\u202e\u2066-\u2069]/g, '');

/** An element with its class and content; a content of null is left out. */
export function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  const parts = content.filter((part) => part !== null);
  element.append(...parts.map((part) => (typeof part === 'string' ? dropDirection(part) : part)));
  return element;
}

export function button(label, onClick) {
  const element = make('button', '', label);
  element.type = 'button';
  element.addEventListener('click', onClick);
  return element;
}

/** A list of names, each with its values. */
export const makeList = (rows) =>
  make('dl', '', ...rows.flatMap(([name, ...values]) => [make('dt', '', name), make('dd', '', ...values)]));

/** A number or a date, in the format of the chosen language. `toLocalTime` takes epoch ms or an ISO date. */
export const toLocal = (value, style) => value.toLocaleString($('locale').value, style);
export const toLocalTime = (time, style) => toLocal(new Date(time), style);

const wide = matchMedia('(width >= 60rem)');

/** The parts of the address after `#`: the view, then what it shows. */
export const addressParts = () => location.hash.slice(1).split('/');

/** Shows the view of the address. A wide screen shows the chat with another view beside it. */
function show() {
  const [named = ''] = addressParts();
  const view = named === 'play' && wide.matches ? 'chat' : named;
  document.body.dataset.view = view;
  const isBeside = $(view)?.classList.contains('beside');
  const beside = isBeside ? view : 'play';
  for (const element of document.querySelectorAll('.view')) {
    const { id } = element;
    const isShown = wide.matches && (isBeside || view === 'chat') && (id === 'chat' || id === beside);
    element.hidden = id !== view && !isShown;
  }
  for (const link of document.querySelectorAll('nav a'))
    link.setAttribute('aria-current', String(link.hash === `#${view}`));
  emit('view');
}
addEventListener('hashchange', show);
wide.addEventListener('change', show);

/** Goes to a view without a step in the browser's history. */
export function goTo(view) {
  history.replaceState(null, '', `#${view}`);
  show();
}

/** Sends a request. If the session is over, the page reloads and asks staff to sign in. */
export async function call(path, options) {
  const response = await fetch(path, options);
  if (response.status === 401) location.reload();
  return response;
}

/** Sends JSON with POST, or asks with GET if there is no body. Resolves to null if no answer came. */
export async function exchange(path, body) {
  const headers = { 'content-type': 'application/json' };
  try {
    const sent = body && { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await call(path, sent);
    return { status: response.status, content: await response.json() };
  } catch {
    return null;
  }
}

/** Says what went wrong. Each fault of a problem document gets a line. */
export function explain(answer) {
  if (!answer) return word('Could not be sent.', 'Không gửi được.');
  const { title, detail, faults = [] } = answer.content;
  return [title, detail, ...faults.map(({ where, what }) => `${where}: ${what}`)].filter(Boolean).join('\n');
}

/**
 * Follows server-sent events until `signal` aborts. `onLink` gets whether the stream is connected. The
 * browser reconnects and resumes by itself. After a refusal a new stream begins, which may repeat events.
 */
export function followEvents(path, onEvent, { signal, onLink = () => {} } = {}) {
  if (signal?.aborted) return;
  const source = new EventSource(path);
  signal?.addEventListener('abort', () => source.close());
  source.onopen = () => onLink(true);
  source.onmessage = ({ data }) => onEvent(JSON.parse(data));
  source.onerror = () => {
    if (signal?.aborted) return;
    onLink(false);
    if (source.readyState !== EventSource.CLOSED) return;
    // An event stream hides why it was refused. This request reloads the page if the session is over.
    call('staff/me').catch(() => {});
    setTimeout(() => followEvents(path, onEvent, { signal, onLink }), 2000);
  };
}

/** Fits the page into the part of the screen above a phone's keyboard. */
function fillScreen() {
  document.body.style.height = `${visualViewport.height}px`;
  // Safari moves the page up behind the keyboard.
  scrollTo(0, 0);
}
visualViewport.addEventListener('resize', () => visualViewport.scale === 1 && fillScreen());

$('account').addEventListener('submit', () => sessionStorage.clear());
$('locale').addEventListener('change', () => {
  sessionStorage.locale = $('locale').value;
  location.reload();
});
if (location.hash) show();
