import { $, addressParts, button, call, exchange, explain, make, makeList, toLocalTime } from './page.js';
import { staffName } from './tickets.js';
import { word } from './words.js';

/* The counter: staff type, scan or photograph the code of a redeemed gift, and hand the gift over once. */

const TIME = { dateStyle: 'short', timeStyle: 'short' };
const STATUSES = {
  checking: word(
    'Not confirmed yet: it is being checked. Do not hand it over.',
    'Chưa chắc đã đổi được: đang kiểm tra. Chưa giao quà.',
  ),
  notApplied: word('Not redeemed. Do not hand it over.', 'Đổi quà không thành công. Không giao quà.'),
  confirmed: word('Redeemed, not handed over yet.', 'Đã đổi, chưa giao.'),
};
const REFUSALS = {
  404: word('There is no such code. Read it once more.', 'Không có mã này. Bạn xem lại từng ký tự nhé.'),
  429: word('Too many wrong codes. Wait a minute.', 'Nhập sai nhiều quá. Đợi một phút rồi thử lại.'),
};

function show(...content) {
  $('giftShown').replaceChildren(...content);
}

function refuse(answer) {
  show(make('p', 'bad', REFUSALS[answer?.status] ?? explain(answer)));
}

/** Shows a gift, whose it is, and whether it was handed over. `note` replaces the last. */
function draw({ code, status, what, gift, score, at, whose, reference, handedOver }, note) {
  const name = what?.[$('locale').value] ?? what?.vi ?? gift ?? '';
  const rows = [
    [word('Points', 'Điểm'), score && String(score)],
    [word('Redeemed', 'Đổi lúc'), toLocalTime(at, TIME)],
    [word('Customer', 'Khách'), whose ?? word('was forgotten', 'đã xoá thông tin')],
    [word('Reference', 'Mã tra cứu'), reference],
    [word('Code', 'Mã nhận quà'), code],
  ];
  const isFree = status === 'confirmed' && !handedOver;
  const handedOverBy =
    handedOver &&
    `${word('Handed over', 'Đã giao')} · ${handedOver.by} · ${toLocalTime(handedOver.at, TIME)}`;
  show(
    make('h2', '', name),
    make('p', isFree || note ? 'good' : 'bad', note ?? handedOverBy ?? STATUSES[status]),
    makeList(rows.filter(([, text]) => text)),
    isFree ? handOverButton(code) : null,
  );
}

function handOverButton(code) {
  const element = button(`${word('Hand over', 'Giao quà')} · ${staffName()}`, () => handOver(code));
  element.className = 'primary';
  return element;
}

async function lookUp(code) {
  stopCamera();
  const answer = await exchange(`staff/gifts/${encodeURIComponent(code)}`);
  if (answer?.status === 200) draw(answer.content);
  else refuse(answer);
}

/** If somebody handed it over before, the answer shows who did. */
async function handOver(code) {
  const answer = await exchange(`staff/gifts/${encodeURIComponent(code)}/hand-over`, { by: staffName() });
  const { gift } = answer?.content ?? {};
  if (answer?.status === 200)
    draw(
      answer.content,
      word('Handed over now. It counts once.', 'Vừa giao xong. Mã này không dùng lại được.'),
    );
  else if (answer?.status === 409 && gift) draw(gift);
  else refuse(answer);
}

/* The bot reads a code in a photo. The browser reads a code before the camera, if it can. */

async function readPhoto(file) {
  const headers = { 'content-type': file.type };
  const response = await call('staff/gifts/read', { method: 'POST', headers, body: file }).catch(() => null);
  const [code] = (response?.ok && (await response.json()).codes) || [];
  if (code) return enter(code);
  show(make('p', 'bad', word('There is no code in this photo.', 'Không thấy mã trong ảnh này.')));
}

function enter(code) {
  $('giftCode').value = code;
  return lookUp(code);
}

const detector = 'BarcodeDetector' in window && new BarcodeDetector({ formats: ['qr_code'] });
let stream = null;

function stopCamera() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  $('giftCamera').hidden = true;
}

async function scan() {
  if (stream) return stopCamera();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
  } catch {
    return show(make('p', 'bad', word('The camera cannot be used.', 'Không mở được camera.')));
  }
  const camera = $('giftCamera');
  camera.srcObject = stream;
  camera.hidden = false;
  await camera.play();
  while (stream) {
    const [barcode] = await detector.detect(camera).catch(() => []);
    if (barcode && stream) return enter(barcode.rawValue);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

$('giftScan').hidden = !detector || !navigator.mediaDevices;
$('giftScan').addEventListener('click', () => void scan());
$('giftForm').addEventListener('submit', (event) => {
  event.preventDefault();
  const code = $('giftCode').value.trim();
  if (code) void lookUp(code);
});
$('giftPhoto').addEventListener('change', () => {
  const [file] = $('giftPhoto').files;
  $('giftPhoto').value = '';
  if (file) void readPhoto(file);
});
// When staff leave this view, the last customer's gift disappears and the camera stops.
addEventListener('view', () => {
  if (addressParts()[0] === 'gift') return;
  stopCamera();
  show();
  $('giftCode').value = '';
});
