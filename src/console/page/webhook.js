import { $, session, word } from './page.js';

/** Every request. The token travels in a header. */
export function call(path, options = {}) {
  const token = session.get('token');
  const headers = { ...options.headers, ...(token && { authorization: `Bearer ${token}` }) };
  return fetch(path, { ...options, headers });
}

/** A JSON answer and its status; null where no answer came. */
export async function exchange(path, body) {
  const json = body !== undefined && {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  try {
    const response = await call(path, json || {});
    return { status: response.status, content: await response.json() };
  } catch {
    return null;
  }
}

/** What a problem document says, every fault on a line. */
export function explain({ title, detail, faults = [] }) {
  return [title, detail, ...faults.map(({ where, what }) => `${where}: ${what}`)].filter(Boolean).join('\n');
}

/** The events of a stream; `EventSource` cannot carry a token. */
export async function* eventsOf(response) {
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

let onSignedIn = [];

/** Asks for the token once, however many calls wait for it. */
export function signIn(next) {
  onSignedIn.push(next);
  if ($('login').open) return;
  $('login').showModal();
  $('wrong').textContent = session.get('token') ? word('login.wrong') : '';
}

$('login').addEventListener('cancel', (event) => event.preventDefault());
$('login').addEventListener('close', () => {
  session.set('token', $('token').value);
  $('token').value = '';
  const calls = onSignedIn;
  onSignedIn = [];
  for (const next of calls) next();
});
