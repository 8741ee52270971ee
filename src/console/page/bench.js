import { can, notice, sharePhoneOf, showChat } from './chat.js';
import { $, button, exchange, explain, listOf, local, make, moment } from './page.js';
import { word } from './words.js';

/* For developers: a look inside each turn, whom to play, and AntCRM's sandbox. */

/* Look inside: one card a turn, the newest on top and open, in the words of the code. */

const milliseconds = (ms) => `${local(ms, { maximumFractionDigits: ms < 10 ? 1 : 0 })} ms`;

/** A turn; without a message nobody wrote. */
function cardOf({ keys, trace }) {
  const { message, understood, before, after, calls, trips, ms } = trace;
  const { kind = '', view, ...said } = message ?? {};
  const what = message ? briefly(said) : word('The bot wrote unprompted', 'Bot tự lên tiếng');
  const parts = [
    understood && partOf(word('Understood', 'Hiểu là'), listOf(Object.entries(understood))),
    partOf(word('State', 'Trạng thái'), changesOf(rowsOf(before), rowsOf(after))),
    calls.length > 0 && partOf(word('AntCRM calls', 'Gọi AntCRM'), ...calls.map(callOf)),
    partOf(word('Replies', 'Trả lời'), make('code', '', keys.join(' '))),
    partOf(word('Round trips', 'Lần truy cập'), make('code', '', `${trips.length}: ${trips.join(' › ')}`)),
  ];
  const title = make('span', '', make('b', 'soft', `#${$('turns').childElementCount + 1} ${kind} `), what);
  return make('details', 'card', lineOf(title, ms), ...parts.filter(Boolean));
}

const lineOf = (title, ms) => make('summary', '', title, make('span', 'soft', milliseconds(ms)));
const partOf = (title, ...content) => make('section', '', make('h3', '', title), ...content);

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
  if (typeof value === 'number' && name.endsWith('Ms'))
    return moment(value, { dateStyle: 'medium', timeStyle: 'short' });
  if (!isObject(value)) return String(value);
  const parts = Object.entries(value).filter(([inner]) => inner !== 'lookup');
  return parts.map(([inner, one]) => briefly(one, inner)).join(' · ');
}

/** A line that opens to what was sent. */
function callOf({ method, path, body, status, reason, outcome, ms }) {
  const [route, query = ''] = path.split('?');
  const kind = /^(ok|applied)$/.test(outcome) ? 'good' : 'bad';
  const answer = make('b', kind, [status, outcome].filter(Boolean).join(' '));
  const title = make('span', '', make('code', '', `${method} ${route} `), answer);
  const sent = body ?? Object.fromEntries(new URLSearchParams(query));
  const detail = make('pre', '', JSON.stringify(sent, null, 1));
  detail.tabIndex = 0;
  return make('details', 'call', lineOf(title, ms), detail, reason ? make('p', 'bad', reason) : null);
}

addEventListener('fresh', () => $('turns').replaceChildren());
addEventListener('turn', ({ detail }) => {
  if (!detail.trace) return;
  for (const older of $('turns').children) older.open = false;
  $('turns').prepend(cardOf(detail));
  $('turns').firstChild.open = true;
});

/* Play. */
/** Shows what the chosen part can do. */
function become() {
  const { proof } = can();
  sessionStorage.as = $('as').value;
  for (const one of document.querySelectorAll('[data-believed]')) one.hidden = one.dataset.believed !== proof;
  $('ofProfile').hidden = proof !== 'profile';
  for (const element of document.querySelectorAll('.ofContacts')) element.hidden = !('contacts' in can());
  $('other').hidden = proof === 'token';
}

async function change(what, body) {
  const answer = await exchange(`sandbox/${what}`, body);
  if (answer?.status !== 200) notice(explain(answer));
  void look();
}

/** Reads the sandbox's state; a real AntCRM has none. */
async function look() {
  const answer = await exchange('sandbox/state');
  $('sandbox').hidden = answer?.status !== 200;
  if (answer?.status !== 200) return;
  const { codes, customers, faults } = answer.content;
  $('codes').replaceChildren(...codes.map(codeOf));
  const pairs = customers.map(({ name, phones, emails, scoreAvailable }) => {
    const points = `${local(scoreAvailable)} ${word('points', 'điểm')}`;
    return [name, [points, phones[0]?.value, emails[0]?.value].filter(Boolean).join(' · ')];
  });
  $('customers').replaceChildren(listOf(pairs));
  const planned = faults.map(({ call, fault, times }) => `${call}: ${fault} ×${times}`);
  $('planned').textContent = planned.join(', ') || word('No fault is planned.', 'Chưa đặt lỗi nào.');
}

/** Puts a code into the composer; of a range, "A … B", any: each code is good once. */
function codeOf(code) {
  return button(code, () => {
    const [first, last] = code.split(' … ');
    const any = 1 + Math.floor(Math.random() * Number(last?.slice(-3)));
    $('text').value = last ? first.slice(0, -3) + String(any).padStart(3, '0') : first;
    showChat();
    $('text').focus();
  });
}

$('reset').addEventListener('click', () => change('reset', {}));
for (const one of $('faults').children)
  one.addEventListener('click', () => change('faults', JSON.parse(one.dataset.fault)));
$('own').addEventListener('click', () => sharePhoneOf(true));
$('other').addEventListener('click', () => sharePhoneOf(false));
$('as').addEventListener('change', become);
addEventListener('turn', () => void look());
become();
void look();
