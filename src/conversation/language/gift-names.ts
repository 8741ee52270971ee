import { fold, mapWords, visible } from './text.ts';
import { anyOf, type Words } from './words.ts';

/** A gift as texts may call it. */
type Gift = {
  readonly code: string;
  readonly name: Readonly<Record<string, string>>;
  readonly score: number;
};

/** Stands for the thing that is counted: no word has it. */
const THING = '\u0001';

/** Which gifts of the operator's list a text speaks of, and how many of one. */
export type GiftNames<G extends Gift> = {
  /**
   * The gifts that it names: by their codes, their names (of two with the same name, by the price) or else by words of
   * their names; marks do not matter. `rest`: the words that nothing else explains.
   */
  named(rest: string): readonly G[];
  /** The folded text, a word in place of each name. */
  called(word: string): string;
  /** How many of a thing it asks for: "2 cái", "hai loa", "x2"; undefined where it says no number. */
  quantity(): number | undefined;
  /** Whether it says nothing but what gifts are called and how many are meant: "2 loa nhé". */
  isNothingElse(): boolean;
  /** Whether words are about these gifts and nothing else: "đổi loa", not "đổi loa bị hỏng". */
  isAbout(rest: string, named: readonly G[]): boolean;
};

/** What the gifts of a list are called, folded, the longest name first; and the words of that, by their codes. */
type Calls = {
  readonly names: readonly { readonly name: string; readonly codes: readonly string[] }[];
  readonly words: ReadonlyMap<string, ReadonlySet<string>>;
};

export function createGiftNames(
  words: Words,
): <G extends Gift>(text: string, gifts: readonly G[]) => GiftNames<G> {
  const numbers = new Map([...words.pairs('how many')].map(([word, worth]) => [fold(word), Number(worth)]));
  const counters = anyOf(words.list('counters'));
  const number = `([1-9]\\d?|${anyOf(numbers.keys())})`;
  const patterns = [
    new RegExp(`(?:^| )${number} ?(?:${counters})(?: |$)`),
    new RegExp(`(?:^| )${number} ${THING}`),
    /(?:^| )x ?([1-9]\d?)(?: |$)/,
    /(?:^| )([1-9]\d?) ?x(?: |$)/,
  ];
  const counted = new RegExp(`^(?:x?\\d{1,2}|\\d{1,2}x|x|${THING}|${anyOf(numbers.keys())}|${counters})$`);
  const polite = new Set(
    ['polite', 'beside a gift'].flatMap((name) => words.list(name)).flatMap((phrase) => phrase.split(' ')),
  );
  const endings = ['', ...words.list('name endings')];

  /** What a gift is called, folded: its code, its names, and what several of it are called. */
  const namesOf = ({ code, name }: Gift): string[] => {
    const names = Object.values(name).map(fold);
    return [...new Set([fold(code), ...endings.flatMap((ending) => names.map((one) => one + ending))])];
  };
  /** Lists do not change while a process runs: what they call things is made once. */
  const kept = new WeakMap<readonly Gift[], Calls>();
  function callsOf(gifts: readonly Gift[]): Calls {
    const before = kept.get(gifts);
    if (before) return before;
    const byName = new Map<string, string[]>();
    const all = gifts.map((gift) => [gift.code, namesOf(gift)] as const);
    for (const [code, names] of all)
      for (const name of names) byName.set(name, [...(byName.get(name) ?? []), code]);
    const made = {
      names: [...byName]
        .filter(([name]) => name !== '')
        .map(([name, codes]) => ({ name, codes }))
        .sort((one, other) => other.name.length - one.name.length),
      words: new Map(all.map(([code, names]) => [code, new Set(names.flatMap((name) => name.split(' ')))])),
    };
    kept.set(gifts, made);
    return made;
  }

  /** The folded text with names taken out, and which it has. The longest counts: "loa kéo" is not "loa". */
  function withoutNames(text: string, names: Calls['names']) {
    let said = ` ${fold(text)} `;
    const found = names.filter(({ name }) => {
      const isThere = said.includes(` ${name} `);
      if (isThere) said = said.replaceAll(` ${name} `, ` ${THING} `);
      return isThere;
    });
    return { said, found };
  }

  const uncounted = (said: string) => said.split(' ').filter((word) => word !== '' && !counted.test(word));

  return (text, gifts) => {
    const calls = callsOf(gifts);
    // "loa@gmail.com" names nothing.
    const unmailed = mapWords(visible(text), (word) => (word.includes('@') ? '' : word));
    const { said, found } = withoutNames(unmailed, calls.names);
    return {
      named(rest) {
        const named = gifts.filter(({ code }) => found.some(({ codes }) => codes.includes(code)));
        const coded = named.filter(({ code }) => found.some(({ name }) => name === fold(code)));
        if (coded.length > 0) return coded;
        const priced = named.length < 2 ? [] : named.filter(({ score }) => saysNumber(text, score));
        if (priced.length === 1) return priced;
        if (named.length > 0 || rest === '') return named;
        const left = fold(rest).split(' ');
        return gifts.filter(({ code }) => left.every((word) => calls.words.get(code)?.has(word)));
      },
      called: (word) => said.replaceAll(THING, word),
      quantity() {
        const many = patterns.map((pattern) => pattern.exec(said)?.[1]).find((one) => one !== undefined);
        return many === undefined ? undefined : (numbers.get(many) ?? Number(many));
      },
      isNothingElse: () => found.length > 0 && uncounted(said).every((word) => polite.has(word)),
      isAbout(rest, named) {
        const own = calls.names.filter(({ codes }) => named.some(({ code }) => codes.includes(code)));
        return uncounted(withoutNames(rest, own).said).every((word) =>
          named.some(({ code }) => calls.words.get(code)?.has(word)),
        );
      },
    };
  };
}

function saysNumber(text: string, number: number): boolean {
  const plain = text.replace(/(\d)[.,](?=\d{3}(?!\d))/g, '$1');
  return plain.split(/\D+/).includes(String(number));
}
