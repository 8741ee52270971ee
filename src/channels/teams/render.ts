import { type Activity, ActivityTypes, CardFactory } from 'botbuilder';
import type { Locale } from '../../conversation/message.ts';
import type { FormField, Line, Reply } from '../../conversation/reply.ts';
import type { Words } from '../../i18n.ts';
import { encodeChoice } from '../platforms.ts';

/** An activity of ours, without its address. */
export type TeamsReply = Partial<Activity>;

/** Some clients do not show larger cards. */
const MAX_CARD_BYTES = 28_000;

/**
 * One line of plain text, or a card. No suggested actions: Teams shows three at most, and none with a card.
 */
export function render(reply: Reply, locale: Locale, words: Words): TeamsReply {
  const { choices = [], form = [], image } = reply;
  const line: Translate = (message) => words.line(message, locale);
  const whole = words.text(reply, locale);
  const type = ActivityTypes.Message;
  const plain = { type, text: whole, textFormat: 'plain' };
  // Some clients ignore line breaks of a plain text, so several lines need a card.
  const isLine = !image && !whole.includes('\n');
  if (isLine && choices.length === 0 && form.length === 0) return plain;

  const isForm = form.length > 0;
  const title = line(isForm ? { key: 'teams.form.title' } : reply);
  const fields = form.flatMap((field) => fieldElements(field, line));
  const body = isForm ? [textElement(title, TITLE), ...fields] : textElements(title, reply, line);
  const card = { type: 'AdaptiveCard', version: '1.2', body: [...body, ...buttons(reply, line)] };
  // Too many choices for a card. Each can be typed.
  if (Buffer.byteLength(JSON.stringify(card)) > MAX_CARD_BYTES) return plain;
  // `summary` is the text of the notification.
  return { type, attachments: [CardFactory.adaptiveCard(card)], summary: title };
}

/**
 * Elements of Adaptive Cards 1.2, which mobile clients render. Text runs have no Markdown: a customer's text
 * never becomes a link.
 */
type Element = Readonly<Record<string, unknown>>;

type Translate = (message: Line) => string;

const TITLE = { weight: 'Bolder' };
const FAULT = { color: 'Attention', size: 'Small' };

function textElement(text: string, style: Element = {}, spacing = 'Default'): Element {
  return { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text, ...style }], spacing };
}

const STYLES = { code: 'text', phone: 'tel', email: 'email' };

/** Mobile clients ignore an input's own `label`. */
function fieldElements({ slot, value, reason }: FormField, line: Translate): Element[] {
  const input = {
    type: 'Input.Text',
    id: slot,
    style: STYLES[slot],
    placeholder: line({ key: 'teams.form.hint', context: slot }),
    spacing: 'None',
    ...(value !== undefined && { value }),
  };
  const label = textElement(line({ key: 'teams.form.label', context: slot }));
  return [label, ...(reason ? [textElement(line(reason), FAULT, 'None')] : []), input];
}

/** The text of a card, and a picture that Teams fetches. */
function textElements(main: string, reply: Reply, line: Translate): Element[] {
  const { lines = [], image: url } = reply;
  const rest = lines.map(line);
  const style = rest.length > 0 ? TITLE : {};
  const image = { type: 'Image', url, altText: rest[0] ?? '', size: 'Large', spacing: 'Small' };
  return [
    ...main.split('\n').map((text) => textElement(text, style, 'Small')),
    ...(url === undefined ? [] : [image]),
    ...rest.map((text) => textElement(text, {}, 'Small')),
  ];
}

/** A card's action bar shows six at most. */
const MAX_BUTTONS = 6;

function buttons({ choices = [], form, view }: Reply, line: Translate): Element[] {
  const button = (title: string, data: Element) => ({ type: 'Action.Submit', title, data });
  const actions = choices.map(({ id, label }) => button(line(label), { choice: encodeChoice(id, view) }));
  if (form?.length) actions.unshift(button(line({ key: 'teams.form.send' }), { form: view ?? '' }));
  const rows: Element[] = [];
  for (let at = 0; at < actions.length; at += MAX_BUTTONS) {
    rows.push({ type: 'ActionSet', actions: actions.slice(at, at + MAX_BUTTONS) });
  }
  return rows;
}
