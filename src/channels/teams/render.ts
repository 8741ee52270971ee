import type { Locale } from '../../conversation/message.ts';
import type { Choice, Field, Reply } from '../../conversation/reply.ts';
import type { Words } from '../../i18n.ts';
import { encodeChoice, type Press } from './address.ts';
import { button, buttons, card, type Element, row, type Tone, text } from './card.ts';

/** An activity as the connector takes it, but for where it goes. */
export type Rendered = Readonly<Record<string, unknown>>;

/** Teams cuts off larger cards, whatever its documents say of 40 KB and more. */
const MAX_CARD_BYTES = 28_000;

/** More text than this is not worth carrying in every button. */
const MAX_SAID_BYTES = 2_000;

/**
 * A reply as Teams takes it: plain text, or a card where there is something to press, to fill in or to line up.
 * Suggested actions are not used: Teams shows three, never beside a card, and they cannot carry a view.
 */
export function render(reply: Reply, locale: Locale, words: Words): Rendered {
  const { choices = [], form = [], lines = [], key } = reply;
  const whole = words.text(reply, locale);
  const isTable = key === 'history.page' && lines.length > 1;
  if (choices.length === 0 && form.length === 0 && !isTable) return plain(whole);
  const said = whole.split('\n');
  for (const kept of [byteLength(said) <= MAX_SAID_BYTES ? said : [], []]) {
    const made = cardOf(reply, kept, locale, words);
    if (byteLength(made) <= MAX_CARD_BYTES) return withCard(made, said[0] ?? '');
  }
  // Too many choices for a card; every one of them can be typed.
  return plain(whole);
}

/** A used card: what it said and what was chosen, and nothing to press. */
export function renderUsed({ said, chosen }: Press, locale: Locale, words: Words): Rendered {
  const choice = chosen.join(' · ');
  const last = choice === '' ? [] : [words.line({ key: 'teams.chosen', params: { choice } }, locale)];
  const fallback = [...said, ...last].join('\n');
  return withCard(card([...said.map((line) => text(line)), ...last.map((line) => text(line, 'subtle'))], fallback), '');
}

function plain(words: string): Rendered {
  return { type: 'message', text: words, textFormat: 'plain' };
}

/** `summary` is what a notification shows. */
function withCard(content: Element, summary: string): Rendered {
  return {
    type: 'message',
    ...(summary !== '' && { summary }),
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }],
  };
}

function cardOf(reply: Reply, said: readonly string[], locale: Locale, words: Words): Element {
  const { choices = [], form = [], view, asks } = reply;
  const label = (choice: Choice) => words.line(choice.label, locale);
  const pressed = (choice: Choice): Element => {
    const title = label(choice);
    const data = { choice: encodeChoice(choice.id, view), label: title, ...(said.length > 0 && { said }) };
    return button(title, data, form.length > 0);
  };
  const actions = choices.map(pressed);
  const inputs = form.length > 0 ? formOf(form, locale, words) : [];
  if (form.length > 0) {
    const title = words.line({ key: 'teams.form.send' }, locale);
    actions.unshift(button(title, { form: view ?? '', ...(said.length > 0 && { said }) }, false));
  }
  const body = form.length > 0 ? [text(words.line({ key: 'teams.form.title' }, locale), 'title')] : bodyOf(reply, locale, words);
  void asks;
  return card([...body, ...inputs, ...buttons(actions)], words.text(reply, locale));
}
