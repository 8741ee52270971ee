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
  /** "Chỉ lấy mã kia": what is not named stays. */
  readonly keepsOthers: boolean;
  /** Whether what is kept stands right behind its word: "chỉ lấy X", "chỉ lấy mã 2". */
  readonly keepsNamed: boolean;
  /** The places that it names, from 1 on; -1 is the last one, 0 stands for all. */
  readonly places: readonly number[];
  /** The codes right after a word that takes them away or denies them: X of "không phải X, là Y". */
  readonly away: readonly string[];
};

type Phrases = 'removing' | 'denying' | 'replacing' | 'correcting' | 'adding' | 'keeping';

/** The phrases as they are spelt, or without marks: "đợi" is no "đổi", while "doi" may be either. */
const anyIn = (
  of: Phrases | 'between' | 'joining' | 'others',
  spelling: (phrase: string) => string,
): string => `(?:${GRAMMARS.flatMap(({ listing }) => listing[of].split(/,\s*/).map(spelling)).join('|')})`;

const patternsOf = (spelling: (phrase: string) => string) => {
  const anyOf = (of: Phrases) => new RegExp(`(?<!\\p{L})${anyIn(of, spelling)}(?!\\p{L})`, 'u');
  const between = `(?: ${anyIn('between', spelling)})*`;
  const code = `${between} zq\\d+qz`;
  const joined = ` ${anyIn('joining', spelling)}${code}`;
  const removing = anyIn('removing', spelling);
  // "Chỉ bỏ X" and "bỏ chỉ X" keep nothing.
  const keeping = `(?<!\\p{L})(?<!${removing} )${anyIn('keeping', spelling)}(?!\\p{L})(?! ${removing})`;
  // "Bỏ X Y" takes both away, "không phải X, Y" the first.
  const away = `(?<!\\p{L})(?:${removing}(${code}(?:${joined}|${code})*)|${anyIn('denying', spelling)}(${code}(?:${joined})*))`;
  return {
    removing: anyOf('removing'),
    denying: anyOf('denying'),
    replacing: anyOf('replacing'),
    correcting: anyOf('correcting'),
    adding: anyOf('adding'),
    keeping: new RegExp(keeping, 'u'),
    keepingOthers: new RegExp(`${keeping}${between} ${anyIn('others', spelling)}(?!\\p{L})`, 'u'),
    keepingNamed: new RegExp(`${keeping}${code}`, 'u'),
    keepingPlaces: new RegExp(`${keeping}${between} #`, 'u'),
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
  const counted = inPlaces(masked);
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
    keepsOthers: patterns.keepingOthers.test(said),
    keepsNamed: patterns.keepingNamed.test(said) || FOLDED.keepingPlaces.test(counted),
    places: [...counted.matchAll(/#(-?\d{1,2})/g)].map(([, place]) => Number(place)),
    away: taken,
  };
}

/** The text, folded, with the places that it names as `#2`. */
function inPlaces(text: string): string {
  const typed = fold(text.replace(/#(?=\d)/g, ' number '));
  return GRAMMARS.reduce((said, grammar: Grammar) => grammar.listing.inPlaces(said), typed);
}
