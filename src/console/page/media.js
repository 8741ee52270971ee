import { addToMessages, stayAtEnd } from './conversation.js';
import { button, call, make, toLocal } from './page.js';
import { word } from './words.js';

/*
 * What customers sent. Pictures are fetched when they come into view; voice, videos and files when staff ask
 * for them. The bot decides by its bytes what a file is. If it is no known picture, sound or video, it can
 * only be saved.
 */

const NAMES = {
  picture: ['📷', word('Picture', 'Ảnh')],
  voice: ['🎤', word('Play the recording', 'Nghe tin nhắn thoại')],
  video: ['🎬', word('Play the video', 'Xem video')],
  file: ['📎', word('File', 'Tệp')],
  place: ['📍', word('Place', 'Vị trí')],
};
const GONE = word('The chat app no longer has it', 'Ứng dụng chat không còn giữ tệp này');
const REFUSALS = {
  404: GONE,
  410: GONE,
  413: word('Over 20 MB: only the chat app shows it', 'Trên 20 MB, chỉ mở được trong ứng dụng chat'),
};
const ELSEWHERE = word('only in the chat app', 'chỉ mở được trong ứng dụng chat');

/** The boxes of the shown ticket's media, by their paths. Drawing them again fetches nothing. */
const boxes = new Map();
let urls = [];
let ticketShown;

/** Drops the media of the ticket that was shown before. */
function forgetOthers(ticket) {
  if (ticket.id === ticketShown) return;
  for (const url of urls) URL.revokeObjectURL(url);
  urls = [];
  boxes.clear();
  ticketShown = ticket.id;
}

async function load(path) {
  try {
    const response = await call(path);
    if (!response.ok) return { status: response.status };
    const content = await response.blob();
    const url = URL.createObjectURL(content);
    urls.push(url);
    return { type: content.type, url };
  } catch {
    return {};
  }
}

function sizeOf(bytes) {
  const [value, unit] = bytes < 1e6 ? [Math.ceil(bytes / 1e3), 'kilobyte'] : [bytes / 1e6, 'megabyte'];
  return toLocal(value, { style: 'unit', unit, maximumFractionDigits: 1 });
}

function describe({ kind, name, bytes }) {
  const [sign, title] = NAMES[kind];
  return [`${sign} ${name ?? title}`, bytes && sizeOf(bytes)].filter(Boolean).join(' · ');
}

/** Fetches and shows it, or says why not. Resolves to a link if the file can only be saved. */
async function fill(box, media, path) {
  const { url, type = '', status } = await load(path);
  if (!url) {
    box.replaceChildren(refusalOf(status, () => fill(box, media, path)));
    return null;
  }
  const shown = type.startsWith('image/')
    ? pictureOf(url, media)
    : /^(audio|video)\//.test(type)
      ? playerOf(url, media)
      : make('a', '', describe(media));
  if (shown.tagName === 'A') {
    box.classList.remove('picture');
    Object.assign(shown, { href: url, download: media.name ?? 'file' });
  }
  box.replaceChildren(shown);
  await shown.firstChild?.decode?.().catch(() => {});
  stayAtEnd();
  return shown.tagName === 'A' ? shown : null;
}

function refusalOf(status, again) {
  if (REFUSALS[status]) return make('small', 'bad', REFUSALS[status]);
  return button(word('Not available now: try again', 'Chưa tải được, thử lại'), again);
}

function pictureOf(url, media) {
  const image = Object.assign(make('img', ''), { src: url, alt: describe(media) });
  const shown = make('button', 'picture', image);
  shown.type = 'button';
  shown.title = word('Enlarge', 'Phóng to');
  shown.addEventListener('click', () => enlarge(url, media));
  return shown;
}

function playerOf(url, { kind }) {
  const player = Object.assign(make(kind === 'video' ? 'video' : 'audio', ''), { src: url, controls: true });
  void player.play().catch(() => {});
  return player;
}

function enlarge(url, media) {
  const large = make('dialog', 'large', Object.assign(make('img', ''), { src: url, alt: describe(media) }));
  large.addEventListener('click', () => large.close());
  large.addEventListener('close', () => large.remove());
  document.body.append(large);
  large.showModal();
}

const visibility = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    visibility.unobserve(target);
    target.dispatchEvent(new Event('seen'));
  }
});

function boxOf(media, { id }) {
  const { n, kind, elsewhere } = media;
  if (kind === 'place') return make('p', 'media', describe(media));
  if (elsewhere) return make('p', 'media soft', `${describe(media)} · ${ELSEWHERE}`);
  const path = `staff/tickets/${id}/media/${n}`;
  const drawn = boxes.get(path);
  if (drawn) return drawn;
  const box = make('div', `media ${kind}`);
  boxes.set(path, box);
  if (kind === 'picture') {
    box.append(make('small', 'soft', describe(media)));
    box.addEventListener('seen', () => fill(box, media, path), { once: true });
    visibility.observe(box);
  } else box.append(button(describe(media), async () => (await fill(box, media, path))?.click()));
  return box;
}

addToMessages(({ media }, ticket) => {
  if (!media) return null;
  forgetOthers(ticket);
  return make('div', '', ...media.map((item) => boxOf(item, ticket)));
});
