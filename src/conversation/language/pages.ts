import { fold } from './text.ts';
import { anyOf, type Words } from './words.ts';

/** Which page of a list is wanted: its number, from 1, or its place. */
export type WantedPage = number | 'first' | 'next' | 'previous';

const PLACES = ['first', 'next', 'previous'] as const;

/** Reads "2", "trang 2", "trang hai nhé", "first page", "nữa". Undefined for everything else. */
export function createPages(
  words: Words,
  numbers: ReadonlyMap<string, number>,
): (text: string) => WantedPage | undefined {
  const places = PLACES.map((place) => ({ place, phrases: new Set(words.list(`page ${place}`)) }));
  const number = new RegExp(
    `^(?:(?:${anyOf(words.list('page number'))}) (\\d{1,3}|${[...numbers.keys()].join('|')})|(\\d{1,3}))$`,
  );
  const polite = new Set(words.list('polite'));
  const small = new Set([...polite, ...words.list('small')]);

  function pageIn(said: string): WantedPage | undefined {
    const place = places.find(({ phrases }) => phrases.has(said))?.place;
    if (place !== undefined) return place;
    const [, named, alone] = number.exec(said) ?? [];
    const written = named ?? alone ?? '';
    const page = numbers.get(written) ?? Number(written);
    return page > 0 ? page : undefined;
  }

  return (text) => {
    const said = fold(text).split(' ');
    const without = (some: ReadonlySet<string>) => said.filter((word) => !some.has(word)).join(' ');
    const short = without(small);
    // "2 cái" is no page.
    return (
      pageIn(said.join(' ')) ?? pageIn(without(polite)) ?? (/^\d/.test(short) ? undefined : pageIn(short))
    );
  };
}
