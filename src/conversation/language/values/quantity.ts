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
 * How many of a thing a text asks for: "2 cái", "hai loa", "x2"; undefined where it says no number, 1 among them. `names`:
 * what the thing is called, folded, whose own numbers count nothing ("Combo 2 món").
 */
export function readQuantity(text: string, names: readonly string[]): number | undefined {
  const longestFirst = [...names].sort((a, b) => b.length - a.length);
  const words = longestFirst.reduce(
    (rest, name) => (name === '' ? rest : rest.replaceAll(` ${name} `, ` ${THING} `)),
    ` ${fold(text)} `,
  );
  const said = PATTERNS.map((pattern) => pattern.exec(words)?.[1]).find((one) => one !== undefined);
  const number = said === undefined ? undefined : (NUMBERS.get(said) ?? Number(said));
  return number === 1 ? undefined : number;
}

const ANY = new RegExp(`^(?:x?\\d{1,2}|\\d{1,2}x|x|${[...NUMBERS.keys()].join('|')})$`);

/** The words without those that say how many. */
export function withoutQuantity(text: string): string {
  return fold(text)
    .split(' ')
    .filter((word) => !ANY.test(word))
    .join(' ');
}
