import { makeCopyable } from './copy.js';
import { $, button, exchange, explain, make, makeList, toLocal, toLocalTime } from './page.js';
import { REASONS } from './ticket-list.js';
import { inbox, staffName } from './tickets.js';
import { word } from './words.js';

/*
 * The customer's card: who it is, and what AntCRM has of them. It is read only when it is visible, because
 * each look is audited. An identifier without proof stays masked until staff give a reason.
 */

const ANTCRM = {
  slow: word('AntCRM is slow: some of this could not be read.', 'AntCRM trả lời chậm, chưa đọc được hết.'),
  unreachable: word('AntCRM fails: not everything could be read.', 'AntCRM đang lỗi, chưa đọc được hết.'),
};
const NOBODY = word(
  'The customer has given no phone and no e-mail.',
  'Khách chưa cho số điện thoại hay email.',
);
const NOT_PROVED = word(
  'Perhaps it is somebody else’s: points are shown for a reason, which colleagues see.',
  'Có thể không phải của khách: muốn xem điểm thì ghi lý do, đồng nghiệp sẽ thấy.',
);
const REFUSALS = {
  400: word('A reason has at least 5 letters.', 'Lý do cần ít nhất 5 ký tự.'),
  409: word('The ticket is closed.', 'Cuộc trò chuyện đã đóng, không xem được nữa.'),
  429: word('Too many numbers. Wait a minute.', 'Bạn xem nhiều số quá. Đợi một phút rồi thử lại.'),
};
const DAY = { day: 'numeric', month: 'numeric', year: '2-digit' };

/** The ticket whose card is read, or being read. */
let shown = '';

async function read(path = '', body) {
  const { id } = inbox.open;
  shown = id;
  const answer = await exchange(`staff/tickets/${id}/customer${path}`, body);
  if (shown !== id) return;
  const isRead = answer?.status === 200;
  $('refused').textContent = isRead ? '' : (REFUSALS[answer?.status] ?? explain(answer));
  if (isRead) draw(answer.content);
}

function draw(card) {
  const { of, antcrm, points, rank, earned = [], redeemed = [], tickets, identifiers, needsReason } = card;
  const isUnknown =
    points === null && word('AntCRM does not know this customer.', 'AntCRM chưa có khách này.');
  const about = ANTCRM[antcrm] ?? (needsReason ? NOT_PROVED : identifiers.length === 0 ? NOBODY : '');
  const rows = [
    [word('Points', 'Điểm'), typeof points === 'number' && toLocal(points)],
    [word('Tier', 'Hạng'), rank],
  ];
  const parts = [
    ...identifiers.map((identifier) => identifierRow(identifier, of)),
    ...[isUnknown, about].filter(Boolean).map((text) => make('p', 'soft', text)),
    makeList(rows.filter(([, text]) => text)),
    historyOf(word('Earned', 'Tích điểm'), '+', earned),
    historyOf(word('Redeemed', 'Đổi quà'), '−', redeemed),
    tickets.length > 0 ? make('h3', '', word('Earlier', 'Lần trước')) : null,
    ...tickets.map(ticketLink),
  ];
  $('customer').replaceChildren(...parts.filter(Boolean));
}

function identifierRow({ id, value, proved }, of) {
  const isRead = id === of;
  const mark = proved ? word('proved', 'đã xác minh') : word('not proved', 'chưa xác minh');
  const look = button(word('Look', 'Xem'), () => (proved ? read(`?of=${id}`) : ask(id, value)));
  look.ariaLabel = `${word('See the points of', 'Xem điểm của')} ${value}`;
  return make(
    'p',
    'row',
    proved || isRead ? makeCopyable(value) : value,
    make('small', proved ? 'good' : 'bad', mark),
    isRead ? null : look,
  );
}

function ask(of, value) {
  const reason = prompt(word(`Why do you look at ${value}?`, `Lý do xem điểm của ${value}?`));
  if (reason !== null) void read('', { of, reason, by: staffName() });
}

function historyOf(title, sign, records) {
  if (records.length === 0) return null;
  const rows = records.map(({ at, what, code, score, failed }) => [
    at ? toLocalTime(at, DAY) : '?',
    [what ?? code, failed ? word('failed', 'không thành công') : score && sign + toLocal(score)]
      .filter(Boolean)
      .join(' · '),
  ]);
  return make('details', '', make('summary', '', `${title} (${records.length})`), makeList(rows));
}

function ticketLink({ id, reason, openedAt, answeredBy }) {
  const names = answeredBy.join(', ') || word('nobody answered', 'chưa ai trả lời');
  const link = make('a', '', [toLocalTime(openedAt, DAY), REASONS[reason], names].join(' · '));
  link.href = `#inbox/${id}`;
  return make('p', '', link);
}

$('again').addEventListener('click', () => read());
addEventListener('ticket', ({ detail: { isOther } }) => {
  if (isOther) {
    shown = '';
    $('refused').textContent = '';
    $('customer').replaceChildren();
  }
  if (inbox.open && shown !== inbox.open.id && $('customer').checkVisibility()) void read();
});
