import { addToMessages } from './conversation.js';
import { make } from './page.js';
import { addToRows } from './ticket-list.js';
import { word } from './words.js';

/* Whether staff's messages have arrived: below each message, and in the row of a ticket if one has not. */

const STATUSES = {
  waiting: word('Sending…', 'Đang gửi…'),
  delivered: word('Sent', 'Đã gửi'),
};
const FAILURES = {
  blocked: word('Not sent: the customer blocked the bot', 'Chưa gửi được: khách đã chặn bot'),
  unreachable: word('Not sent: this chat is gone', 'Chưa gửi được: cuộc trò chuyện không còn'),
  refused: word('Not sent: the platform refused it', 'Chưa gửi được: ứng dụng chat không nhận tin này'),
  late: word('Perhaps not received, tried many times', 'Có thể khách chưa nhận được, đã thử nhiều lần'),
};

addToMessages(({ delivery, why }) => {
  if (!delivery) return null;
  const isFailed = delivery === 'failed';
  const shown = make(
    'small',
    isFailed ? 'delivery bad' : 'delivery',
    isFailed ? FAILURES[why] : STATUSES[delivery],
  );
  if (isFailed) shown.role = 'status';
  return shown;
});
addToRows(({ undelivered }) => undelivered && `⚠ ${undelivered} ${word('not sent', 'tin chưa gửi được')}`);
