/*
 * How customers call themselves ("bác muốn tích điểm") and how the bot calls them and itself then. The table
 * is `## address` of a language file. A language without it has one way.
 */

/** A language file. */
type TableText = { readonly locale: string; readonly text: string };

/** A word for the customer, and the word for the bot that goes with it. */
type Pair = { readonly you: string; readonly me: string };

type Table = {
  readonly locale: string;
  /** The words that the wording is written with. */
  readonly written: Pair;
  /** By the customer's own word. */
  readonly pairs: ReadonlyMap<string, Pair>;
  readonly lists: ReadonlyMap<string, ReadonlySet<string>>;
};

/**
 * Reads and applies the tables of address.
 *
 * @example
 * const address = new Address([{ locale: 'vi', text }]);
 * address.find('cho bác hỏi chút'); // 'bác'
 * address.reword('Bạn gửi mình mã nhé.', { locale: 'vi', you: 'bác' }); // 'Bác gửi cháu mã nhé.'
 */
export class Address {
  readonly #tables: readonly Table[];

  constructor(texts: readonly TableText[]) {
    this.#tables = texts.flatMap(readTable);
  }

  /**
   * The word by which the customer speaks of themselves, as the table has it; undefined: none, or it is not
   * sure. Words without their marks never count: "co" is no "cô".
   */
  find(text: string): string | undefined {
    // Most values have no word.
    if (!/\p{L}{2}/u.test(text)) return undefined;
    const plain = text.normalize('NFC').toLowerCase();
    const words = plain.match(/\p{L}+|[^\p{L}\s]+/gu) ?? [];
    for (const { pairs, lists } of this.#tables) {
      const has = (list: string, at: number) => lists.get(list)?.has(words[at] ?? '') ?? false;
      const isWord = (at: number) => /\p{L}/u.test(words[at] ?? '');
      // "Cháu ơi", "hả cháu": the bot is called, so this is no word for the customer.
      const isCall = (at: number) => !has('before', at - 1) && (!isWord(at + 1) || has('calls', at + 1));
      if (words.some((_, at) => has('other selves', at) && !isCall(at))) continue;
      const at = words.findIndex((word, place) => {
        if (!pairs.has(word)) return false;
        if (has('before', place - 1)) return place + 1 === words.length || has('after', place + 1);
        const isStart = !isWord(place - 1) || has('openings', place - 1);
        return isStart && has('verbs', place + 1);
      });
      if (at >= 0) return words[at];
    }
    return undefined;
  }

  /** A text of the wording, with the words for the customer and the bot of this address. */
  reword(text: string, { locale, you }: { readonly locale: string; readonly you: string }): string {
    const table = this.#tables.find((candidate) => candidate.locale === locale);
    const pair = table?.pairs.get(you);
    if (!table || !pair) return text;
    const { written } = table;
    const replacements = new Map([
      [written.you, pair.you],
      [written.me, pair.me],
    ]);
    return text.replace(/\p{L}+/gu, (word) => {
      const plain = word.toLowerCase();
      const other = replacements.get(plain);
      if (other === undefined) return word;
      return word === plain ? other : other.charAt(0).toUpperCase() + other.slice(1);
    });
  }
}

/** The rows `you: me`, the first of them the words of the wording, then lists. */
function readTable({ locale, text }: TableText): readonly Table[] {
  const [, section = ''] = text.split(/^## address$/m);
  const rows = (section.split(/^## /m)[0] ?? '').split('\n').flatMap((line) => {
    const [, name = '', value = ''] = /^([\p{L} ]+): (.+)$/u.exec(line) ?? [];
    return name === '' ? [] : [{ name, values: value.split(',').map((part) => part.trim()) }];
  });
  const pairs = rows.flatMap(({ name, values: [me = '', ...others] }) =>
    others.length === 0 ? [{ you: name, me }] : [],
  );
  const [written, ...terms] = pairs;
  if (!written) return [];
  const lists = new Map(
    rows.flatMap(({ name, values }) => (values.length > 1 ? [[name, new Set(values)] as const] : [])),
  );
  return [{ locale, written, pairs: new Map(terms.map((pair) => [pair.you, pair])), lists }];
}
