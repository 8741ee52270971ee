import { target } from './composer.js';
import { $, button, make, toLocal } from './page.js';
import { inbox } from './tickets.js';
import { word } from './words.js';

/* A picture or file that goes with the answer, if the customer’s chat app takes it. */

const MAX_BYTES = 5 * 1024 * 1024;
const TEXT_ONLY = word(
  'This customer’s chat app takes text alone.',
  'Ứng dụng chat của khách này chỉ nhận chữ.',
);
const TOO_LARGE = word('At most 5 MB can be sent.', 'Chỉ gửi được tệp tối đa 5 MB.');
const TO_CUSTOMER = word(
  'Files go to customers, not into notes.',
  'Tệp chỉ gửi cho khách, không ghi chú được.',
);

/** What the bot takes: the file as base64, and its name. */
async function encode(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  return { file: bytes.toBase64(), name: file.name };
}

function refusalOf(file) {
  if (inbox.open.state === 'closed' || file.size === 0) return '';
  if (target.route !== 'messages') return TO_CUSTOMER;
  if (file.size > MAX_BYTES) return TOO_LARGE;
  const isPicture = /^image\/(jpeg|png)$/.test(file.type);
  return inbox.open.takes?.includes(isPicture ? 'picture' : 'file') ? null : TEXT_ONLY;
}

function attach(file) {
  if (!file) return;
  const refusal = refusalOf(file);
  $('wrong').textContent = refusal ?? '';
  if (refusal !== null) return;
  target.attached = () => encode(file);
  const size = { style: 'unit', unit: 'kilobyte', maximumFractionDigits: 0 };
  const away = button('×', detach);
  away.ariaLabel = word('Do not send it', 'Bỏ tệp này');
  $('attached').replaceChildren(
    make('span', 'grow', `📎 ${file.name} · ${toLocal(Math.ceil(file.size / 1000), size)}`),
    away,
  );
  $('attached').hidden = false;
  $('reply').focus();
}

function detach() {
  target.attached = null;
  $('attached').hidden = true;
  $('file').value = '';
}

$('attach').addEventListener('click', () => {
  const refusal = inbox.open.takes?.length > 0 ? '' : TEXT_ONLY;
  $('wrong').textContent = refusal;
  if (refusal === '') $('file').click();
});
$('file').addEventListener('change', () => {
  attach($('file').files[0]);
  // The same file can be chosen again.
  $('file').value = '';
});
$('reply').addEventListener('paste', (event) => {
  const [file] = event.clipboardData?.files ?? [];
  if (!file) return;
  event.preventDefault();
  attach(file);
});
addEventListener('sent', detach);
addEventListener('ticket', ({ detail: { isOther } }) => {
  if (isOther) detach();
  $('attach').disabled = inbox.open?.state === 'closed';
});
