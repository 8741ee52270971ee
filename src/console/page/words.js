/* The page's own wording, in English and Vietnamese. The bot's replies come from `locales/`. */

const select = document.getElementById('locale');
const locales = select ? [...select.options].map(({ value }) => value) : ['vi', 'en'];

/**
 * The browser's language if the bot speaks it, else the bot's first. Choosing another one reloads the page.
 */
const browserLocale = navigator.languages
  .map((tag) => tag.split('-', 1)[0])
  .find((tag) => locales.includes(tag));
const locale = sessionStorage.locale ?? browserLocale ?? locales[0];

/** A text of the page in the chosen language: English, unless that is Vietnamese. */
export const word = (english, vietnamese) => (locale === 'vi' ? vietnamese : english);

const FLOWS = {
  accumulate: word('Earn points', 'Tích điểm'),
  redeem: word('Redeem a gift', 'Đổi quà'),
  history: word('See the history', 'Xem lịch sử'),
  points: word('See the points', 'Xem điểm'),
};
const ASKS = {
  code: word('for the code', 'mã sản phẩm'),
  phone: word('for the phone', 'số điện thoại'),
  email: word('for the e-mail', 'email'),
  proof: word('for the code that was sent to the phone', 'mã đã gửi tới điện thoại'),
  confirm: word('to confirm', 'xác nhận'),
  period: word('for a period', 'khoảng thời gian'),
  menu: word('for a choice', 'chọn một mục'),
  consent: word('whether to remember', 'có lưu thông tin không'),
};
/** Questions whose name is not what they ask for. */
const QUESTIONS = {
  summary: 'confirm',
  gift: 'menu',
  type: 'menu',
  page: 'menu',
  '': 'phone',
  proofneeded: 'phone',
};

/** The name of a flow. A flow of the operator's own keeps the name that the code has. */
export const flowOf = (name) => FLOWS[name] ?? name;

/** What a question asks for. `key`: its `asks` or its key. An unknown key is returned unchanged. */
export function questionName(key) {
  const [, flow, name] = /^(?:([^.]*)\.)?(?:ask)?([^.]*)$/.exec(key) ?? ['', '', key];
  const asks = ASKS[QUESTIONS[name.toLowerCase()] ?? name.toLowerCase()];
  return asks ? [FLOWS[flow], asks].filter(Boolean).join(' · ') : key;
}

if (select) select.value = locale;
document.documentElement.lang = locale;
/** Elements carry their Vietnamese: `data-vi` of the text, `data-vi-label` of the label, and so on. */
const PARTS = { vi: 'textContent', viLabel: 'ariaLabel', viHint: 'placeholder', viTitle: 'title' };
for (const element of locale === 'vi' ? document.querySelectorAll('*') : []) {
  for (const [mark, part] of Object.entries(PARTS))
    if (element.dataset[mark]) element[part] = element.dataset[mark];
  if (element.dataset.viName) element.dataset.name = element.dataset.viName;
}
