import { addToMessages } from './conversation.js';
import { button, make } from './page.js';
import { word } from './words.js';

/* Phones and e-mails are one click from the clipboard. Browsers have one on https and on this machine alone. */

const PHONES = /(?<![\p{L}\d])[+\d][\d .-]{7,15}\d/gu;
const digitsOf = (phone) => phone.replace(/[^+\d]/g, '');

/** What the customer wrote that can be copied. A date has fewer digits than a phone. */
const contactsIn = (text) => [
  ...text.split(/[\s,;]/).filter((one) => one.indexOf('@') > 0),
  ...(text.match(PHONES) ?? []).filter((one) => digitsOf(one).length > 8),
];

/** The value, with a button that copies it; a phone without its blanks. */
export function copying(value) {
  if (!navigator.clipboard) return value;
  const press = button(`📋 ${value}`, async () => {
    await navigator.clipboard.writeText(value.includes('@') ? value : digitsOf(value));
    press.textContent = `✓ ${word('Copied', 'Đã chép')}`;
  });
  press.title = word('Copy', 'Chép');
  return press;
}

addToMessages(({ by, text }) => {
  const values = by || !navigator.clipboard ? [] : contactsIn(text);
  return values.length > 0 ? make('p', 'row', ...values.map(copying)) : null;
});
