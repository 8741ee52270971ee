import { $, button, exchange, make, random, tell } from './page.js';
import { by, contentOf, draftOf, inbox, isOthers, keepDraft, label, look, post } from './tickets.js';
import { word } from './words.js';

/* The field for the answer, what is said above it, and the operator's answers. */

/** Where the typed text goes, a route of the ticket. `attached`: resolves to what goes to the customer with it. */
export const target = { route: 'messages', attached: null };
const isNote = () => target.route === 'notes';
/** A note takes nothing over. */
const takesOver = () => isOthers(inbox.open) && !isNote();

const ENDED = {
  customer: word('The customer went back to the bot.', 'Khách đã quay lại với bot.'),
  time: word('Closed by itself, after a long silence.', 'Tự đóng vì lâu không có tin nhắn.'),
};

/** Phones have no Shift: their Enter begins a line. */
const hasKeyboard = matchMedia('(hover: hover) and (pointer: fine)').matches;
const HINT = hasKeyboard
  ? word('Enter sends, Shift+Enter begins a line', 'Enter để gửi, Shift+Enter để xuống dòng')
  : word('Answer the customer', 'Nhắn cho khách');

export function drawComposer() {
  const isClosed = inbox.open.state === 'closed';
  label(
    $('send'),
    isNote()
      ? word('Save the note', 'Lưu ghi chú')
      : takesOver()
        ? word('Take over and send', 'Nhận thay và gửi')
        : word('Send', 'Gửi'),
  );
  for (const control of $('doing').querySelectorAll('button, select, input')) control.disabled = isClosed;
  // A draft can still be copied.
  $('reply').readOnly = isClosed;
  $('reply').disabled = isClosed && !draftOf(inbox.open.id);
  $('reply').placeholder = isClosed ? word('Closed', 'Đã đóng') : HINT;
  drawNote(isClosed);
}

/** Who has the ticket, or why nothing can be sent. */
function drawNote(isClosed) {
  const { id, claimedBy, closedBy, closedByName = word('Staff', 'Nhân viên') } = inbox.open;
  if (isClosed) {
    const draft = draftOf(id);
    const ended =
      ENDED[closedBy] ?? `${closedByName} ${word('gave it back to the bot.', 'đã chuyển lại cho bot.')}`;
    const typed = draft && word(' What you typed is still here.', ' Câu bạn đang gõ vẫn còn đây.');
    note(ended + typed, ...(draft ? [button(word('Discard', 'Bỏ'), type)] : []));
  } else if (isOthers(inbox.open))
    note(`${claimedBy} ${word('is answering this customer.', 'đang trả lời khách này.')}`);
  else if ($('by').value.trim()) note('');
  else note(`${word('Without your name, customers read:', 'Bạn chưa nhập tên, khách sẽ thấy:')} ${by()}`);
}

function note(text, ...more) {
  const wanted = make('span', 'grow', text);
  $('note').hidden = text === '';
  if ($('note').firstChild?.textContent !== wanted.textContent) $('note').replaceChildren(wanted, ...more);
}

let claiming = '';

/** Typing claims the ticket, unless somebody else has it. In a closed one it discards the draft. */
async function type() {
  const { id, claimedBy, state } = inbox.open;
  if (state === 'closed') $('reply').value = '';
  keepDraft(id, $('reply').value);
  // A changed text is another message than the one that may have arrived.
  delete sessionStorage[`note:${id}`];
  if (state === 'closed') return look();
  if (claimedBy || isNote() || claiming === id || $('reply').value === '') return;
  claiming = id;
  await post(id, 'claim');
  claiming = '';
}

async function send() {
  const { id, state } = inbox.open;
  const text = $('reply').value;
  const attached = target.route === 'messages' ? target.attached : null;
  if ((text.trim() === '' && !attached) || state === 'closed') return;
  // A message that may have arrived is sent again with the same id.
  sessionStorage[`note:${id}`] ??= random(4);
  const route = attached ? 'media' : target.route;
  const more = await attached?.();
  if (!(await post(id, route, { ...more, text, id: sessionStorage[`note:${id}`] }))) return;
  if (attached && attached === target.attached) tell('sent');
  delete sessionStorage[`note:${id}`];
  if (draftOf(id) === text) keepDraft(id, '');
  if (inbox.open?.id === id && $('reply').value === text) $('reply').value = '';
  tell('tickets');
}

/** Puts a text into the field, below what is typed there. */
export function insert(text) {
  $('reply').value = [$('reply').value, text].filter(Boolean).join('\n');
  $('reply').focus();
  void type();
}

async function offerAnswers() {
  const { answers = [] } = contentOf(await exchange('staff/answers')) ?? {};
  $('canned').hidden = answers.length === 0;
  for (const { answer } of answers) $('canned').append(new Option(answer[$('locale').value]));
}

$('reply').addEventListener('input', type);
$('reply').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || !hasKeyboard) return;
  event.preventDefault();
  // Taking over a ticket wants a second press.
  if (takesOver()) $('send').focus();
  else void send();
});
$('answer').addEventListener('submit', (event) => {
  event.preventDefault();
  void send();
});
$('canned').addEventListener('change', () => {
  insert($('canned').value);
  $('canned').selectedIndex = 0;
});
addEventListener('ticket', ({ detail: { isOther } }) => {
  if (!inbox.open) return;
  drawComposer();
  if (!isOther) return;
  $('wrong').textContent = '';
  $('reply').value = draftOf(inbox.open.id);
  if (matchMedia('(width >= 45rem)').matches) $('reply').focus();
});
void offerAnswers();
