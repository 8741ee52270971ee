import { type Activity, ActivityTypes, CardFactory } from 'botbuilder';
import type { Locale } from '../../conversation/message.ts';
import type { FormField, Reply } from '../../conversation/reply.ts';
import type { Words } from '../../i18n.ts';
import { encodeChoice } from '../platforms.ts';
import type { TeamsPress } from './address.ts';

/** An activity of ours, but for where it goes. */
export type TeamsReply = Partial<Activity>;

/** Larger cards are not shown everywhere, whatever some documents say of 40 KB and more. */
export const MAX_CARD_BYTES = 28_000;

/** More text than this is not worth carrying in every button. */
const MAX_SAID_BYTES = 2_000;

const HISTORY = 'history.page';

/**
 * A reply as Teams takes it: one line of plain text, or a card.
 * Suggested actions are not used: Teams shows three, never beside a card, and they cannot carry a view.
 */
export function render(reply: Reply, locale: Locale, words: Words): TeamsReply {
  const { key, lines = [], choices, form = [], image: url } = reply;
  const main = words.line(reply, locale);
  const rest = lines.map((line) => words.line(line, locale));
  const whole = [main, ...rest].join('\n');
  // A card for several lines, too: not every client breaks those of a plain text.
  if (!choices?.length && form.length === 0 && !url && !whole.includes('\n')) return plain(whole);

  const title = form.length > 0 ? words.line({ key: 'teams.form.title' }, locale) : undefined;
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
    const made = card([...body, ...buttons(reply, carried, locale, words)], whole);
    if (isWithin(MAX_CARD_BYTES, made)) return withCard(made, said[0]);
  }
  // More choices than a card can have: every one of them can be typed.
  return plain(whole);
}

/** A used card: what it said and what was chosen, and nothing to press any more. */
export function renderUsed({ said, chosen }: TeamsPress, locale: Locale, words: Words): TeamsReply {
  const choice = chosen.join(' · ');
  const mark = words.line({ key: 'teams.chosen', params: { choice } }, locale);
  const used = (kept: readonly string[]) =>
    card([...linesOf(kept), text(mark, 'subtle')], [...kept, mark].join('\n'));
  // What a button of ours carries is small; a modified client sends what it likes.
  const whole = used(said);
  return withCard(isWithin(MAX_CARD_BYTES, whole) ? whole : used([]));
}

function plain(text: string): TeamsReply {
  return { type: ActivityTypes.Message, text, textFormat: 'plain' };
}

/** `summary` is what a notification shows. */
function withCard(content: Element, summary?: string): TeamsReply {
  const attachments = [CardFactory.adaptiveCard(content)];
  return { type: ActivityTypes.Message, attachments, ...(summary && { summary }) };
}

function isWithin(maxBytes: number, value: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(value)) <= maxBytes;
}

/**
 * The few elements of Adaptive Cards that we use, all of version 1.2, which is what Teams' mobile clients render
 * (research: teams.md, section 5). What is newer (`label`, `isRequired`, `regex`) is ignored there and helps elsewhere.
 *
 * Text stands in text runs, which know no Markdown: nothing a customer wrote can become a link or a picture.
 */
type Element = Readonly<Record<string, unknown>>;

type Tone = 'plain' | 'title' | 'subtle' | 'fault';

const RUNS: Readonly<Record<Tone, Element>> = {
  plain: {},
  title: { weight: 'Bolder' },
  subtle: { isSubtle: true, size: 'Small' },
  fault: { color: 'Attention', size: 'Small' },
};

/**
 * What a field takes, as far as the client can check it: wide enough for every spelling that we read ourselves,
 * because a check that is stricter than ours would lock people out.
 */
const INPUTS: Readonly<Record<FormField['slot'], Element>> = {
  // Ten of them, with blanks between.
  code: { maxLength: 700 },
  phone: { style: 'tel', maxLength: 40, regex: '^[+]?[0-9 ().-]{8,}$' },
  email: { style: 'email', maxLength: 254, regex: '^[^@ ]+@[^@ ]+[.][^@ ]+$' },
};

/**
 * A field with its label, and why its value was refused. The label is an element of its own, because Teams' mobile
 * clients do not know an input's `label`.
 */
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

/** A picture that Teams fetches from its URL; `alt`: what people hear who cannot see it. */
function image(url: string, alt: string): Element {
  return { type: 'Image', url, altText: alt, size: 'Large', spacing: 'Small' };
}

/** The locale files write a record as `when · what · how much`: the dots are the table's borders. */
function record(line: string): Element {
  const [first = '', ...more] = line.split(' · ');
  const last = more.length > 1 ? more.splice(-1) : [];
  const cells = [first, ...(more.length > 0 ? [more.join(' · ')] : []), ...last];
  const columns = cells.map((cell, index) => ({
    type: 'Column',
    // The second cell takes the room there is.
    width: index === 1 ? 'stretch' : 'auto',
    items: [text(cell)],
  }));
  return { type: 'ColumnSet', columns, spacing: 'Small', separator: true };
}

/**
 * Whatever can be pressed, as elements of the body, because a card shows no more than six buttons of its own. Each carries
 * what the card says: see `Press`.
 */
function buttons(reply: Reply, carried: Element, locale: Locale, words: Words): Element[] {
  const { choices = [], form = [], view } = reply;
  const isForm = form.length > 0;
  const button = (title: string, data: Element, more: Element = {}): Element => ({
    type: 'Action.Submit',
    title,
    data: { ...data, ...carried },
    ...more,
  });
  const send = words.line({ key: 'teams.form.send' }, locale);
  const actions = [
    ...(isForm ? [button(send, { form: view ?? '' })] : []),
    ...choices.map((choice) => {
      const label = words.line(choice.label, locale);
      // The form's checks do not stop it.
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

/** `fallback` is what a client too old for the card shows; some read it as Markdown. */
function card(body: readonly Element[], fallback: string): Element {
  return {
    type: 'AdaptiveCard',
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    version: '1.2',
    fallbackText: plainText(fallback),
    body,
  };
}

/** The text as it is, for clients that read Markdown or HTML: no link, no picture, no emphasis. */
function plainText(words: string): string {
  return words.replaceAll(/[\\`*_~[\]<>#|]/g, '\\$&');
}
