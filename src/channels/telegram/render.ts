import { Markup } from 'telegraf';
import type { InlineKeyboardButton, InlineKeyboardMarkup, ReplyKeyboardMarkup } from 'telegraf/types';
import type { Locale } from '../../conversation/message.ts';
import type { Reply } from '../../conversation/reply.ts';
import type { Words } from '../../i18n.ts';
import { cut, encodeChoice } from '../platforms.ts';
import { MAX_DATA } from './update.ts';

/**
 * A reply as Telegram takes it: plain text without a parse mode, so that a customer's text is never read as
 * markup. `photo` is a picture's URL, with the text as its caption. `inline`: the buttons. `contact`: the
 * keyboard that shares the phone.
 */
export type TelegramReply = {
  readonly text: string;
  readonly photo?: string | undefined;
  readonly inline?: InlineKeyboardMarkup | undefined;
  readonly contact?: ReplyKeyboardMarkup | undefined;
};

/** Telegram's limit of a message, UTF-16 units. The longest text of staff fits, with a name. */
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
  const text = cut(words.text(reply, locale), MAX_MESSAGE);
  const { choices = [], image } = reply;
  if (reply.sharePhone) {
    const share = { text: words.line({ key: 'telegram.sharePhone' }, locale), request_contact: true };
    const keyboard = [[share], ...choices.map(({ label }) => [{ text: words.line(label, locale) }])];
    return { text, contact: { keyboard, resize_keyboard: true, one_time_keyboard: true } };
  }
  const buttons: InlineKeyboardButton.CallbackButton[] = [];
  // A confirmation and a gift have a row of their own, against wrong presses.
  let columns = 2;
  for (const { id, label } of choices) {
    const data = encodeChoice(id, reply.view);
    // A gift's code may be too long for a button. It can be typed.
    if (Buffer.byteLength(data) > MAX_DATA) continue;
    const button = { text: words.line(label, locale), callback_data: data };
    if (button.text.length > SHORT_LABEL || /^(confirm|gift):/.test(id)) columns = 1;
    buttons.push(button);
  }
  const { reply_markup: inline } = Markup.inlineKeyboard(buttons, { columns });
  return {
    text,
    ...(buttons.length > 0 && { inline }),
    ...(text.length <= MAX_CAPTION && { photo: image }),
  };
}
