import { fold } from './text.ts';
import type { Words } from './words.ts';

/** A gift as texts may call it. */
type Gift = {
  readonly code: string;
  readonly name: Readonly<Record<string, string>>;
  readonly score: number;
};

/** Stands for the thing that is counted: no word has it. */
const THING = '\u0001';

/** Which gifts of the operator's list a text speaks of, and how many of one. */
export type GiftNames = {
  /**
   * The gifts that a text names: by their codes, their names (of two with the same name, by the price) or the labels of
   * their buttons, or else by words of their names; marks do not matter. `rest`: the words that nothing else explains.
   */
  named<G extends Gift>(text: string, rest: string, gifts: readonly G[]): readonly G[];
  /** The folded text without the names of gifts. */
  without(text: string, gifts: readonly Gift[]): string;
  /** How many of a thing a text asks for: "2 cái", "hai loa", "x2"; undefined where it says no number. */
  quantity(text: string, gifts: readonly Gift[]): number | undefined;
  /** Whether a text says nothing but what gifts are called and how many are meant: "2 loa nhé". */
  isNothingElse(text: string, gifts: readonly Gift[]): boolean;
  /** Whether words are about these gifts and nothing else: "đổi loa", not "đổi loa bị hỏng". */
  isAbout(rest: string, gifts: readonly Gift[]): boolean;
};

export function createGiftNames(words: Words): GiftNames {
  const numbers = new Map([...words.pairs('how many')].map(([word, worth]) => [fold(word), Number(worth)]));
  const counters = words.list('counters').join('|') || '(?!)';
  const number = `([1-9]\\d?|${[...numbers.keys()].join('|') || '(?!)'})`;
  const patterns = [
    new RegExp(`(?:^| )${number} ?(?:${counters})(?: |$)`),
    new RegExp(`(?:^| )${number} ${THING}`),
    /(?:^| )x ?([1-9]\d?)(?: |$)/,
    /(?:^| )([1-9]\d?) ?x(?: |$)/,
  ];
  const counted = new RegExp(
    `^(?:x?\\d{1,2}|\\d{1,2}x|x|${THING}|${[...numbers.keys(), '(?!)'].join('|')}|${counters})$`,
  );
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
  const kept = new WeakMap<readonly Gift[], readonly string[]>();
  const allNames = (gifts: readonly Gift[]): readonly string[] => {
    const names = kept.get(gifts) ?? gifts.flatMap(namesOf).sort((one, other) => other.length - one.length);
    kept.set(gifts, names);
    return names;
  };

  /** The folded text with its names taken out, and which it has. The longest counts: "loa kéo" is not "loa". */
  function withoutNames(text: string, gifts: readonly Gift[]) {
    let said = ` ${fold(text)} `;
    const found = allNames(gifts).filter((name) => {
      const isThere = name !== '' && said.includes(` ${name} `);
      if (isThere) said = said.replaceAll(` ${name} `, ` ${THING} `);
      return isThere;
    });
    return { said, found };
  }

  const uncounted = (said: string) => said.split(' ').filter((word) => word !== '' && !counted.test(word));

  return {
    named(text, rest, gifts) {
      if (gifts.length === 0) return [];
      // "loa@gmail.com" names nothing.
      const { found } = withoutNames(text.includes('@') ? text.replace(/\S*@\S*/g, ' ') : text, gifts);
      const coded = gifts.filter(({ code }) => found.includes(fold(code)));
      if (coded.length > 0) return coded;
      const named =
        found.length === 0 ? [] : gifts.filter((gift) => namesOf(gift).some((name) => found.includes(name)));
      const priced = named.length < 2 ? [] : named.filter(({ score }) => saysNumber(text, score));
      if (priced.length === 1) return priced;
      if (named.length > 0 || rest === '') return named;
      const said = fold(rest).split(' ');
      return gifts.filter((gift) => {
        const own = namesOf(gift).flatMap((name) => name.split(' '));
        return said.every((word) => own.includes(word));
      });
    },
    without: (text, gifts) => withoutNames(text, gifts).said,
    quantity(text, gifts) {
      const { said } = withoutNames(text, gifts);
      const many = patterns.map((pattern) => pattern.exec(said)?.[1]).find((one) => one !== undefined);
      return many === undefined ? undefined : (numbers.get(many) ?? Number(many));
    },
    isNothingElse(text, gifts) {
      const { said, found } = withoutNames(text, gifts);
      return found.length > 0 && uncounted(said).every((word) => polite.has(word));
    },
    isAbout(rest, gifts) {
      const own = new Set(gifts.flatMap(namesOf).flatMap((name) => name.split(' ')));
      return uncounted(withoutNames(rest, gifts).said).every((word) => own.has(word));
    },
  };
}

function saysNumber(text: string, number: number): boolean {
  const plain = text.replace(/(\d)[.,](?=\d{3}(?!\d))/g, '$1');
  return new RegExp(`(?<!\\d)${number}(?!\\d)`).test(plain);
}
