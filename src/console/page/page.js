import { word } from './words.js';

/*
 * What every part of the page uses: elements, views, requests. What the page remembers is in `sessionStorage`: this tab, and
 * no longer; the name of who works here and whether the page gives notice alone outlive it.
 */

export const $ = (id) => document.getElementById(id);

/** Parts tell each other what happened, as events of the window. */
export const tell = (what, detail) => dispatchEvent(new CustomEvent(what, { detail }));

export const random = (parts) => crypto.getRandomValues(new Uint32Array(parts)).join('-');

/** A text without the characters that turn its direction round. */
const straight = (one) => (typeof one === 'string' ? one.replace(/[\u202a-\u202e\u2066-\u2069]/g, '') : one);

/** An element with its class and content; a content of null is left out. */
export function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content.filter((one) => one !== null).map(straight));
  return element;
}

export function button(label, onClick) {
  const element = make('button', '', label);
  element.type = 'button';
  element.addEventListener('click', onClick);
  return element;
}

/** Names, and what stands beside each. */
export const listOf = (rows) =>
  make('dl', '', ...rows.flatMap(([name, ...values]) => [make('dt', '', name), make('dd', '', ...values)]));

/** A number or a date, as the language writes it. */
export const local = (value, style) => value.toLocaleString($('locale').value, style);
export const moment = (at, style) => local(new Date(at), style);

const wide = matchMedia('(width >= 60rem)');

/** What the address names: a view, and what of it is shown. */
export const place = () => location.hash.slice(1).split('/');

/** The view that the address names; where there is room, the chat is shown with another view beside it. */
function show() {
  const [named = ''] = place();
  const view = named === 'play' && wide.matches ? 'chat' : named;
  document.body.dataset.view = view;
  const isBeside = $(view)?.classList.contains('beside');
  const beside = isBeside ? view : 'play';
  for (const one of document.querySelectorAll('.view')) {
    const isShown = wide.matches && (isBeside || view === 'chat') && (one.id === 'chat' || one.id === beside);
    one.hidden = one.id !== view && !isShown;
  }
  for (const link of document.querySelectorAll('nav a'))
    link.setAttribute('aria-current', String(link.hash === `#${view}`));
  tell('view');
}
addEventListener('hashchange', show);
wide.addEventListener('change', show);

/** Goes to a view without a step in the browser's history. */
export function goTo(view) {
  history.replaceState(null, '', `#${view}`);
  show();
}

/** A request of ours. Where the session is over, the page to sign in comes. */
export async function call(path, options) {
  const response = await fetch(path, options);
  if (response.status === 401) location.reload();
  return response;
}

/** A JSON answer and its status; null where no answer came. Without a body it is asked by GET. */
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

/** What went wrong, in a sentence: of a problem document every fault on a line. */
export function explain(answer) {
  if (!answer) return word('Could not be sent.', 'Không gửi được.');
  const { title, detail, faults = [] } = answer.content;
  return [title, detail, ...faults.map(({ where, what }) => `${where}: ${what}`)].filter(Boolean).join('\n');
}

/**
 * Follows server-sent events until `signal` aborts. `onLink` is told whether the stream stands. The browser reconnects and
 * resumes by itself; after a refusal a new stream begins, which may repeat events.
 */
export function follow(path, onEvent, { signal, onLink = () => {} } = {}) {
  if (signal?.aborted) return;
  const source = new EventSource(path);
  signal?.addEventListener('abort', () => source.close());
  source.onopen = () => onLink(true);
  source.onmessage = ({ data }) => onEvent(JSON.parse(data));
  source.onerror = () => {
    if (signal?.aborted) return;
    onLink(false);
    if (source.readyState !== EventSource.CLOSED) return;
    // The stream does not tell why it was refused: a request does, where the session is over.
    call('staff/me').catch(() => {});
    setTimeout(() => follow(path, onEvent, { signal, onLink }), 2000);
  };
}

/** The page is as high as what a phone's keyboard leaves of the screen. */
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
