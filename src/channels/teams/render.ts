import { type Activity, ActivityTypes, CardFactory } from 'botbuilder';
import type { Locale } from '../../conversation/message.ts';
import type { FormField, Line, Reply } from '../../conversation/reply.ts';
import type { Words } from '../../i18n.ts';
import { encodeChoice } from '../platforms.ts';
import type { TeamsPress } from './address.ts';

/** An activity of ours, without its address. */
export type TeamsReply = Partial<Activity>;

/** Some clients do not show larger cards, though documents name 40 KB and more. */
export const MAX_CARD_BYTES = 28_000;

/** Most text of a card that each button carries. */
const MAX_SAID_BYTES = 2_000;

const HISTORY = 'history.page';

/**
 * A reply as Teams takes it: one line of plain text, or a card. We use no suggested actions: Teams shows
 * three at most, none with a card, and they cannot carry a view.
 */
export function render(reply: Reply, locale: Locale, words: Words): TeamsReply {
  const { key, lines = [], choices, form = [], image: url } = reply;
  const line = (message: Line) => words.line(message, locale);
  const main = line(reply);
  const rest = lines.map(line);
  const whole = [main, ...rest].join('\n');
  // Some clients ignore line breaks of a plain text, so several lines need a card.
  if (!choices?.length && form.length === 0 && !url && !whole.includes('\n')) return plain(whole);

  const title = form.length > 0 ? line({ key: 'teams.form.title' }) : undefined;
  const picture = url === undefined ? [] : [image(url, rest[0] ?? '')];
  const body =
    title !== undefined
      ? [text(title, 'title'), ...form.flatMap((field) => fieldElements(field, locale, words))]
      : [
          ...linesOf(main.split('\n'), rest.length > 0 ? 'title' : 'plain'),
          ...picture,
          ...(key === HISTORY ? rest.map(record) : linesOf(rest)),
        ];
  const said = title === undefined ? whole.split('\n') : [title];
  for (const carried of isWithin(MAX_SAID_BYTES, said) ? [{ said }, {}] : [{}]) {
    const made = card([...body, ...buttons(reply, carried, line)], whole);
    if (isWithin(MAX_CARD_BYTES, made)) return withCard(made, said[0]);
  }
  // Too many choices for a card. Each can be typed.
  return plain(whole);
}

/** A used card: its text and the choice, without buttons. */
export function renderUsed({ said, chosen }: TeamsPress, locale: Locale, words: Words): TeamsReply {
  const choice = chosen.join(' · ');
  const mark = words.line({ key: 'teams.chosen', params: { choice } }, locale);
  const used = (kept: readonly string[]) =>
    card([...linesOf(kept), text(mark, 'subtle')], [...kept, mark].join('\n'));
  // A button of ours carries little text, but a modified client may send more.
  const whole = used(said);
  return withCard(isWithin(MAX_CARD_BYTES, whole) ? whole : used([]));
}

function plain(text: string): TeamsReply {
  return { type: ActivityTypes.Message, text, textFormat: 'plain' };
}

/** `summary`: the text of the notification. */
function withCard(content: Element, summary?: string): TeamsReply {
  const attachments = [CardFactory.adaptiveCard(content)];
  return { type: ActivityTypes.Message, attachments, ...(summary && { summary }) };
}

function isWithin(maxBytes: number, value: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(value)) <= maxBytes;
}

/**
 * Elements of Adaptive Cards 1.2, the version that Teams' mobile clients render (research: teams.md, section
 * 5). They ignore newer attributes (`label`, `isRequired`, `regex`), which help on other clients.
 *
 * Text is in text runs, which have no Markdown: a customer's text never becomes a link or a picture.
 */
type Element = Readonly<Record<string, unknown>>;

type Tone = 'plain' | 'title' | 'subtle' | 'fault';

const RUNS: Readonly<Record<Tone, Element>> = {
  plain: {},
  title: { weight: 'Bolder' },
  subtle: { isSubtle: true, size: 'Small' },
  fault: { color: 'Attention', size: 'Small' },
};

/** The client's checks of a field. They accept every spelling that we read. */
const INPUTS: Readonly<Record<FormField['slot'], Element>> = {
  // Up to ten codes with blanks between them.
  code: { maxLength: 700 },
  phone: { style: 'tel', maxLength: 40, regex: '^[+]?[0-9 ().-]{8,}$' },
  email: { style: 'email', maxLength: 254, regex: '^[^@ ]+@[^@ ]+[.][^@ ]+$' },
};

/** A field with its label and its fault. Teams' mobile clients ignore an input's `label`. */
function fieldElements(
  { slot, required, value, reason }: FormField,
  locale: Locale,
  words: Words,
): Element[] {
  const line = (key: string, context?: string) => words.line({ key: `teams.form.${key}`, context }, locale);
  const input: Element = {
    type: 'Input.Text',
    id: slot,
    placeholder: line('hint', slot),
    spacing: 'None',
    ...INPUTS[slot],
    ...(required && { isRequired: true }),
    errorMessage: line('fault', slot),
    ...(value !== undefined && { value }),
  };
  const fault = reason ? [text(words.line(reason, locale), 'fault', { spacing: 'None' })] : [];
  return [text(line('label', slot)), ...fault, input];
}

function text(line: string, tone: Tone = 'plain', more: Element = {}): Element {
  return { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text: line, ...RUNS[tone] }], ...more };
}

function linesOf(lines: readonly string[], tone?: Tone): Element[] {
  return lines.map((line) => text(line, tone, { spacing: 'Small' }));
}

/** A picture that Teams fetches from its URL. `alt`: the text for a screen reader. */
function image(url: string, alt: string): Element {
  return { type: 'Image', url, altText: alt, size: 'Large', spacing: 'Small' };
}

/** A row of a table. The locale files write a record as `when · what · how much`. */
function record(line: string): Element {
  const [first = '', ...more] = line.split(' · ');
  const last = more.length > 1 ? more.splice(-1) : [];
  const cells = [first, ...(more.length > 0 ? [more.join(' · ')] : []), ...last];
  const columns = cells.map((cell, index) => ({
    type: 'Column',
    // The second cell takes the remaining width.
    width: index === 1 ? 'stretch' : 'auto',
    items: [text(cell)],
  }));
  return { type: 'ColumnSet', columns, spacing: 'Small', separator: true };
}

/** All buttons, in the body: a card's action bar shows six at most. Each carries the card's text. */
function buttons(reply: Reply, carried: Element, line: (message: Line) => string): Element[] {
  const { choices = [], form = [], view } = reply;
  const isForm = form.length > 0;
  const button = (title: string, data: Element, more: Element = {}): Element => ({
    type: 'Action.Submit',
    title,
    data: { ...data, ...carried },
    ...more,
  });
  const send = line({ key: 'teams.form.send' });
  const actions = [
    ...(isForm ? [button(send, { form: view ?? '' })] : []),
    ...choices.map((choice) => {
      const label = line(choice.label);
      // The form's checks do not block this button.
      const skipping = isForm ? { associatedInputs: 'none' } : {};
      return button(label, { choice: encodeChoice(choice.id, view), label }, skipping);
    }),
  ];
  const rows: Element[] = [];
  for (let at = 0; at < actions.length; at += MAX_BUTTONS) {
    rows.push({ type: 'ActionSet', actions: actions.slice(at, at + MAX_BUTTONS) });
  }
  return rows;
}

const MAX_BUTTONS = 6;

/** `fallback`: the text for a client that is too old for the card. Some read it as Markdown. */
function card(body: readonly Element[], fallback: string): Element {
  return {
    type: 'AdaptiveCard',
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    version: '1.2',
    fallbackText: plainText(fallback),
    body,
  };
}

/** Escapes a text for clients that read Markdown or HTML: no link, no picture, no emphasis. */
function plainText(words: string): string {
  return words.replaceAll(/[\\`*_~[\]<>#|]/g, '\\$&');
}
