import { fold } from '../fold.ts';
import { phrasesIn } from '../grammars.ts';
import { NUMBERS } from '../periods.ts';

/** Which page of a list is wanted: its number, from 1, or its place. */
export type WantedPage = number | 'first' | 'last' | 'next' | 'previous';

const PLACES = (['first', 'last', 'next', 'previous'] as const).map((place) => ({
  place,
  phrases: new Set(phrasesIn(({ pages }) => pages[place])),
}));
const NUMBER = new RegExp(
  `^(?:(?:${phrasesIn(({ pages }) => pages.number).join('|')}) (\\d{1,3}|${[...NUMBERS.keys()].join('|')})|(\\d{1,3}))$`,
);
const PARTICLES = new Set(phrasesIn(({ particles }) => particles));
const FILLERS = new Set([...PARTICLES, ...phrasesIn(({ fillers }) => fillers)]);

/** "2", "trang 2", "trang hai nhé", "last page", "nữa". Undefined for everything else. */
export function parsePage(text: string): WantedPage | undefined {
  const words = fold(text).split(' ');
  const without = (small: ReadonlySet<string>) => words.filter((word) => !small.has(word)).join(' ');
  const [polite, short] = [without(PARTICLES), without(FILLERS)];
  // "2 cái" is no page.
  return pageIn(words.join(' ')) ?? pageIn(polite) ?? (/^\d/.test(short) ? undefined : pageIn(short));
}

function pageIn(said: string): WantedPage | undefined {
  const place = PLACES.find(({ phrases }) => phrases.has(said))?.place;
  if (place !== undefined) return place;
  const [, named, alone] = NUMBER.exec(said) ?? [];
  const written = named ?? alone ?? '';
  const number = NUMBERS.get(written) ?? Number(written);
  return number > 0 ? number : undefined;
}
