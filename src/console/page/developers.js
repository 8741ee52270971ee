import { notice, playedRole, sharePhoneOf, showChat } from './chat.js';
import { $, button, exchange, explain, make, makeList, toLocal, toLocalTime } from './page.js';
import { word } from './words.js';

/* For developers: a look inside each turn, the role to play, and AntCRM's sandbox. */

/* Look inside: a card for each turn, the newest on top and open. Its words are those of the code. */

const milliseconds = (ms) => `${toLocal(ms, { maximumFractionDigits: ms < 10 ? 1 : 0 })} ms`;

/** The card of a turn. Without a message, the bot wrote by itself. */
function cardOf({ keys, trace }) {
  const { message, understood, before, after, calls, trips, ms } = trace;
  const { kind = '', view, ...content } = message ?? {};
  const summary = message ? toLine(content) : word('The bot wrote unprompted', 'Bot tự lên tiếng');
  const parts = [
    understood && partOf(word('Understood', 'Hiểu là'), makeList(Object.entries(understood))),
    partOf(word('State', 'Trạng thái'), changesOf(rowsOf(before), rowsOf(after))),
    calls.length > 0 && partOf(word('AntCRM calls', 'Gọi AntCRM'), ...calls.map(callOf)),
    partOf(word('Replies', 'Trả lời'), make('code', '', keys.join(' '))),
    partOf(word('Round trips', 'Lần truy cập'), make('code', '', `${trips.length}: ${trips.join(' › ')}`)),
  ];
  const title = make('span', '', make('b', 'soft', `#${$('turns').childElementCount + 1} ${kind} `), summary);
  return make('details', 'card', lineOf(title, ms), ...parts.filter(Boolean));
}

const lineOf = (title, ms) => make('summary', '', title, make('span', 'soft', milliseconds(ms)));
const partOf = (title, ...content) => make('section', '', make('h3', '', title), ...content);

function changesOf(before, after) {
  const change = (name) => [make('del', '', before[name] ?? ''), ' ', make('ins', '', after[name] ?? '')];
  const rows = Object.keys({ ...before, ...after }).map((name) =>
    before[name] === after[name] ? [name, after[name]] : [name, ...change(name)],
  );
  return makeList(rows);
}

/** A state as rows, two levels deep: `step.flow`, `draft.phone`. */
function rowsOf({ lastMessageMs, ...state }) {
  const rows = Object.entries(state).flatMap(([name, value]) =>
    isObject(value)
      ? Object.entries(value).map(([inner, part]) => [`${name}.${inner}`, toLine(part, inner)])
      : [[name, toLine(value, name)]],
  );
  return Object.fromEntries(rows);
}

const isObject = (value) => typeof value === 'object' && value !== null;

/** A value in one line, without the data for a lookup. A name that ends in `Ms` has a time. */
function toLine(value, name = '') {
  if (typeof value === 'boolean') return value ? name : `not ${name}`;
  if (typeof value === 'number' && name.endsWith('Ms'))
    return toLocalTime(value, { dateStyle: 'medium', timeStyle: 'short' });
  if (!isObject(value)) return String(value);
  const parts = Object.entries(value).filter(([inner]) => inner !== 'lookup');
  return parts.map(([inner, part]) => toLine(part, inner)).join(' · ');
}

/** A call of AntCRM in one line, which opens to show what was sent. */
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

/* Play: the channel whose customer the developer plays, and the sandbox. */

/** Shows what the chosen channel can do. */
function showRole() {
  const { proof } = playedRole();
  sessionStorage.as = $('as').value;
  for (const text of document.querySelectorAll('[data-of-proof]'))
    text.hidden = text.dataset.ofProof !== proof;
  $('ofProfile').hidden = proof !== 'profile';
  for (const element of document.querySelectorAll('.ofContacts'))
    element.hidden = !('contacts' in playedRole());
  $('other').hidden = proof === 'token';
}

async function changeSandbox(route, body) {
  const answer = await exchange(`sandbox/${route}`, body);
  if (answer?.status !== 200) notice(explain(answer));
  void showSandbox();
}

/** Shows the sandbox's state. It is hidden if the backend is a real AntCRM. */
async function showSandbox() {
  const answer = await exchange('sandbox/state');
  $('sandbox').hidden = answer?.status !== 200;
  if (answer?.status !== 200) return;
  const { codes, customers, faults } = answer.content;
  $('codes').replaceChildren(...codes.map(codeButton));
  const pairs = customers.map(({ name, phones, emails, scoreAvailable }) => {
    const points = `${toLocal(scoreAvailable)} ${word('points', 'điểm')}`;
    return [name, [points, phones[0]?.value, emails[0]?.value].filter(Boolean).join(' · ')];
  });
  $('customers').replaceChildren(makeList(pairs));
  const planned = faults.map(({ call, fault, times }) => `${call}: ${fault} ×${times}`);
  $('planned').textContent = planned.join(', ') || word('No fault is planned.', 'Chưa đặt lỗi nào.');
}

/** A button that puts a code into the composer. It takes any code of a range "A … B": each is good once. */
function codeButton(code) {
  return button(code, () => {
    const [first, last] = code.split(' … ');
    const number = 1 + Math.floor(Math.random() * Number(last?.slice(-3)));
    $('text').value = last ? first.slice(0, -3) + String(number).padStart(3, '0') : first;
    showChat();
    $('text').focus();
  });
}

$('reset').addEventListener('click', () => changeSandbox('reset', {}));
for (const element of $('faults').children)
  element.addEventListener('click', () => changeSandbox('faults', JSON.parse(element.dataset.fault)));
$('own').addEventListener('click', () => sharePhoneOf(true));
$('other').addEventListener('click', () => sharePhoneOf(false));
$('as').addEventListener('change', showRole);
addEventListener('turn', () => void showSandbox());
showRole();
void showSandbox();
