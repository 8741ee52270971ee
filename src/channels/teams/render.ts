import { type Activity, ActivityTypes, CardFactory } from 'botbuilder';
import type { Locale } from '../../conversation/message.ts';
import type { FormField, Line, Reply } from '../../conversation/reply.ts';
import type { Words } from '../../i18n.ts';
import { encodeChoice } from '../platforms.ts';

/** An activity of ours, without its address. */
export type TeamsReply = Partial<Activity>;

/** Some clients do not show larger cards, though documents name 40 KB and more. */
const MAX_CARD_BYTES = 28_000;

/**
 * A reply as Teams takes it: one line of plain text, or a card. We use no suggested actions: Teams shows
 * three at most, none with a card, and they cannot carry a view.
 */
export function render(reply: Reply, locale: Locale, words: Words): TeamsReply {
  const { lines = [], choices, form = [], image: url } = reply;
  const line = (message: Line) => words.line(message, locale);
  const main = line(reply);
  const rest = lines.map(line);
  const whole = [main, ...rest].join('\n');
  // Some clients ignore line breaks of a plain text, so several lines need a card.
  if (!choices?.length && form.length === 0 && !url && !whole.includes('\n')) return plain(whole);

  const fields = form.flatMap((field) => fieldElements(field, locale, words));
  const formTitle = line({ key: 'teams.form.title' });
  const body = fields.length > 0 ? [text(formTitle, 'title'), ...fields] : textElements(main, rest, url);
  const made = card([...body, ...buttons(reply, line)]);
  // Too many choices for a card. Each can be typed.
  if (Buffer.byteLength(JSON.stringify(made)) > MAX_CARD_BYTES) return plain(whole);
  // `summary` is the text of the notification.
  const summary = fields.length > 0 ? formTitle : main;
  return { type: ActivityTypes.Message, attachments: [CardFactory.adaptiveCard(made)], summary };
}

function plain(text: string): TeamsReply {
  return { type: ActivityTypes.Message, text, textFormat: 'plain' };
}

/**
 * Elements of Adaptive Cards 1.2, the version that Teams' mobile clients render. Text is in text runs, which
 * have no Markdown: a customer's text never becomes a link or a picture.
 */
type Element = Readonly<Record<string, unknown>>;

type Tone = 'plain' | 'title' | 'fault';

const RUNS: Readonly<Record<Tone, Element>> = {
  plain: {},
  title: { weight: 'Bolder' },
  fault: { color: 'Attention', size: 'Small' },
};

/** The keyboard of a field, and its limit. A code's field takes up to ten codes with blanks between them. */
const INPUTS: Readonly<Record<FormField['slot'], Element>> = {
  code: { maxLength: 700 },
  phone: { style: 'tel', maxLength: 40 },
  email: { style: 'email', maxLength: 254 },
};

/** A field with its label and its fault. Teams' mobile clients ignore an input's `label`. */
function fieldElements({ slot, value, reason }: FormField, locale: Locale, words: Words): Element[] {
  const line = (key: string) => words.line({ key: `teams.form.${key}`, context: slot }, locale);
  const hint = { placeholder: line('hint'), spacing: 'None' };
  const input = {
    type: 'Input.Text',
    id: slot,
    ...hint,
    ...INPUTS[slot],
    ...(value !== undefined && { value }),
  };
  const fault = reason ? [text(words.line(reason, locale), 'fault', { spacing: 'None' })] : [];
  return [text(line('label')), ...fault, input];
}

/** The text of a card; `url`: a picture that Teams fetches. */
function textElements(main: string, rest: readonly string[], url: string | undefined): Element[] {
  const image = { type: 'Image', url, altText: rest[0] ?? '', size: 'Large', spacing: 'Small' };
  return [
    ...linesOf(main.split('\n'), rest.length > 0 ? 'title' : 'plain'),
    ...(url === undefined ? [] : [image]),
    ...linesOf(rest),
  ];
}

function text(line: string, tone: Tone = 'plain', more: Element = {}): Element {
  return { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text: line, ...RUNS[tone] }], ...more };
}

function linesOf(lines: readonly string[], tone?: Tone): Element[] {
  return lines.map((line) => text(line, tone, { spacing: 'Small' }));
}

/** All buttons, in the body: a card's action bar shows six at most. */
function buttons({ choices = [], form, view }: Reply, line: (message: Line) => string): Element[] {
  const button = (title: string, data: Element) => ({ type: 'Action.Submit', title, data });
  const actions = choices.map(({ id, label }) => button(line(label), { choice: encodeChoice(id, view) }));
  if (form?.length) actions.unshift(button(line({ key: 'teams.form.send' }), { form: view ?? '' }));
  const rows: Element[] = [];
  for (let at = 0; at < actions.length; at += MAX_BUTTONS) {
    rows.push({ type: 'ActionSet', actions: actions.slice(at, at + MAX_BUTTONS) });
  }
  return rows;
}

const MAX_BUTTONS = 6;

function card(body: readonly Element[]): Element {
  const $schema = 'http://adaptivecards.io/schemas/adaptive-card.json';
  return { type: 'AdaptiveCard', $schema, version: '1.2', body };
}
