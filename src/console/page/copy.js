import { addToMessages } from './conversation.js';
import { button, make } from './page.js';
import { word } from './words.js';

/* One click copies a phone or an e-mail. Browsers have a clipboard only on https and on this machine. */

const PHONES = /(?<![\p{L}\d])[+\d][\d .-]{7,15}\d/gu;
const digitsOf = (phone) => phone.replace(/[^+\d]/g, '');

/** The phones and e-mails in a text. More than eight digits: a date has fewer than a phone. */
const contactsIn = (text) => [
  ...text.split(/[\s,;]/).filter((part) => part.indexOf('@') > 0),
  ...(text.match(PHONES) ?? []).filter((phone) => digitsOf(phone).length > 8),
];

/** A button that copies the value, a phone without blanks. Without a clipboard it is the value itself. */
export function makeCopyable(value) {
  if (!navigator.clipboard) return value;
  const element = button(`📋 ${value}`, async () => {
    await navigator.clipboard.writeText(value.includes('@') ? value : digitsOf(value));
    element.textContent = `✓ ${word('Copied', 'Đã chép')}`;
  });
  element.title = word('Copy', 'Chép');
  return element;
}

addToMessages(({ by, text }) => {
  const values = by || !navigator.clipboard ? [] : contactsIn(text);
  return values.length > 0 ? make('p', 'row', ...values.map(makeCopyable)) : null;
});
