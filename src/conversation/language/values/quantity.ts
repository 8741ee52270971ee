import { fold } from '../fold.ts';
import { GRAMMARS } from '../grammars.ts';

const NUMBERS = new Map(GRAMMARS.flatMap(({ several }) => Object.entries(several.numbers)));
const COUNTERS = GRAMMARS.map(({ several }) => several.counters).join('|');
const NUMBER = `([1-9]\\d?|${[...NUMBERS.keys()].join('|')})`;

/** Stands for the thing that is counted: no word has it. */
const THING = '\u0001';
const PATTERNS = [
  new RegExp(`(?:^| )${NUMBER} ?(?:${COUNTERS})(?: |$)`),
  new RegExp(`(?:^| )${NUMBER} ${THING}`),
  /(?:^| )x ?([1-9]\d?)(?: |$)/,
  /(?:^| )([1-9]\d?) ?x(?: |$)/,
];

/**
 * How many of a thing a text asks for: "2 cái", "hai loa", "x2"; undefined where it says no number. `names`: what the
 * thing is called, folded, whose own numbers count nothing ("Combo 2 món").
 */
export function readQuantity(text: string, names: readonly string[]): number | undefined {
  const { words } = withoutNames(text, names);
  const said = PATTERNS.map((pattern) => pattern.exec(words)?.[1]).find((one) => one !== undefined);
  return said === undefined ? undefined : (NUMBERS.get(said) ?? Number(said));
}

/**
 * The folded text with each of these names taken out, and which of them it has. The longest counts: "loa kéo" is not
 * "loa".
 */
export function withoutNames(
  text: string,
  names: readonly string[],
): { readonly words: string; readonly found: readonly string[] } {
  let words = ` ${fold(text)} `;
  const found = names
    .toSorted((a, b) => b.length - a.length)
    .filter((name) => {
      const isThere = name !== '' && words.includes(` ${name} `);
      if (isThere) words = words.replaceAll(` ${name} `, ` ${THING} `);
      return isThere;
    });
  return { words, found };
}

const COUNTED = new RegExp(
  `^(?:x?\\d{1,2}|\\d{1,2}x|x|${THING}|${[...NUMBERS.keys()].join('|')}|${COUNTERS})$`,
);

/** The folded words but for those that say how many of what is named. */
export function withoutQuantity(words: string): string[] {
  return words.split(' ').filter((word) => word !== '' && !COUNTED.test(word));
}
