import { Markup } from 'telegraf';
import type { InlineKeyboardButton, InlineKeyboardMarkup, ReplyKeyboardMarkup } from 'telegraf/types';
import type { Locale } from '../../conversation/message.ts';
import { choice, QR_PICTURE, type Reply } from '../../conversation/reply.ts';
import type { Words } from '../../i18n.ts';
import { cutText, encodeChoice } from '../platforms.ts';
import { MAX_DATA } from './update.ts';

/** A reply as Telegram takes it: plain text, which is never read as markup. */
export type TelegramReply = {
  readonly text: string;
  /** A picture's URL, or a text that a QR code shows. The text is the caption. */
  readonly photo?: string | undefined;
  readonly qr?: string | undefined;
  readonly inline?: InlineKeyboardMarkup | undefined;
  /** The keyboard that shares the phone. */
  readonly contact?: ReplyKeyboardMarkup | undefined;
};

/** Telegram's limits, UTF-16 units. The longest text of staff fits, with a name. */
const MAX_MESSAGE = 4096;
const MAX_CAPTION = 1024;

/** Labels up to this length fit two in a row on a phone. */
const SHORT_LABEL = 16;

/** If a phone is asked, the choices are keys that send their label: only a keyboard shares a contact. */
export function render(reply: Reply, locale: Locale, words: Words): TelegramReply {
  const text = cutText(words.text(reply, locale), MAX_MESSAGE);
  const { choices = [], image, qr } = reply;
  if (reply.sharePhone) {
    const share = { text: words.line({ key: 'telegram.sharePhone' }, locale), request_contact: true };
    const keyboard = [[share], ...choices.map(({ label }) => [{ text: words.line(label, locale) }])];
    return { text, contact: { keyboard, resize_keyboard: true, one_time_keyboard: true } };
  }
  const buttons: InlineKeyboardButton.CallbackButton[] = [];
  // A confirmation and a gift have a row of their own, against wrong presses.
  let columns = 2;
  const isPicture = reply.key === QR_PICTURE;
  // A receipt must not wait for a picture that is drawn and sent.
  const picture = qr === undefined || isPicture ? [] : [choice(`qr:${qr}`, { key: 'choice.qr' })];
  for (const { id, label } of [...picture, ...choices]) {
    const data = encodeChoice(id, reply.view);
    // A gift's code may be too long for a button. It can be typed.
    if (Buffer.byteLength(data) > MAX_DATA) continue;
    const button = { text: words.line(label, locale), callback_data: data };
    if (button.text.length > SHORT_LABEL || /^(confirm|gift):/.test(id)) columns = 1;
    buttons.push(button);
  }
  const keyboard = buttons.length > 0 ? Markup.inlineKeyboard(buttons, { columns }) : undefined;
  return {
    text,
    inline: keyboard?.reply_markup,
    ...(text.length <= MAX_CAPTION && { photo: image, ...(isPicture && { qr }) }),
  };
}
