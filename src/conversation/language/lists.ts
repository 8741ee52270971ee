import type { CodeRef, Spoken, WantedPage } from '../commands.ts';
import type { Lexicon } from './lexicon.ts';
import { fold, mapWords } from './text.ts';
import { anyOf, type Words } from './words.ts';

/*
 * What a text makes of the codes at hand: lines of the language files, with places for what it names. `{old}`: codes at
 * hand, or where they stand or how they end, which go; `{kept}`: the same, which stay; `{new}`: other codes; `{other}`:
 * those that are not named.
 */

/** What a text says of a list. */
export type ListTalk = {
  /** What it does to these codes; undefined where no line of the files says that, as a whole. */
  command(text: string, named: readonly string[], codes: readonly string[]): Spoken | undefined;
  /** Whether it says that something comes beside what is there: "nữa". */
  adds(text: string): boolean;
  /** The places that it names: from 1; -1 the last, 0 all. */
  places(text: string): readonly number[];
};

type Template = { readonly act: string; readonly slots: readonly string[] };

/** Where codes that are at hand and others may take the same place. */
const MIXED: Readonly<Record<string, string>> = { 'list remove': '{old}', 'list replace': '{new}' };

/** A code as a word of its own, whatever letters it has. */
const mask = (at: number) => ` zq${at}qz `;
const MASK = /^zq(\d+)qz$/;

export function createListTalk(words: Words, { plainly }: Pick<Lexicon, 'plainly'>): ListTalk {
  const others = new RegExp(`(?<!\\S)(?:${anyOf(words.list('list others'))})(?!\\S)`, 'g');
  const inLines = new Set(words.templates.flatMap(({ text }) => plainly(text.replace(/\{\w+\}/g, ''))));
  const adding = new Set(words.list('list adding'));
  const telling = new Set([...words.list('list telling'), ...adding]);
  const beside = ['polite', 'small', 'list between', 'phone', 'email'].flatMap((name) => words.list(name));
  const silent = new Set(beside.filter((word) => !telling.has(word)));
  const isTelling = (word: string, isLoose: boolean) =>
    word !== '' && (!silent.has(word) || (!isLoose && inLines.has(word)));
  const inPlaces = createPlaces(words);

  /** By their telling words: all that stand in any line, and without those that are small elsewhere. */
  const templates = new Map<string, Template>();
  for (const isLoose of [true, false])
    for (const { text, act } of words.templates) {
      const said = text.split(' ').flatMap((word) => (word.startsWith('{') ? word : plainly(word)));
      const all = said.filter((word) => isTelling(word, isLoose));
      const slots = all.filter((word) => word.startsWith('{'));
      const key = all.map((word) => (word === '{kept}' ? '{old}' : word)).join(' ');
      if (slots.length < all.length) templates.set(key, { act, slots });
    }

  /** `as`: which place codes take: their own, or all the same ("bỏ X và Y", whether or not they are there). */
  function find(said: readonly string[], known: readonly string[], codes: readonly string[]) {
    for (const isLoose of [false, true])
      for (const as of [undefined, '{old}', '{new}']) {
        const key: string[] = [];
        const slots: CodeRef[][] = [];
        for (const word of said) {
          if (!isTelling(word, isLoose)) continue;
          const ref = refIn(word, known);
          const own = ref && isFresh(ref, codes) ? '{new}' : '{old}';
          const kind = ref ? (as ?? own) : word;
          if (ref && key.at(-1) === kind) slots.at(-1)?.push(ref);
          else {
            key.push(kind);
            if (kind.startsWith('{')) slots.push(ref ? [ref] : []);
          }
        }
        const template = templates.get(key.join(' '));
        if (template && (as === undefined || MIXED[template.act] === as)) return { ...template, said: slots };
      }
    return undefined;
  }

  return {
    command(text, codesIn, codes) {
      const known = [...codesIn].sort((one, other) => other.length - one.length);
      const masked = known.reduce((all, code, at) => all.replaceAll(code, mask(at)), text);
      const plain = plainly(masked.replace(/#(?=\d)/g, ' zqnoqz ')).join(' ');
      const said = inPlaces(plain).replace(others, '{other}').split(' ');
      const found = find(said, known, codes);
      if (!found) return undefined;
      const refs = (...names: readonly string[]) =>
        found.said.flatMap((all, at) => (names.includes(found.slots[at] ?? '') ? all : []));
      if (found.act === 'list keep') return { do: 'keepOnly', which: refs('{kept}') };
      const named = refs('{old}', '{new}');
      if (found.act === 'list remove') return { do: 'remove', which: named };
      const fresh = named.flatMap((ref) => (isFresh(ref, codes) ? ref.code : []));
      if (fresh.length === 0) return undefined;
      const isHere = (ref: CodeRef) => 'code' in ref && codes.includes(ref.code);
      const old = named.filter((ref, at) => {
        const isFirst = named.findIndex((one) => sameRef(one, ref)) === at;
        return isFirst && (isHere(ref) || (!isFresh(ref, codes) && isThere(ref, codes)));
      });
      return { do: 'replace', old, codes: [...new Set(fresh)] };
    },
    adds: (text) => plainly(text).some((word) => adding.has(word)),
    places: (text) => [...inPlaces(fold(text)).matchAll(/#(-?\d{1,2})/g)].map(([, place]) => Number(place)),
  };
}

/** What a word names: a code, a place, or how a code ends. */
function refIn(word: string, known: readonly string[]): CodeRef | undefined {
  const code = known[Number(MASK.exec(word)?.[1])];
  if (code !== undefined) return { code };
  const place = /^#(-?\d+)$/.exec(word)?.[1];
  if (place !== undefined) return { place: Number(place) };
  return /^(?=.*\d)[\w.-]{3,}$/.test(word) ? { end: word } : undefined;
}

const sameRef = (one: CodeRef, other: CodeRef): boolean => Object.values(one)[0] === Object.values(other)[0];
const isFresh = (ref: CodeRef, codes: readonly string[]): ref is { readonly code: string } =>
  'code' in ref && !codes.includes(ref.code);

/** The one at a place that was said: from 1; -1 is the last. */
export const atPlace = <One>(all: readonly One[], place: number): One | undefined =>
  all.at(place > 0 ? place - 1 : place);

function isThere(ref: CodeRef, codes: readonly string[]): boolean {
  if ('place' in ref) return ref.place === 0 || atPlace(codes, ref.place) !== undefined;
  const end = 'code' in ref ? ref.code : ref.end;
  return codes.filter((code) => code.toUpperCase().endsWith(end.toUpperCase())).length === 1;
}

/** The folded text with the places that it names as `#2` (`#-1` the last one, `#0` all). */
function createPlaces(words: Words): (text: string) => string {
  const ordinals = foldedPairs(words.pairs('ordinals'));
  const counting = foldedPairs(words.pairs('counting'));
  const oneOf = (numbers: ReadonlyMap<string, string>) => `(\\d{1,2}|${anyOf(numbers.keys())})`;
  const joining = words.list('list joining').join('|');
  // "Mã 1 và 2": several behind one word.
  const several = `(\\d{1,2}(?: (?:(?:${joining}) )?\\d{1,2})*)`;
  const templates = [...words.pairs('list places'), ['zqnoqz {n}', 'n'] as const]
    .sort(([one], [other]) => other.length - one.length)
    .map(([phrase, place]) => {
      const count = place === 'n' ? several : oneOf(counting);
      const number: Readonly<Record<string, string>> = { '{n}': count, '{nth}': oneOf(ordinals) };
      const source = mapWords(phrase, (word) => number[word] ?? fold(word));
      return { pattern: new RegExp(`(?<![\\p{L}\\p{N}#-])${source}(?![\\p{L}\\p{N}])`, 'gu'), place };
    });
  const worth = (number = '') => Number(ordinals.get(number) ?? counting.get(number) ?? number);
  return (text) =>
    templates.reduce(
      (said, { pattern, place }) =>
        said.replace(pattern, (_, number?: string) => {
          if (place === 'first' || place === 'last') {
            const many = Math.min(worth(number), 9);
            return Array.from({ length: many }, (_, at) => `#${place === 'first' ? at + 1 : -at - 1}`).join(
              ' ',
            );
          }
          if (place !== 'n') return `#${place}`;
          return /^\d/.test(number ?? '') ? (number ?? '').replace(/\d+/g, '#$&') : `#${worth(number)}`;
        }),
      text,
    );
}

const foldedPairs = (pairs: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map([...pairs].map(([word, worth]) => [fold(word), worth]));

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
