import { $, button, emit, exchange, make, random } from './page.js';
import {
  contentOf,
  draftOf,
  inbox,
  isOthers,
  keepDraft,
  label,
  post,
  refresh,
  staffName,
} from './tickets.js';
import { word } from './words.js';

/* The field for the answer, the line above it, and the operator's ready answers. */

/**
 * `route`: the ticket's route that takes the typed text. `attached`: resolves to the file that goes with it.
 */
export const target = { route: 'messages', attached: null };
const isNote = () => target.route === 'notes';
/** Whether sending takes the ticket over from a colleague. A note never does. */
const takesOver = () => isOthers(inbox.open) && !isNote();

const ENDED = {
  customer: word('The customer went back to the bot.', 'Khách đã quay lại với bot.'),
  time: word('Closed by itself, after a long silence.', 'Tự đóng vì lâu không có tin nhắn.'),
};

/** Phones have no Shift key, so Enter begins a new line there. */
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
  for (const control of $('actions').querySelectorAll('button, select, input')) control.disabled = isClosed;
  // A draft can still be copied.
  $('reply').readOnly = isClosed;
  $('reply').disabled = isClosed && !draftOf(inbox.open.id);
  $('reply').placeholder = isClosed ? word('Closed', 'Đã đóng') : HINT;
  drawNote(isClosed);
}

/** Says who has the ticket, or why nothing can be sent. */
function drawNote(isClosed) {
  const { id, claimedBy, closedBy, closedByName = word('Staff', 'Nhân viên') } = inbox.open;
  if (isClosed) {
    const draft = draftOf(id);
    const ended =
      ENDED[closedBy] ?? `${closedByName} ${word('gave it back to the bot.', 'đã chuyển lại cho bot.')}`;
    const typed = draft && word(' What you typed is still here.', ' Câu bạn đang gõ vẫn còn đây.');
    showNote(ended + typed, ...(draft ? [button(word('Discard', 'Bỏ'), onInput)] : []));
  } else if (isOthers(inbox.open))
    showNote(`${claimedBy} ${word('is answering this customer.', 'đang trả lời khách này.')}`);
  else if ($('by').value.trim()) showNote('');
  else
    showNote(
      `${word('Without your name, customers read:', 'Bạn chưa nhập tên, khách sẽ thấy:')} ${staffName()}`,
    );
}

/** Redraws the line only if its text has changed. */
function showNote(text, ...more) {
  const line = make('span', 'grow', text);
  $('note').hidden = text === '';
  if ($('note').firstChild?.textContent !== line.textContent) $('note').replaceChildren(line, ...more);
}

let claiming = '';

/**
 * Keeps the draft, and claims the ticket if nobody has it. If the ticket is closed, it discards the draft.
 */
async function onInput() {
  const { id, claimedBy, state } = inbox.open;
  if (state === 'closed') $('reply').value = '';
  keepDraft(id, $('reply').value);
  // A changed text is a new message. The text before may have arrived already.
  delete sessionStorage[`note:${id}`];
  if (state === 'closed') return refresh();
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
  if (attached && attached === target.attached) emit('sent');
  delete sessionStorage[`note:${id}`];
  if (draftOf(id) === text) keepDraft(id, '');
  if (inbox.open?.id === id && $('reply').value === text) $('reply').value = '';
  emit('tickets');
}

/** Adds a text to the field, below the text that is there. */
export function insert(text) {
  $('reply').value = [$('reply').value, text].filter(Boolean).join('\n');
  $('reply').focus();
  void onInput();
}

async function offerAnswers() {
  const { answers = [] } = contentOf(await exchange('staff/answers')) ?? {};
  $('canned').hidden = answers.length === 0;
  for (const { answer } of answers) $('canned').append(new Option(answer[$('locale').value]));
}

$('reply').addEventListener('input', onInput);
$('reply').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || !hasKeyboard) return;
  event.preventDefault();
  // Taking over a ticket needs a second press.
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
