import {
  $,
  button,
  exchange,
  explain,
  follow,
  goTo,
  listOf,
  local,
  make,
  moment,
  place,
  random,
} from './page.js';
import { asking, flowOf, word } from './words.js';

/* The inbox: a list of who waits for a person, one conversation, and what helps to answer it. */

/** The tickets of the list, the open one with its messages, and which ones are wanted. */
let tickets = [];
let open = null;
let filter = 'open';

const FILTERS = {
  open: ({ state }) => state === 'open',
  mine: (ticket) => ticket.state === 'open' && isMine(ticket),
  free: ({ state, claimedBy }) => state === 'open' && !claimedBy,
  closed: ({ state }) => state === 'closed',
};
const REASONS = {
  asked: word('Asked for a person', 'Muốn gặp nhân viên'),
  complaint: word('Complaint', 'Phàn nàn'),
  escalated: word('Outcome unknown', 'Chưa rõ kết quả'),
};
const STATUSES = {
  checking: word('being checked', 'đang kiểm tra'),
  watching: word('not applied, looked up once more', 'chưa ghi nhận, còn kiểm tra lần cuối'),
  done: word('done', 'đã xong'),
  refused: word('refused', 'bị từ chối'),
  notApplied: word('not applied', 'chưa ghi nhận'),
  escalated: word('staff must look it up', 'cần nhân viên tra cứu'),
};
const ENDED = {
  customer: word('The customer went back to the bot.', 'Khách đã quay lại với bot.'),
  time: word('It ended by itself, after a long silence.', 'Tự kết thúc vì lâu không có tin nhắn.'),
};
const SHORT = { dateStyle: 'short', timeStyle: 'short' };
/** A customer who waits so long is urgent. */
const URGENT_MS = 15 * 60_000;

/** Whoever gives no name is told apart by a number, the same in this tab. */
sessionStorage.number ??= String(100 + Math.floor(Math.random() * 900));
const by = () => $('by').value.trim() || `${word('Staff', 'Nhân viên')} ${sessionStorage.number}`;
const isMine = ({ claimedBy }) => claimedBy === by();
const isOthers = (ticket) => Boolean(ticket.claimedBy) && !isMine(ticket);
const nameOf = ({ name, conversation }) => name ?? `${word('Customer', 'Khách')} ${conversation}`;

/** What was typed and not sent, by ticket; over a reload, too. */
const draftOf = (id) => sessionStorage[`draft:${id}`] ?? '';
function keepDraft(id, text) {
  if (text) sessionStorage[`draft:${id}`] = text;
  else delete sessionStorage[`draft:${id}`];
}

/* Reading. */

let isLooking = false;
let isStale = false;
let isFollowed = false;

/** Draws what there is; what is new meanwhile makes it once more, however much it is. */
async function look() {
  isStale = true;
  if (isLooking) return;
  isLooking = true;
  while (isStale) {
    isStale = false;
    await read().catch(() => {});
  }
  isLooking = false;
}

/** Reads the lists, the open ticket, and those with a draft, also once they are closed. */
async function read() {
  const listed = await listTickets('open');
  const waiting = listed?.filter(({ waitingSinceMs }) => waitingSinceMs !== null).length ?? 0;
  // The first view of who names none: the inbox, where somebody waits.
  if (!location.hash) goTo(waiting > 0 ? 'inbox' : 'chat');
  // Where nobody is answered here, there is no inbox.
  if (!listed) return;
  drawBadge(waiting);
  if (filter === 'closed') listed.push(...((await listTickets('closed')) ?? []));
  const [view, id] = place();
  const named = view === 'inbox' && id ? await find(id) : null;
  const kept = Object.keys(sessionStorage).flatMap((key) => /^draft:(.*)/.exec(key)?.[1] ?? []);
  const gone = kept.filter((one) => one !== id && listed.every((other) => other.id !== one));
  const others = [named, ...(await Promise.all(gone.map(find)))].filter(Boolean);
  tickets = [...listed.filter((one) => one.id !== named?.id), ...others];
  drawList();
  if (place()[1] === id) drawTicket(named);
}

const contentOf = (answer) => (answer?.status === 200 ? answer.content : null);
const listTickets = async (state) => contentOf(await exchange(`staff/tickets?state=${state}`))?.tickets;
const find = async (id) => contentOf(await exchange(`staff/tickets/${id}`));

function drawBadge(waiting) {
  $('toInbox').hidden = false;
  if (!isFollowed)
    follow('staff/tickets/events', look, {
      onLink(stands) {
        $('link').hidden = stands;
        if (stands) void look();
      },
    });
  isFollowed = true;
  if (waiting > 0) $('toInbox').dataset.count = waiting;
  else delete $('toInbox').dataset.count;
  document.title = `${waiting > 0 ? `(${waiting}) ` : ''}AntCRM`;
}

/* The list. */

/** Who waits comes first, the longest; then who was answered; then what is closed, the newest. */
function inOrder(a, b) {
  const rank = ({ state, waitingSinceMs }) => (state === 'closed' ? 2 : waitingSinceMs === null ? 1 : 0);
  const age = (a.waitingSinceMs ?? Date.parse(a.openedAt)) - (b.waitingSinceMs ?? Date.parse(b.openedAt));
  return rank(a) - rank(b) || (rank(a) === 2 ? -age : age);
}

function drawList() {
  const isShown = (one) => one.id === place()[1] || draftOf(one.id) || FILTERS[filter](one);
  const rows = tickets.filter(isShown).sort(inOrder).map(rowOf);
  const focused = $('tickets').contains(document.activeElement) && document.activeElement.hash;
  $('tickets').replaceChildren(...rows);
  if (focused) $('tickets').querySelector(`[href="${focused}"]`)?.focus();
  $('quiet').hidden = rows.length > 0;
  for (const one of $('filters').children) one.ariaPressed = String(one.dataset.filter === filter);
}

function rowOf(ticket) {
  const { id, channel, reason, state, claimedBy, lastText = '' } = ticket;
  const has = isMine(ticket) ? word('yours', 'của bạn') : claimedBy && `${word('with', 'của')} ${claimedBy}`;
  const about = [has, draftOf(id) && word('draft', 'có nháp'), REASONS[reason], channel].filter(Boolean);
  const lines = [make('span', '', lastText), make('small', '', about.join(' · '))];
  const row = make('a', state, make('b', '', nameOf(ticket)), standing(ticket), ...lines);
  row.href = `#inbox/${id}`;
  if (id === place()[1]) row.ariaCurrent = 'true';
  return row;
}

/** For how long the customer waits, or that they do not. */
function standing({ state, waitingSinceMs }) {
  if (state === 'closed') return make('small', '', word('Closed', 'Đã đóng'));
  if (waitingSinceMs === null) return make('small', '', word('Answered', 'Đã trả lời'));
  const ms = Math.max(0, Date.now() - waitingSinceMs);
  const [value, unit] = ms < 3_600_000 ? [Math.floor(ms / 60_000), 'minute'] : [ms / 3_600_000, 'hour'];
  const text = local(value, { style: 'unit', unit, maximumFractionDigits: 1 });
  return make('small', ms < URGENT_MS ? 'good' : 'bad', `${word('Waits', 'Chờ')} ${text}`);
}

/* The conversation, and what is known beside it. */

function drawTicket(ticket) {
  const isOther = ticket?.id !== open?.id;
  const isSame = JSON.stringify(ticket) === JSON.stringify(open);
  const [, id, part = 'talk'] = place();
  $('inbox').dataset.step = id ? part : 'list';
  $('talk').hidden = $('about').hidden = !ticket;
  $('none').hidden = Boolean(ticket);
  open = ticket;
  if (!ticket) return;
  drawHead();
  if (isSame) return;
  drawSaid(isOther);
  drawFacts();
  if (!isOther) return;
  $('wrong').textContent = '';
  $('reply').value = draftOf(id);
  $('toAbout').href = `#inbox/${id}/about`;
  $('toTalk').href = `#inbox/${id}`;
  for (const one of document.querySelectorAll('#talk [data-name]'))
    one.ariaLabel = `${one.dataset.name}: ${nameOf(ticket)} (${id})`;
  if (matchMedia('(width >= 45rem)').matches) $('reply').focus();
}

/** Who has it, what can be done, and why something cannot. */
function drawHead() {
  const { id, state, claimedBy, closedBy, closedByName = word('Staff', 'Nhân viên') } = open;
  const isClosed = state === 'closed';
  const claim = claimedBy ? word('Give back', 'Trả lại') : word('Claim', 'Nhận');
  const draft = draftOf(id);
  $('whom').textContent = nameOf(open);
  $('talk').className = isClosed ? 'over' : '';
  name($('claim'), isOthers(open) ? word('Take over', 'Nhận thay') : claim);
  name($('end'), word('End', 'Kết thúc'));
  name($('send'), isOthers(open) ? word('Take over and send', 'Nhận thay và gửi') : word('Send', 'Gửi'));
  $('claim').hidden = $('end').hidden = isClosed;
  $('send').disabled = $('canned').disabled = $('reply').readOnly = isClosed;
  if (isClosed) {
    const ended = ENDED[closedBy] ?? `${closedByName} ${word('ended it.', 'đã kết thúc.')}`;
    const typed = draft && word(' What you typed is still here.', ' Câu bạn đang gõ vẫn còn đây.');
    note(ended + typed, ...(draft ? [button(word('Discard', 'Bỏ'), type)] : []));
  } else if (isOthers(open))
    note(`${claimedBy} ${word('is answering this customer.', 'đang trả lời khách này.')}`);
  else if ($('by').value.trim()) note('');
  else note(`${word('Without your name, customers read:', 'Bạn chưa nhập tên, khách sẽ thấy:')} ${by()}`);
}

/** What a control does, and for those who do not see where it stands, whose ticket it is for. */
function name(control, text) {
  control.textContent = text;
  control.ariaLabel = `${text}: ${nameOf(open)} (${open.id})`;
}

function note(text, ...more) {
  const wanted = make('span', 'grow', text);
  $('note').hidden = text === '';
  if ($('note').firstChild?.textContent !== wanted.textContent) $('note').replaceChildren(wanted, ...more);
}

/** Bubbles, with a line between days; what is read stays where it is, unless it is the end. */
function drawSaid(isOther) {
  const { led = [], messages } = open;
  const isAtEnd = isOther || $('said').scrollHeight - $('said').scrollTop - $('said').clientHeight < 80;
  const days = messages.map(({ at }) => new Date(at).toDateString());
  const rows = messages.flatMap(({ at, text, by: who }, index) => {
    const day = { weekday: 'long', day: 'numeric', month: 'numeric' };
    const line = days[index] === days[index - 1] ? [] : [make('p', 'notice soft', moment(at, day))];
    const about = make('small', '', `${who ?? nameOf(open)} · ${moment(at, { timeStyle: 'short' })}`);
    return [...line, make('div', who ? 'mine' : 'bot', about, make('p', 'bubble', text))];
  });
  const before = led.map((text) => make('div', 'bot before', make('p', 'bubble', text)));
  $('said').replaceChildren(...before, ...rows);
  if (isAtEnd) $('said').scrollTo(0, $('said').scrollHeight);
}

/** What was being done, and what became of it. */
function drawFacts() {
  const { id, channel, reason, openedAt, conversation, doing = {}, notUnderstood = [], operations } = open;
  const done = operations.map(
    ({ kind, status, reference }) => `${flowOf(kind)}: ${STATUSES[status]}\n${reference}`,
  );
  const rows = [
    [word('Reason', 'Lý do'), REASONS[reason]],
    [word('Was doing', 'Đang làm'), doing.flow && flowOf(doing.flow)],
    [word('The bot asked', 'Bot đang hỏi'), doing.asks && asking(doing.asks)],
    [word('Codes', 'Mã sản phẩm'), doing.codes?.join('\n')],
    [word('Gift', 'Quà'), doing.gift],
    [word('Phone', 'Điện thoại'), doing.phone],
    ['Email', doing.email],
    [word('Not understood', 'Bot chưa hiểu'), notUnderstood.join('\n')],
    [word('Operations', 'Giao dịch'), done.join('\n')],
    [word('Reference', 'Mã tra cứu'), id],
    [word('Channel', 'Kênh'), `${channel} · ${conversation}`],
    [word('Since', 'Từ lúc'), moment(openedAt, SHORT)],
  ];
  $('facts').replaceChildren(listOf(rows.filter(([, text]) => text)));
}

/* What staff do. */

async function post(id, what, body = {}) {
  const answer = await exchange(`staff/tickets/${id}/${what}`, { ...body, by: by() });
  const isDone = answer?.status === 200;
  // That it is closed meanwhile, the page shows.
  if (open?.id === id) $('wrong').textContent = isDone || answer?.status === 409 ? '' : explain(answer);
  await look();
  return isDone;
}

let claiming = '';

/** Whoever types has it, unless somebody else does; of a closed one, what was typed goes. */
async function type() {
  const { id, claimedBy, state } = open;
  if (state === 'closed') $('reply').value = '';
  keepDraft(id, $('reply').value);
  // Something else than what is not known to have arrived.
  delete sessionStorage[`note:${id}`];
  if (state === 'closed') return look();
  if (claimedBy || claiming === id || $('reply').value === '') return;
  claiming = id;
  await post(id, 'claim');
  claiming = '';
}

async function send() {
  const { id, state } = open;
  const text = $('reply').value;
  if (text.trim() === '' || state === 'closed') return;
  // The same one again where it is not known to have arrived.
  sessionStorage[`note:${id}`] ??= random(4);
  if (!(await post(id, 'messages', { text, id: sessionStorage[`note:${id}`] }))) return;
  delete sessionStorage[`note:${id}`];
  if (draftOf(id) === text) keepDraft(id, '');
  if (open?.id === id && $('reply').value === text) $('reply').value = '';
  drawList();
}

function end() {
  const question = word('End the conversation with', 'Kết thúc trò chuyện với');
  if (confirm(`${question} ${nameOf(open)}?`)) void post(open.id, 'close');
}

$('reply').addEventListener('input', type);
$('reply').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  // Who takes over does so knowingly.
  if (isOthers(open)) $('send').focus();
  else void send();
});
$('answer').addEventListener('submit', (event) => {
  event.preventDefault();
  void send();
});
$('claim').addEventListener('click', () => post(open.id, 'claim', isMine(open) ? { release: true } : {}));
$('end').addEventListener('click', end);
for (const one of $('filters').children)
  one.addEventListener('click', () => {
    filter = one.dataset.filter;
    void look();
  });

/** The operator's answers, put into the field by a choice. */
async function offerAnswers() {
  const { answers = [] } = contentOf(await exchange('staff/answers')) ?? {};
  $('canned').hidden = answers.length === 0;
  for (const { answer } of answers) $('canned').append(new Option(answer[$('locale').value]));
}
$('canned').addEventListener('change', () => {
  $('reply').value = [$('reply').value, $('canned').value].filter(Boolean).join('\n');
  $('canned').selectedIndex = 0;
  $('reply').focus();
  void type();
});

$('by').value = sessionStorage.by ?? localStorage.by ?? '';
$('by').addEventListener('input', () => {
  sessionStorage.by = localStorage.by = $('by').value.trim();
  drawList();
  if (open) drawHead();
});
addEventListener('view', () => place()[0] === 'inbox' && look());
setInterval(drawList, 20_000);
void look();
void offerAnswers();
