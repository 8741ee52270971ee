import { type Activity, CardFactory, MessageFactory, TextFormatTypes } from 'botbuilder';
import type { Locale } from '../../conversation/message.ts';
import type { Reply } from '../../conversation/reply.ts';
import type { Words } from '../../i18n.ts';
import { encodeChoice } from '../input.ts';
import type { Press } from './address.ts';
import { button, buttons, card, type Element, image, row, type Tone, text } from './card.ts';
import { fieldElements, formTitle } from './form.ts';

/** An activity of ours, but for where it goes. */
export type Rendered = Partial<Activity>;

/** Larger cards are not shown everywhere, whatever some documents say of 40 KB and more. */
export const MAX_CARD_BYTES = 28_000;

/** More text than this is not worth carrying in every button. */
const MAX_SAID_BYTES = 2_000;

/**
 * A reply as Teams takes it: one line of plain text, or a card.
 * Suggested actions are not used: Teams shows three, never beside a card, and they cannot carry a view.
 */
export function render(reply: Reply, locale: Locale, words: Words): Rendered {
  const whole = words.text(reply, locale);
  // A card for several lines, too: not every client breaks those of a plain text.
  const isCard = reply.choices?.length || reply.form?.length || reply.image || whole.includes('\n');
  if (!isCard) return plain(whole);

  const body = reply.form?.length ? [] : bodyOf(reply, locale, words);
  const said = reply.form?.length ? [formTitle(locale, words)] : whole.split('\n');
  const kept = byteLength(said) <= MAX_SAID_BYTES ? said : [];
  for (const carried of [kept, []]) {
    const made = card([...body, ...controls(reply, carried, locale, words)], whole);
    if (byteLength(made) <= MAX_CARD_BYTES) return withCard(made, said[0]);
  }
  // More choices than a card can have: every one of them can be typed.
  return plain(whole);
}

/** A used card: what it said and what was chosen, and nothing to press any more. */
export function renderUsed({ said, chosen }: Press, locale: Locale, words: Words): Rendered {
  const choice = chosen.join(' · ');
  const mark = words.line({ key: 'teams.chosen', params: { choice } }, locale);
  const used = (kept: readonly string[]) =>
    card([...linesOf(kept), text(mark, 'subtle')], [...kept, mark].join('\n'));
  // What a button of ours carries is small; a modified client sends what it likes.
  const whole = used(said);
  return withCard(byteLength(whole) <= MAX_CARD_BYTES ? whole : used([]));
}

const HISTORY = 'history.page';

function bodyOf(reply: Reply, locale: Locale, words: Words): Element[] {
  const { key, lines = [], image: url } = reply;
  const main = words.line(reply, locale).split('\n');
  const tone = lines.length > 0 ? 'title' : 'plain';
  const rest = lines.map((line) => words.line(line, locale));
  const picture = url === undefined ? [] : [image(url, rest[0] ?? '')];
  return [...linesOf(main, tone), ...picture, ...(key === HISTORY ? rest.map(record) : linesOf(rest))];
}

function linesOf(lines: readonly string[], tone?: Tone): Element[] {
  return lines.map((line) => text(line, tone, { spacing: 'Small' }));
}

/** The locale files write a record as `when · what · how much`: the dots are the table's borders. */
function record(line: string): Element {
  const parts = line.split(' · ');
  const [first = '', ...more] = parts;
  const last = more.length > 1 ? more.splice(-1) : [];
  return row([first, ...(more.length > 0 ? [more.join(' · ')] : []), ...last]);
}

/** Whatever can be filled in or pressed. Each button carries what the card says: see `Press`. */
function controls(reply: Reply, said: readonly string[], locale: Locale, words: Words): Element[] {
  const { choices = [], form = [], view } = reply;
  const carried = said.length > 0 ? { said } : {};
  const actions = choices.map((choice) => {
    const label = words.line(choice.label, locale);
    const data = { choice: encodeChoice(choice.id, view), label, ...carried };
    return button(label, data, form.length > 0);
  });
  if (form.length === 0) return buttons(actions);
  const send = button(
    words.line({ key: 'teams.form.send' }, locale),
    { form: view ?? '', ...carried },
    false,
  );
  return [
    text(formTitle(locale, words), 'title'),
    ...form.flatMap((field) => fieldElements(field, locale, words)),
    ...buttons([send, ...actions]),
  ];
}

function plain(words: string): Rendered {
  return { ...MessageFactory.text(words), textFormat: TextFormatTypes.Plain };
}

/** `summary` is what a notification shows. */
function withCard(content: Element, summary?: string): Rendered {
  const message = MessageFactory.attachment(CardFactory.adaptiveCard(content));
  return { ...message, ...(summary && { summary }) };
}

function byteLength(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
