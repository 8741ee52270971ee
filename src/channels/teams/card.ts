/**
 * The few elements of Adaptive Cards that we use, all of version 1.2, which is what Teams' mobile clients render
 * (research: teams.md, section 5). What is newer (`label`, `isRequired`, `regex`) is ignored there and helps elsewhere.
 *
 * Text stands in text runs, which know no Markdown: nothing a customer wrote can become a link or a picture.
 */
export type Element = Readonly<Record<string, unknown>>;

export type Tone = 'plain' | 'title' | 'subtle' | 'fault';

const RUNS: Readonly<Record<Tone, Element>> = {
  plain: {},
  title: { weight: 'Bolder' },
  subtle: { isSubtle: true, size: 'Small' },
  fault: { color: 'Attention', size: 'Small' },
};

export function text(line: string, tone: Tone = 'plain', more: Element = {}): Element {
  return { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text: line, ...RUNS[tone] }], ...more };
}

/** A picture that Teams fetches from its URL; `alt`: what people hear who cannot see it. */
export function image(url: string, alt: string): Element {
  return { type: 'Image', url, altText: alt, size: 'Large', spacing: 'Small' };
}

/** A table's row; its second cell takes the room there is. */
export function row(cells: readonly string[]): Element {
  const columns = cells.map((cell, index) => ({
    type: 'Column',
    width: index === 1 ? 'stretch' : 'auto',
    items: [text(cell)],
  }));
  return { type: 'ColumnSet', columns, spacing: 'Small', separator: true };
}

/** A button. `skipsInputs`: a form's checks do not stop it. */
export function button(title: string, data: Element, skipsInputs: boolean): Element {
  return { type: 'Action.Submit', title, data, ...(skipsInputs && { associatedInputs: 'none' }) };
}

/** Buttons as an element of the body, because a card shows no more than six of its own. */
export function buttons(actions: readonly Element[]): Element[] {
  const rows: Element[] = [];
  for (let at = 0; at < actions.length; at += MAX_BUTTONS) {
    rows.push({ type: 'ActionSet', actions: actions.slice(at, at + MAX_BUTTONS) });
  }
  return rows;
}

const MAX_BUTTONS = 6;

/** `fallback` is what a client too old for the card shows; some read it as Markdown. */
export function card(body: readonly Element[], fallback: string): Element {
  return {
    type: 'AdaptiveCard',
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    version: '1.2',
    fallbackText: escaped(fallback),
    body,
  };
}

/** The text as it is, for clients that read Markdown or HTML: no link, no picture, no emphasis. */
function escaped(words: string): string {
  return words.replaceAll(/[\\`*_~[\]<>#|]/g, '\\$&');
}
