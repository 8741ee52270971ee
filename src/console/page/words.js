/* The page's own wording, in English and Vietnamese; what the bot says comes from `locales/`. */

const select = document.getElementById('locale');
const spoken = select ? [...select.options].map(({ value }) => value) : ['vi', 'en'];

/** The language of the browser, where the bot speaks it; else the bot's first. Another one is another load of the page. */
const ofBrowser = navigator.languages.map((tag) => tag.split('-', 1)[0]).find((tag) => spoken.includes(tag));
const locale = sessionStorage.locale ?? ofBrowser ?? spoken[0];

/** What the page says, in the chosen language. One that it does not speak yet reads English. */
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
/** Questions that are not called by what they ask for. */
const QUESTIONS = {
  summary: 'confirm',
  gift: 'menu',
  type: 'menu',
  page: 'menu',
  '': 'phone',
  proofneeded: 'phone',
};

/** A flow in words; one of the operator's own by its name. */
export const flowOf = (name) => FLOWS[name] ?? name;

/** What the bot asks for, by `asks` or by the key of the question; an unknown one as it is. */
export function asking(key) {
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
