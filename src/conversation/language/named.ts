import { type NamedGift, type PhraseBook, VALUE, type Value, type Word } from './lists.ts';
import { fold, isAscii, speltWords } from './tokens.ts';
import { indexPhrases, type PhraseIndex, type PhraseMatch, phraseAt, type Vocabulary } from './vocabulary.ts';

/* Items of lists: gifts by their names, codes and buttons by their places. */

/** Lists of gifts do not change while a process runs: their names are prepared once. */
const prepared = new WeakMap<readonly NamedGift[], PhraseIndex<readonly NamedGift[]>>();

/** The gifts by their codes, their names, and the beginnings and ends of these: "nồi cơm", "speaker". */
function namesOf(gifts: readonly NamedGift[], book: PhraseBook): PhraseIndex<readonly NamedGift[]> {
  const known = prepared.get(gifts);
  if (known) return known;
  const whole = new Map<string, NamedGift[]>();
  const partial = new Map<string, NamedGift[]>();
  const add = (names: typeof whole, some: readonly string[], gift: NamedGift) => {
    for (const name of new Set(some)) names.set(name, [...(names.get(name) ?? []), gift]);
  };
  for (const gift of gifts) {
    const names = Object.values(gift.name).map((name) => book.plainly(name ?? ''));
    const ends = names.flatMap((words) =>
      words.flatMap((_, at) => [words.slice(0, at), words.slice(at + 1)]),
    );
    // "Số điện thoại" names no "nồi cơm điện".
    const isField = ([word = '', ...more]: readonly string[]) => more.length === 0 && book.fields.has(word);
    const sure = ends.filter((words) => words.length > 0 && !/\d/.test(words.join('')) && !isField(words));
    add(whole, [fold(gift.code), ...names.map((words) => words.join(' '))], gift);
    add(
      partial,
      sure.map((words) => words.join(' ')),
      gift,
    );
  }
  const byName = new Map([...partial, ...whole]);
  // A gift that is called "quà" is not what "đổi quà" names.
  const names = indexPhrases([...byName].filter(([name]) => !book.isPhrase(name)));
  prepared.set(gifts, names);
  return names;
}

/** The words of a text with names of gifts as values. The longest name counts: "loa kéo" is not "loa". */
export function findGifts(
  words: readonly Word[],
  gifts: readonly NamedGift[],
  book: PhraseBook,
): readonly Word[] {
  if (gifts.length === 0) return words;
  const index = namesOf(gifts, book);
  const texts = words.map(({ text, value }) => (value?.kind === 'code' ? fold(value.code) : text));
  const spelt = new Set(
    gifts.flatMap(({ name }) => Object.values(name).flatMap((wording) => speltWords(wording ?? ''))),
  );
  // "Nói" is no part of "nồi cơm".
  const isOther = ({ source: { text } }: Word) =>
    !isAscii(text) && !spelt.has(text.normalize('NFC').toLowerCase());
  return withValues(words, (at) => {
    const name = phraseAt(index, texts, at);
    const [word, ...more] = words.slice(at, name?.to);
    if (!name || (word && more.length === 0 && !word.value && isOther(word))) return undefined;
    return { value: { kind: 'gift', gifts: name.value }, to: name.to };
  });
}

/** The words, from left to right with the values that `valueAt` finds in their places. */
function withValues(
  words: readonly Word[],
  valueAt: (at: number) => PhraseMatch<Value> | undefined,
): readonly Word[] {
  const found: Word[] = [];
  for (let at = 0; at < words.length; ) {
    const word = words[at];
    if (!word) break;
    const match = word.value ? undefined : valueAt(at);
    found.push(match ? { text: VALUE, source: word.source, value: match.value } : word);
    at = match?.to ?? at + 1;
  }
  return found;
}

/** The words with places of a list as values: "mã thứ hai", "code 2", "mã 1 và 3". */
export function findPlaces(words: readonly Word[], vocabulary: Vocabulary): readonly Word[] {
  const spelt = vocabulary.pairs('ordinals');
  // "Bảy" is a number, "bây" is none.
  const texts = words.map(({ text, source: { text: typed } }) => {
    const isNumber = isAscii(typed) || spelt.has(typed.normalize('NFC').toLowerCase());
    return isNumber || !vocabulary.index('ordinals').has(text) ? text : VALUE;
  });
  const listAt = (list: string, at: number) => phraseAt(vocabulary.index(list), texts, at);
  const numberAt = (at: number): PhraseMatch<number> | undefined => {
    const digits = /^(\d{1,2})$/.exec(texts[at] ?? '')?.[1];
    return digits === undefined ? listAt('ordinals', at) : { value: Number(digits), to: at + 1 };
  };
  const isCount = (at: number) => (numberAt(at) ?? listAt('several', at)) !== undefined;
  const placeAt = (at: number): PhraseMatch<number> | undefined => {
    const place = listAt('places', at);
    // "2 mã đầu" are more than one: which ones is asked.
    if (place) return isCount(at - 1) || isCount(place.to) ? undefined : place;
    const from = listAt('before a place', at)?.to;
    return from === undefined ? undefined : numberAt(from);
  };
  let isMore = false;
  return withValues(words, (at) => {
    const place = placeAt(at) ?? (isMore ? numberAt(at) : undefined);
    isMore = place !== undefined || (isMore && listAt('codes join', at) !== undefined);
    return place && { value: { kind: 'place', place: place.value }, to: place.to };
  });
}
