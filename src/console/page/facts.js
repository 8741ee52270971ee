import { makeCopyable } from './copy.js';
import { $, makeList, toLocalTime } from './page.js';
import { REASONS } from './ticket-list.js';
import { channelOf, inbox } from './tickets.js';
import { flowOf, questionName, word } from './words.js';

/* The facts beside the conversation: what the customer was doing, and how the operations ended. */

const STATUSES = {
  checking: word('being checked', 'đang kiểm tra'),
  watching: word('not applied, looked up once more', 'chưa ghi nhận, còn kiểm tra lần cuối'),
  done: word('done', 'đã xong'),
  refused: word('refused', 'bị từ chối'),
  notApplied: word('not applied', 'chưa ghi nhận'),
  escalated: word('staff must look it up', 'cần nhân viên tra cứu'),
};
const SHORT = { dateStyle: 'short', timeStyle: 'short' };

function drawFacts() {
  const { id, reason, openedAt, doing = {}, notUnderstood = [] } = inbox.open;
  const operations = inbox.open.operations.map(
    ({ kind, status, reference }) => `${flowOf(kind)}: ${STATUSES[status]}\n${reference}`,
  );
  const rows = [
    [word('Reason', 'Lý do'), REASONS[reason]],
    [word('Was doing', 'Đang làm'), doing.flow && flowOf(doing.flow)],
    [word('The bot asked', 'Bot đang hỏi'), doing.asks && questionName(doing.asks)],
    [word('Codes', 'Mã sản phẩm'), doing.codes?.join('\n')],
    [word('Gift', 'Quà'), doing.gift],
    [word('Phone', 'Điện thoại'), doing.phone && makeCopyable(doing.phone)],
    ['Email', doing.email && makeCopyable(doing.email)],
    [word('Not understood', 'Bot chưa hiểu'), notUnderstood.join('\n')],
    [word('Operations', 'Giao dịch'), operations.join('\n')],
    [word('Reference', 'Mã tra cứu'), id],
    [word('Channel', 'Kênh'), channelOf(inbox.open)],
    [word('Since', 'Từ lúc'), toLocalTime(openedAt, SHORT)],
  ];
  $('facts').replaceChildren(makeList(rows.filter(([, text]) => text)));
}

addEventListener('ticket', ({ detail: { isSame } }) => {
  $('about').hidden = !inbox.open;
  if (!inbox.open || isSame) return;
  $('toTalk').href = `#inbox/${inbox.open.id}`;
  drawFacts();
});
