import { type ListTalk, talkOfList } from '../language/listing.ts';
import { isOneTypo } from '../language/typo.ts';
import type { Understood, Utterance } from '../language/understand.ts';
import { codeMeant, isAlike } from '../language/values/slips.ts';
import type { Reply } from '../reply.ts';

/*
 * The codes that are to be confirmed together: which are kept, which may be slips, and what a text changes about them. A code
 * that was said is in the list, or it is told why not.
 */

/** So many codes are confirmed at once, at most. */
const MOST_CODES = 10;

type Codes = readonly string[];

/** The codes with more behind them, each once; says which are too many. */
export function withMore(codes: Codes, said: Codes): { readonly codes: Codes; readonly remark?: Reply } {
  const all = [...new Set([...codes, ...said])];
  const left = all.slice(MOST_CODES);
  if (left.length === 0) return { codes: all };
  const params = { most: MOST_CODES, codes: named(left) };
  return { codes: all.slice(0, MOST_CODES), remark: { key: 'codes.tooMany', params } };
}

/** As many as a message can name. */
const named = (codes: Codes): string =>
  codes.length > 20 ? `${codes.slice(0, 20).join(', ')}, …` : codes.join(', ');

/** The codes that are kept now, one a line. */
export function keptLine(codes: Codes): Reply {
  return {
    key: 'codes.kept',
    params: { count: codes.length, most: MOST_CODES },
    lines: codes.map((code, at) => ({
      key: 'summary.code',
      context: 'several',
      params: { code, at: at + 1 },
    })),
  };
}

/**
 * The first of some codes of a list that was probably meant otherwise: a known beginning says so, or it is the same as one
 * before it but for capitals and their like. Two such codes may be two or one that was typed twice; only the customer knows.
 */
export function doubtOf(
  codes: Codes,
  suspects: Codes,
  beginnings: readonly string[],
): { readonly typed: string; readonly value: string } | undefined {
  for (const [at, typed] of codes.entries()) {
    if (!suspects.includes(typed)) continue;
    const value = codeMeant(typed, beginnings) ?? codes.slice(0, at).find((one) => isAlike(one, typed));
    if (value !== undefined) return { typed, value };
  }
  return undefined;
}

/** One in the place of others, each once. */
export function instead(codes: Codes, old: Codes, said: Codes): Codes {
  const [first] = codes.filter((code) => old.includes(code));
  const all = codes.flatMap((code) => (code === first ? said : old.includes(code) ? [] : [code]));
  return [...new Set(all)];
}

/** What a text changes: the codes afterwards, those of them that are new, and what is told of it. */
export type Change = { readonly codes: Codes; readonly fresh: Codes; readonly told: readonly Reply[] };

/**
 * What a text changes about the codes, where it does more than to name others; undefined: nothing. `offered` is the code
 * that is just asked about.
 */
export function changeOf(
  codes: Codes,
  { text, understood }: Utterance,
  offered: string | undefined,
): Change | undefined {
  const { codes: said, intent, names } = understood;
  if (codes.length === 0) return undefined;
  const talk = talkOfList(text, said);
  const isDeclined = intent === 'decline' || intent === 'cancel' || intent === 'nevermind';
  const sorted = sort(codes, understood, talk, isDeclined);
  const { old, here, fresh } = sorted;
  const kept = [...old, ...here];
  if (talk.keeps && kept.length > 0 && fresh.length === 0) {
    const gone = talk.keepsOthers ? kept : kept.filter((code) => talk.away.includes(code));
    if (gone.length > 0) return without(codes, gone);
    // What is named to go takes no other along: "bỏ mã 2, tích mỗi mã kia".
    const goes = (talk.removes || talk.denies || isDeclined) && !talk.keepsNamed;
    return without(codes, goes ? kept : codes.filter((code) => !kept.includes(code)));
  }
  const isOfCodes = names === undefined || names === 'code';
  if (fresh.length > 0) {
    const isWrong = (talk.corrects || isDeclined) && !talk.adds;
    const isMeant = kept.length > 0 || isOfCodes;
    if (!(isMeant && (talk.replaces || isWrong)) && old.length === 0) return undefined;
    return corrected(codes, sorted, offered);
  }
  const speaksOfCodes = names === 'code' || kept.length > 0 || sorted.missing.length > 0;
  const removes = talk.removes || intent === 'remove' || isDeclined || old.length > 0;
  return removes && speaksOfCodes ? removed(codes, sorted, isDeclined && !talk.removes) : undefined;
}

type Sorted = {
  /** Codes of the list that are named as those to go. */
  readonly old: Codes;
  /** Codes of the list that are named. */
  readonly here: Codes;
  /** Codes that are not in the list. */
  readonly fresh: Codes;
  /** What is named as to go and is not in the list. */
  readonly missing: readonly string[];
  /** What is named as to go and may be several codes of the list. */
  readonly isUnclear: boolean;
};

/** Which codes a text means, by themselves, by their place or by how they end. */
function sort(codes: Codes, { codes: said, rest }: Understood, talk: ListTalk, isDeclined: boolean): Sorted {
  const { removes, replaces, denies, corrects, keeps } = talk;
  // "Mã 1 X, mã 2 Y" only counts.
  const places = removes || replaces || denies || corrects || keeps || isDeclined ? talk.places : [];
  const isHere = (code: string) => codes.includes(code);
  // "X và Y bỏ đi": the word stands behind what it takes away.
  const onlyRemoves = removes && !replaces && !corrects && !talk.adds;
  const away = talk.away.length === 0 && onlyRemoves && said.some(isHere) ? said : talk.away;
  const placed = places.map((place) =>
    place === 0 ? codes : [codes.at(place > 0 ? place - 1 : place) ?? []].flat(),
  );
  const outside = places.filter((place, at) => placed[at]?.length === 0 && place > 0).map(String);
  // "Bỏ mã 0302": digits that are no code, where something is taken away or replaced.
  const ends = removes || replaces ? rest.split(' ').filter((word) => /^(?=.*\d)[\w.-]{3,}$/.test(word)) : [];
  const meant = [...away, ...ends].map((name) => ({ name, found: endingIn(codes, name) }));
  const others = said.filter((code) => !away.includes(code));
  return {
    old: codes.filter(
      (code) =>
        placed.flat().includes(code) || meant.some(({ found }) => found.length === 1 && found[0] === code),
    ),
    here: others.filter(isHere),
    fresh: others.filter((code) => !isHere(code)),
    missing: [...outside, ...meant.flatMap(({ name, found }) => (found.length === 0 ? [name] : []))],
    isUnclear: meant.some(({ found }) => found.length > 1),
  };
}

function endingIn(codes: Codes, name: string): Codes {
  if (codes.includes(name)) return [name];
  return codes.filter((code) => code.toUpperCase().endsWith(name.toUpperCase()));
}

/** New codes take the place of those that were wrong; where nothing tells which these are, they stand beside them. */
function corrected(codes: Codes, { old, here, fresh }: Sorted, offered: string | undefined): Change {
  const wrong = [
    old,
    here,
    offered === undefined ? [] : [offered],
    codes.length === 1 ? codes : nearest(codes, fresh),
  ];
  const [gone = []] = wrong.filter((some) => some.length > 0);
  const more = gone.length === 0 ? withMore(codes, fresh) : withMore(instead(codes, gone, fresh), []);
  const remark = more.remark ? [more.remark] : [];
  const told: Reply =
    gone.length === 0
      ? { key: 'codes.beside', params: { code: named(fresh) } }
      : { key: 'codes.replaced', params: { from: named(gone), to: named(fresh) } };
  return { codes: more.codes, fresh, told: [...remark, told] };
}

/** The only code that nearly is the new one. */
function nearest(codes: Codes, [fresh = '']: Codes): Codes {
  const near = codes.filter((code) => isOneTypo(code, fresh) || isAlike(code, fresh));
  return near.length === 1 ? near : [];
}

function removed(
  codes: Codes,
  { old, here, missing, isUnclear }: Sorted,
  isDeclined: boolean,
): Change | undefined {
  const gone = old.length > 0 || missing.length > 0 ? old : here;
  const told: Reply[] =
    missing.length > 0 ? [{ key: 'codes.missing', params: { code: named(missing) } }] : [];
  if (isUnclear) return { codes, fresh: [], told: [...told, { key: 'codes.which' }] };
  if (gone.length > 0) {
    const change = without(codes, gone);
    return { ...change, told: [...change.told, ...told] };
  }
  if (told.length > 0) return { codes, fresh: [], told };
  // "Không" without a code that goes is an answer to something else.
  if (isDeclined) return undefined;
  return codes.length === 1 ? without(codes, codes) : { codes, fresh: [], told: [{ key: 'codes.which' }] };
}

/** The list without some of its codes. */
export function without(codes: Codes, gone: Codes): Change {
  const left = codes.filter((code) => !gone.includes(code));
  const told: Reply[] = gone.length > 0 ? [{ key: 'codes.removed', params: { code: named(gone) } }] : [];
  return { codes: left, fresh: [], told };
}

/** What was meant is typed instead of pressed. */
export function typedAfterAll(
  codes: Codes,
  { typed, value }: { readonly typed: string; readonly value: string },
  said: Codes,
): Change | undefined {
  if (!said.includes(value)) return undefined;
  const { codes: all, remark } = withMore(instead(codes, [typed], said), []);
  const told: Reply = { key: 'codes.replaced', params: { from: typed, to: value } };
  return { codes: all, fresh: said, told: remark ? [remark, told] : [told] };
}
