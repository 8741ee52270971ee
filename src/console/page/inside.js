import { $, make, number, word } from './page.js';

/* Look inside: one card a turn, the newest on top and open, in the words of the code. */

const milliseconds = (ms) => `${number(ms, ms < 10 ? 1 : 0)} ms`;

/** A turn; without a message nobody wrote. */
function cardOf({ keys, trace }) {
  const { message, understood, before, after, calls, trips, ms } = trace;
  const { kind = '', view, ...said } = message ?? {};
  const what = message ? briefly(said) : word('The bot wrote unprompted');
  const parts = [
    understood && partOf('Understood', listOf(Object.entries(understood))),
    partOf('State', changesOf(rowsOf(before), rowsOf(after))),
    calls.length > 0 && partOf('AntCRM calls', ...calls.map(callOf)),
    partOf('Replies', make('code', '', keys.join(' '))),
    partOf('Store round trips', make('code', '', `${trips.length}: ${trips.join(' › ')}`)),
  ];
  const title = make('span', '', make('b', 'soft', `#${$('turns').childElementCount + 1} ${kind} `), what);
  return make('details', 'card', lineOf(title, ms), ...parts.filter(Boolean));
}

const lineOf = (title, ms) => make('summary', '', title, make('span', 'soft', milliseconds(ms)));
const partOf = (title, ...content) => make('section', '', make('h3', '', word(title)), ...content);

/** Names, and what stands beside each. */
export const listOf = (rows) =>
  make('dl', '', ...rows.flatMap(([name, ...values]) => [make('dt', '', name), make('dd', '', ...values)]));

function changesOf(was, is) {
  const change = (name) => [make('del', '', was[name] ?? ''), ' ', make('ins', '', is[name] ?? '')];
  const rows = Object.keys({ ...was, ...is }).map((name) =>
    was[name] === is[name] ? [name, is[name]] : [name, ...change(name)],
  );
  return listOf(rows);
}

/** A state as rows, two levels deep: `step.flow`, `draft.phone`. */
function rowsOf({ lastMessageMs, ...state }) {
  const rows = Object.entries(state).flatMap(([name, value]) =>
    isObject(value)
      ? Object.entries(value).map(([inner, one]) => [`${name}.${inner}`, briefly(one, inner)])
      : [[name, briefly(value, name)]],
  );
  return Object.fromEntries(rows);
}

const isObject = (value) => typeof value === 'object' && value !== null;

/** A value in a line, but for what a lookup compares with. Names that end in `Ms` are moments. */
function briefly(value, name = '') {
  if (typeof value === 'boolean') return value ? name : `not ${name}`;
  if (typeof value === 'number' && name.endsWith('Ms')) return momentOf(value);
  if (!isObject(value)) return String(value);
  const parts = Object.entries(value).filter(([inner]) => inner !== 'lookup');
  return parts.map(([inner, one]) => briefly(one, inner)).join(' · ');
}

const momentOf = (ms) =>
  new Date(ms).toLocaleString($('locale').value, { dateStyle: 'medium', timeStyle: 'short' });

/** A line that opens to what was sent. */
function callOf({ method, path, body, status, reason, outcome, ms }) {
  const [route, query = ''] = path.split('?');
  const answer = make(
    'b',
    /^(ok|applied)$/.test(outcome) ? 'good' : 'bad',
    [status, outcome].filter(Boolean).join(' '),
  );
  const title = make('span', '', make('code', '', `${method} ${route} `), answer);
  const sent = body ?? Object.fromEntries(new URLSearchParams(query));
  const detail = make('pre', '', JSON.stringify(sent, null, 1));
  detail.tabIndex = 0;
  return make('details', 'call', lineOf(title, ms), detail, reason ? make('p', 'bad', reason) : null);
}

addEventListener('fresh', () => {
  $('turns').replaceChildren();
  $('nothing').hidden = false;
});
addEventListener('turn', ({ detail }) => {
  if (!detail.trace) return;
  for (const older of $('turns').children) older.open = false;
  $('turns').prepend(cardOf(detail));
  $('turns').firstChild.open = true;
  $('nothing').hidden = true;
});
