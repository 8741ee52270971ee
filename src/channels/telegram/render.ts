import type { InlineKeyboardButton, InlineKeyboardMarkup, ReplyKeyboardMarkup } from 'telegraf/types';
import type { Locale } from '../../conversation/message.ts';
import type { Reply } from '../../conversation/reply.ts';
import type { Words } from '../../i18n.ts';
import { encodeChoice } from '../platforms.ts';
import { MAX_DATA } from './update.ts';

/**
 * A reply as Telegram takes it: plain text without a parse mode, so that a customer's text is never read as
 * markup. `texts` are one or more messages; the last has the keyboard. `photo` is a picture's URL, with the
 * only text as its caption.
 */
export type TelegramReply = {
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
 * A message has either inline buttons or a reply keyboard. If a phone is asked it has the keyboard, because
 * only that can share the contact. The choices become keys that send their label as text, which the
 * conversation understands.
 */
export function render(reply: Reply, locale: Locale, words: Words): TelegramReply {
  const whole = words.text(reply, locale);
  const texts = whole.length > MAX_MESSAGE ? splitText(whole, MAX_MESSAGE) : [whole];
  if (reply.sharePhone) {
    const share = { text: words.line({ key: 'telegram.sharePhone' }, locale), request_contact: true };
    const keys = (reply.choices ?? []).map(({ label }) => [{ text: words.line(label, locale) }]);
    return {
      texts,
      contact: { keyboard: [[share], ...keys], resize_keyboard: true, one_time_keyboard: true },
    };
  }
  const rows = reply.choices ? toRows(reply, locale, words) : [];
  const reference = reply.params?.reference;
  if (typeof reference === 'string') {
    rows.push([toCopyButton(words.line({ key: 'telegram.copyReference' }, locale), reference)]);
  }
  const isCaption = texts.length === 1 && whole.length <= MAX_CAPTION;
  return {
    texts,
    ...(reply.image !== undefined && isCaption && { photo: reply.image }),
    ...(rows.length > 0 && { inline: { inline_keyboard: rows } }),
  };
}

/** Buttons in the order of the choices, two short labels a row. A confirmation and a gift fill a row. */
function toRows({ choices = [], view }: Reply, locale: Locale, words: Words): InlineKeyboardButton[][] {
  const rows: InlineKeyboardButton[][] = [];
  let open: InlineKeyboardButton[] | undefined;
  for (const { id, label } of choices) {
    const callback_data = encodeChoice(id, view);
    // A gift's code may be too long for a button. It can be typed.
    if (Buffer.byteLength(callback_data) > MAX_DATA) continue;
    const isConfirm = id.startsWith('confirm:');
    // A button that confirms or erases has a colour, which is newer than telegraf's types.
    const style = isConfirm ? 'success' : id === 'forget' ? 'danger' : undefined;
    const button = { text: words.line(label, locale), callback_data, ...(style && { style }) };
    const fillsRow = isConfirm || id.startsWith('gift:') || button.text.length > SHORT_LABEL;
    if (open && !fillsRow) {
      open.push(button);
      open = undefined;
    } else {
      const row = [button];
      rows.push(row);
      open = fillsRow ? undefined : row;
    }
  }
  return rows;
}

/** A button that copies a reference. Newer than telegraf's types. */
function toCopyButton(text: string, copied: string): InlineKeyboardButton;
function toCopyButton(text: string, copied: string): object {
  return { text, copy_text: { text: copied } };
}

/** Parts of at most `max` UTF-16 units, cut at line ends where there are any, never within a character. */
export function splitText(text: string, max: number): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > max) {
    const lineEnd = rest.lastIndexOf('\n', max);
    const isHalf = /[\ud800-\udbff]/.test(rest.charAt(max - 1));
    const end = lineEnd > 0 ? lineEnd : isHalf ? max - 1 : max;
    parts.push(rest.slice(0, end));
    rest = rest.slice(lineEnd > 0 ? end + 1 : end);
  }
  // Telegram refuses a blank message.
  return parts.length === 0 ? [rest] : [...parts, rest].filter((part) => part.trim() !== '');
}
