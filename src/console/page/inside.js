import { $, chosen, make, milliseconds, named, number, on, word, worded } from './page.js';

/* Look inside: one card a turn, the newest on top and open. */

const cards = $('turns');
/** What the cards show, the oldest first. */
let turns = [];

function cardOf({ keys, trace }, at) {
  const { message, calls, trips, ms } = trace;
  const title = make('span', 'what', make('b', 'number', `#${at + 1}`), ' ', said(message));
  const summary = make('summary', '', title, make('span', 'time', milliseconds(ms)));
  const card = make('details', 'turn', summary);
  card.append(
    ...[
      trace.understood && part('inside.understood', facts(trace.understood)),
      part('inside.state', stateTable(trace.before, trace.after)),
      calls.length > 0 && part('inside.calls', ...calls.map(callOf)),
      part('inside.replies', make('p', 'chips', ...keys.map((key) => make('code', '', key)))),
      make('p', 'sums', ...sumsOf(trips, ms)),
    ].filter(Boolean),
  );
  return card;
}

function said(message) {
  if (message === null) return worded('span', '', 'inside.unasked');
  const kind = worded('span', 'kind', `kind.${message.kind}`);
  const seen = message.pictures?.map(({ texts, kind }) => texts?.join(' ') ?? kind).join(', ');
  const { text, choice, phone, code, payload } = message;
  const what = text ?? choice ?? phone ?? code ?? payload ?? seen ?? '';
  return make('span', '', kind, ' ', what);
}

const part = (title, ...content) => make('section', '', worded('h3', '', title), ...content);

function facts(understood) {
  const pairs = Object.entries(understood).map(([name, value]) =>
    make('span', 'fact', make('i', '', name), make('code', '', value.replaceAll(',', ', '))),
  );
  return make('p', 'chips', ...(pairs.length > 0 ? pairs : [make('span', 'none', '–')]));
}

function stateTable(before, after) {
  const [was, is] = [rowsOf(before), rowsOf(after)];
  const names = Object.keys({ ...was, ...is }).filter((name) => was[name] || is[name]);
  const head = ['', 'inside.before', 'inside.after'].map((name) => {
    const cell = name ? worded('th', '', name) : make('td');
    if (name) cell.scope = 'col';
    return cell;
  });
  const rows = names.map((name) => {
    const title = worded('th', '', `state.${name}`);
    title.scope = 'row';
    const changed = JSON.stringify(was[name]) !== JSON.stringify(is[name]);
    return make('tr', changed ? 'changed' : '', title, cell(was[name]), cell(is[name]));
  });
  return make('table', '', make('thead', '', make('tr', '', ...head)), make('tbody', '', ...rows));
}

function cell(values = []) {
  const parts = values.map(({ text, proved }) => {
    if (proved === undefined) return make('div', '', text);
    const mark = worded('small', proved ? 'proved' : 'unproved', proved ? 'proved' : 'unproved');
    return make('div', '', text, ' ', mark);
  });
  return make('td', parts.length > 0 ? '' : 'none', ...(parts.length > 0 ? parts : ['–']));
}

/** What is worth seeing of a state: name -> values, each with whether it is proved. */
function rowsOf({ step, draft, profile, operations }) {
  const { code, codes, wanted, balance, phone, email, type, period } = draft;
  const plain = (text) => (text === undefined || text === null ? undefined : [{ text }]);
  const known = (one) => (one ? [{ text: one.value, proved: one.proved }] : undefined);
  const remembered = [profile.phone, profile.email].filter(Boolean).flatMap(known);
  // What the page has no word for stands as it is.
  const spoken = (kind, name) => word(`${kind}.${name}`) ?? name;
  const open = operations.map(({ id, kind, status, checks }) => ({
    text: `${named(kind)} ${id} · ${spoken('status', status)}${checks ? ` (${checks})` : ''}`,
  }));
  const { at, flow, slot, page = step } = step;
  const parts = [spoken('step', at), flow && named(flow), spoken('state', slot), spoken('type', page.type)];
  return {
    step: plain(parts.filter(Boolean).join(' · ')),
    code: plain(code),
    codes: codes?.map((text) => ({ text })),
    wanted: plain(wanted),
    balance: plain(balance?.points),
    phone: known(phone),
    email: email === null ? [{ text: word('state.skipped') }] : known(email),
    type: plain(spoken('type', type)),
    period: period && plain(`${day(period.fromMs)} – ${day(period.toMs)}`),
    profile: remembered.length > 0 ? remembered : undefined,
    operation: open.length > 0 ? open : undefined,
  };
}

const day = (ms) =>
  ms === undefined ? '…' : new Date(ms).toLocaleDateString(chosen('locale'), { dateStyle: 'medium' });

const GOOD = new Set(['applied', 'ok']);
const DOUBTFUL = new Set(['unknown', 'unreadable']);

/** A line that opens to what was sent. */
function callOf({ method, path, body, status, reason, outcome, ms }) {
  const [route, query = ''] = path.split('?');
  const tone = GOOD.has(outcome) ? 'good' : DOUBTFUL.has(outcome) ? 'doubtful' : 'bad';
  const answer = make('span', `outcome ${tone}`, [status, outcome].filter(Boolean).join(' '));
  const time = make('span', 'time', milliseconds(ms));
  const head = make(
    'summary',
    'line',
    make('b', 'method', method),
    make('code', 'path', route),
    answer,
    time,
  );
  const sent = body ?? Object.fromEntries(new URLSearchParams(query));
  const why = reason ? make('p', 'reason', reason) : null;
  const detail = make('pre', '', JSON.stringify(sent, null, 1));
  detail.tabIndex = 0;
  return make('details', 'call', head, detail, why);
}

function sumsOf(trips, ms) {
  const sum = (value, name, note = '') => {
    const part = make('span', 'sum', make('b', '', value), ' ', worded('span', '', name));
    part.title = note;
    return part;
  };
  return [
    sum(milliseconds(ms), 'inside.time'),
    sum(number(trips.length), 'inside.trips', trips.join(' · ')),
    make('span', 'trail', trips.join(' › ')),
  ];
}

/** Draws all of them; the newest is open. */
function draw() {
  $('nothing').hidden = turns.length > 0;
  cards.replaceChildren(...turns.map(cardOf).reverse());
  if (cards.firstChild) cards.firstChild.open = true;
}

on('fresh', () => {
  turns = [];
  draw();
});
on('turn', (turn) => {
  if (!turn.trace) return;
  turns.push(turn);
  for (const older of cards.children) older.open = false;
  const card = cardOf(turn, turns.length - 1);
  card.open = true;
  cards.prepend(card);
  $('nothing').hidden = true;
});
// Numbers and dates are written as the language has them.
on('language', draw);
