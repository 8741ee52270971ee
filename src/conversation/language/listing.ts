import { fold } from './fold.ts';
import type { Grammar } from './grammar.ts';
import { GRAMMARS } from './grammars.ts';

/** What a text says of a list of codes, beside the codes that it names. */
export type ListTalk = {
  /** "Bỏ": what is named goes. */
  readonly removes: boolean;
  /** "Không lấy": what is named is not wanted. */
  readonly denies: boolean;
  /** "Thay", "sửa": what is new comes in the place of what was there. */
  readonly replaces: boolean;
  /** "… sai", "… mới đúng": what was there was wrong. */
  readonly corrects: boolean;
  /** "Thêm": what is new comes beside what is there. */
  readonly adds: boolean;
  /** "Chỉ lấy": nothing but what is named stays. */
  readonly keeps: boolean;
  /** The places that it names, from 1 on; -1 is the last one, 0 stands for all. */
  readonly places: readonly number[];
  /** The codes right after a word that takes them away or denies them: X of "không phải X, là Y". */
  readonly away: readonly string[];
};

type Phrases = 'removing' | 'denying' | 'replacing' | 'correcting' | 'adding' | 'keeping';

/** The phrases as they are spelt, or without marks: "đợi" is no "đổi", while "doi" may be either. */
const anyIn = (of: Phrases | 'between' | 'joining', spelling: (phrase: string) => string): string =>
  `(?:${GRAMMARS.flatMap(({ listing }) => listing[of].split(/,\s*/).map(spelling)).join('|')})`;

const patternsOf = (spelling: (phrase: string) => string) => {
  const anyOf = (of: Phrases) => new RegExp(`(?<!\\p{L})${anyIn(of, spelling)}(?!\\p{L})`, 'u');
  const code = `(?: ${anyIn('between', spelling)})* zq\\d+qz`;
  const joined = ` ${anyIn('joining', spelling)}${code}`;
  // "Bỏ X Y" takes both away, "không phải X, Y" the first.
  const away = `(?<!\\p{L})(?:${anyIn('removing', spelling)}(${code}(?:${joined}|${code})*)|${anyIn('denying', spelling)}(${code}(?:${joined})*))`;
  return {
    removing: anyOf('removing'),
    denying: anyOf('denying'),
    replacing: anyOf('replacing'),
    correcting: anyOf('correcting'),
    adding: anyOf('adding'),
    keeping: anyOf('keeping'),
    away: new RegExp(away, 'gu'),
  };
};
const SPELT = patternsOf((phrase) => phrase.normalize('NFC').trim());
const FOLDED = patternsOf(fold);

/** Reads what a text says of a list; `codes` are those that it names. */
export function talkOfList(text: string, codes: readonly string[]): ListTalk {
  // Codes are words of their own here, whatever letters they have; the longest first, since one may begin another.
  const named = [...codes].sort((a, b) => b.length - a.length);
  const masked = named.reduce((masks, code, at) => masks.replaceAll(code, ` zq${at}qz `), text);
  const isMarked = /[^\0-\x7f]/.test(masked);
  const said = isMarked
    ? masked
        .normalize('NFC')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}]+/gu, ' ')
    : fold(masked);
  const { away, ...patterns } = isMarked ? SPELT : FOLDED;
  const taken = [...said.matchAll(away)].flatMap(([run]) =>
    [...run.matchAll(/zq(\d+)qz/g)].flatMap(([, at]) => named[Number(at)] ?? []),
  );
  return {
    removes: patterns.removing.test(said),
    denies: patterns.denying.test(said),
    replaces: patterns.replacing.test(said),
    corrects: patterns.correcting.test(said),
    adds: patterns.adding.test(said),
    keeps: patterns.keeping.test(said),
    places: placesIn(masked),
    away: taken,
  };
}

function placesIn(text: string): number[] {
  const typed = fold(text.replace(/#(?=\d)/g, ' number '));
  const counted = GRAMMARS.reduce((said, grammar: Grammar) => grammar.listing.inPlaces(said), typed);
  return [...counted.matchAll(/#(-?\d{1,2})/g)].map(([, place]) => Number(place));
}
