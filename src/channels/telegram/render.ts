import type {
  InlineKeyboardButton,
  InlineKeyboardMarkup,
  ReplyKeyboardMarkup,
} from '@grammyjs/types/markup.js';
import type { Locale } from '../../conversation/message.ts';
import type { Choice, Reply } from '../../conversation/reply.ts';
import type { Words } from '../../i18n.ts';
import { callbackDataOf } from './address.ts';

/**
 * A reply as Telegram takes it: plain text without a parse mode, so that no customer's text is ever parsed as markup.
 * `texts` are one or more messages, the keyboard belongs to the last. `photo`: a picture's URL, with the only text as its
 * caption.
 */
export type Rendered = {
  readonly texts: readonly string[];
  readonly photo?: string | undefined;
  readonly inline?: InlineKeyboardMarkup | undefined;
  readonly contact?: ReplyKeyboardMarkup | undefined;
};

/** Telegram's limit of a message, UTF-16 units. */
const MAX_MESSAGE = 4096;

/** Telegram's limit of a caption, UTF-16 units. */
const MAX_CAPTION = 1024;

/** Labels up to this length fit two in a row on a phone. */
const SHORT_LABEL = 16;

/**
 * A message has either buttons of its own (inline) or a keyboard in place of the customer's, never both. Where a phone
 * is asked the keyboard wins, because only it can share the contact; the choices become its other keys, which send
 * their label as text, and the conversation understands that.
 */
export function render(reply: Reply, locale: Locale, words: Words): Rendered {
  const texts = splitText(words.text(reply, locale), MAX_MESSAGE);
  const label = (choice: Choice) => words.line(choice.label, locale);
  if (reply.sharePhone) {
    const share = { text: words.line({ key: 'telegram.sharePhone' }, locale), request_contact: true };
    const keys = (reply.choices ?? []).map((choice) => [{ text: label(choice) }]);
    const contact = { keyboard: [[share], ...keys], resize_keyboard: true, one_time_keyboard: true };
    return { texts, contact };
  }
  const rows = [...toRows(reply, label), ...copyRow(reply, locale, words)];
  const isCaption = texts.length === 1 && (texts[0] ?? '').length <= MAX_CAPTION;
  return {
    texts,
    ...(reply.image !== undefined && isCaption && { photo: reply.image }),
    ...(rows.length > 0 && { inline: { inline_keyboard: rows } }),
  };
}

/** In the order given: two short labels a row; what is picked with care (a confirmation, a gift) has its own row. */
function toRows({ choices = [], view }: Reply, label: (choice: Choice) => string): InlineKeyboardButton[][] {
  const rows: InlineKeyboardButton[][] = [];
  let open: InlineKeyboardButton[] | undefined;
  for (const choice of choices) {
    const data = callbackDataOf(choice.id, view);
    // A gift's code may be too long for a button; it can be typed.
    if (data === undefined) continue;
    const button = { text: label(choice), callback_data: data, ...styleOf(choice.id) };
    if (/^(confirm|gift):/.test(choice.id) || button.text.length > SHORT_LABEL) {
      rows.push([button]);
      open = undefined;
    } else if (open) {
      open.push(button);
      open = undefined;
    } else {
      open = [button];
      rows.push(open);
    }
  }
  return rows;
}

/** What confirms stands out, and so does what erases. */
function styleOf(choice: string): { readonly style?: 'success' | 'danger' } {
  if (choice.startsWith('confirm:')) return { style: 'success' };
  return choice === 'forget' ? { style: 'danger' } : {};
}

/** A reference is for another message, perhaps to other people: one press copies it. */
function copyRow({ params }: Reply, locale: Locale, words: Words): InlineKeyboardButton[][] {
  const reference = params?.reference;
  if (typeof reference !== 'string') return [];
  const text = words.line({ key: 'telegram.copyReference' }, locale);
  return [[{ text, copy_text: { text: reference } }]];
}

/** Parts of at most `max` UTF-16 units, cut at line ends where there are any, never within a character. */
export function splitText(text: string, max: number): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > max) {
    const lineEnd = rest.lastIndexOf('\n', max);
    const end = lineEnd > 0 ? lineEnd : isHighSurrogate(rest.charCodeAt(max - 1)) ? max - 1 : max;
    parts.push(rest.slice(0, end));
    rest = rest.slice(lineEnd > 0 ? end + 1 : end);
  }
  // Telegram refuses a blank message.
  return parts.length === 0 ? [rest] : [...parts, rest].filter((part) => part.trim() !== '');
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
