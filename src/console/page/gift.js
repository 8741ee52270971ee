import { $, button, call, exchange, explain, listOf, make, moment, place } from './page.js';
import { by } from './tickets.js';
import { word } from './words.js';

/* The counter: the code of a redeemed gift is typed, scanned or photographed; the gift is handed over once. */

const AT = { dateStyle: 'short', timeStyle: 'short' };
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

/** What, when, whose, and whether it was handed over. */
function draw({ code, status, what, gift, score, at, whose, reference, handedOver }, note) {
  const name = what?.[$('locale').value] ?? what?.vi ?? gift ?? '';
  const rows = [
    [word('Points', 'Điểm'), score && String(score)],
    [word('Redeemed', 'Đổi lúc'), moment(at, AT)],
    [word('Customer', 'Khách'), whose ?? word('was forgotten', 'đã xoá thông tin')],
    [word('Reference', 'Mã tra cứu'), reference],
    [word('Code', 'Mã nhận quà'), code],
  ];
  const isFree = status === 'confirmed' && !handedOver;
  const given =
    handedOver && `${word('Handed over', 'Đã giao')} · ${handedOver.by} · ${moment(handedOver.at, AT)}`;
  show(
    make('h2', '', name),
    make('p', isFree || note ? 'good' : 'bad', note ?? given ?? STATUSES[status]),
    listOf(rows.filter(([, text]) => text)),
    isFree ? handingOver(code) : null,
  );
}

function handingOver(code) {
  const press = button(`${word('Hand over', 'Giao quà')} · ${by()}`, () => handOver(code));
  press.className = 'primary';
  return press;
}

async function look(code) {
  stop();
  const answer = await exchange(`staff/gifts/${encodeURIComponent(code)}`);
  if (answer?.status === 200) draw(answer.content);
  else refuse(answer);
}

/** Whoever comes second reads who was first. */
async function handOver(code) {
  const answer = await exchange(`staff/gifts/${encodeURIComponent(code)}/hand-over`, { by: by() });
  const { gift } = answer?.content ?? {};
  if (answer?.status === 200)
    draw(
      answer.content,
      word('Handed over now. It counts once.', 'Vừa giao xong. Mã này không dùng lại được.'),
    );
  else if (answer?.status === 409 && gift) draw(gift);
  else refuse(answer);
}

/* A code in a photo is read by the bot, one before the camera by the browser, where it can. */

async function read(file) {
  const headers = { 'content-type': file.type };
  const response = await call('staff/gifts/read', { method: 'POST', headers, body: file }).catch(() => null);
  const [code] = (response?.ok && (await response.json()).codes) || [];
  if (code) return found(code);
  show(make('p', 'bad', word('There is no code in this photo.', 'Không thấy mã trong ảnh này.')));
}

function found(code) {
  $('giftCode').value = code;
  return look(code);
}

const detector = 'BarcodeDetector' in window && new BarcodeDetector({ formats: ['qr_code'] });
let stream = null;

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  $('giftCamera').hidden = true;
}

async function scan() {
  if (stream) return stop();
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
    const [seen] = await detector.detect(camera).catch(() => []);
    if (seen && stream) return found(seen.rawValue);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

$('giftScan').hidden = !detector || !navigator.mediaDevices;
$('giftScan').addEventListener('click', () => void scan());
$('giftForm').addEventListener('submit', (event) => {
  event.preventDefault();
  const code = $('giftCode').value.trim();
  if (code) void look(code);
});
$('giftPhoto').addEventListener('change', () => {
  const [file] = $('giftPhoto').files;
  $('giftPhoto').value = '';
  if (file) void read(file);
});
// Nothing of the last customer stays in sight, and the camera is off elsewhere.
addEventListener('view', () => {
  if (place()[0] === 'gift') return;
  stop();
  show();
  $('giftCode').value = '';
});
