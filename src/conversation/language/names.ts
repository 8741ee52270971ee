import { type Gift, type Part, type PhraseBook, VALUE, type Word } from './phrases.ts';
import { fold, isAscii } from './tokenizer.ts';
import { type Found, indexPhrases, type PhraseIndex, phraseAt, type Vocabulary } from './vocabulary.ts';

/*
 * What texts call the items of lists: gifts by their names, codes and buttons by their places.
 */

type Names = {
  readonly index: PhraseIndex<readonly Gift[]>;
  readonly words: ReadonlyMap<Gift, ReadonlySet<string>>;
};

/** Lists of gifts do not change while a process runs: their names are prepared once. */
const prepared = new WeakMap<readonly Gift[], Names>();

function namesOf(gifts: readonly Gift[], book: PhraseBook): Names {
  const known = prepared.get(gifts);
  if (known) return known;
  const endings = ['', ...book.vocabulary.list('name endings')];
  const byName = new Map<string, Gift[]>();
  const words = new Map<Gift, ReadonlySet<string>>();
  for (const gift of gifts) {
    const plain = Object.values(gift.name).map((name) => book.plainly(name).join(' '));
    const all = [fold(gift.code), ...endings.flatMap((ending) => plain.map((name) => name + ending))];
    for (const name of new Set(all)) byName.set(name, [...(byName.get(name) ?? []), gift]);
    words.set(gift, new Set(all.flatMap((name) => name.split(' '))));
  }
  // A gift that is called "quà" is not what "đổi quà" names.
  const names = { index: indexPhrases([...byName].filter(([name]) => !book.isPhrase(name))), words };
  prepared.set(gifts, names);
  return names;
}

/** The words of a text with the names of gifts as values; the longest name counts: "loa kéo" is not "loa". */
export function findGifts(words: readonly Word[], gifts: readonly Gift[], book: PhraseBook): readonly Word[] {
  if (gifts.length === 0) return words;
  const { index } = namesOf(gifts, book);
  const texts = words.map(({ text, value }) => (value?.kind === 'code' ? fold(value.code) : text));
  const found: Word[] = [];
  for (let at = 0; at < words.length; ) {
    const name = phraseAt(index, texts, at);
    const word = words[at];
    if (!word) break;
    const isCode = word.value?.kind === 'code';
    found.push(
      name && !isCode
        ? { text: VALUE, source: word.source, value: { kind: 'gift', gifts: name.value } }
        : word,
    );
    at = name?.to ?? at + 1;
  }
  return found;
}

/** The gifts of which all unexplained words of a text are names: "áp suất" of "Nồi áp suất". */
export function giftsCalled(
  parts: readonly Part[],
  gifts: readonly Gift[],
  book: PhraseBook,
): readonly Gift[] {
  if (gifts.length === 0) return gifts;
  const codes = parts.flatMap(({ value }) => (value?.kind === 'code' ? value.code.toLowerCase() : []));
  if (codes.length > 0) return gifts.filter(({ code }) => codes.includes(code.toLowerCase()));
  const left = parts.flatMap(({ phrase, value, words }) =>
    phrase || value ? [] : words.map(({ text }) => text),
  );
  if (left.length === 0) return [];
  const { words } = namesOf(gifts, book);
  return gifts.filter((gift) => left.every((word) => words.get(gift)?.has(word)));
}

/** Makes values of the words that name a place of a list: "mã thứ hai", "code 2", "#2", "mã 1 và 3", "the last one". */
export type Places = (words: readonly Word[]) => readonly Word[];

export function createPlaces(vocabulary: Vocabulary): Places {
  const worth = (list: string) =>
    [...vocabulary.pairs(list)].flatMap(([phrase, place]) =>
      vocabulary.foldings(phrase).map((text) => [text, Number(place)] as const),
    );
  const flags = (list: string) => indexPhrases(vocabulary.list(list).map((text) => [text, true] as const));
  const [named, ordinals] = [indexPhrases(worth('places')), indexPhrases(worth('ordinals'))];
  const [before, joins] = [flags('before a place'), flags('codes join')];
  const many = flags('several');
  const spelt = new Set(vocabulary.pairs('ordinals').keys());

  return (words) => {
    // "Bảy" is a number, "bây" is none.
    const texts = words.map(({ text, source: { text: typed } }) => {
      const isOther =
        !isAscii(typed) && ordinals.has(text) && !spelt.has(typed.normalize('NFC').toLowerCase());
      return isOther ? VALUE : text;
    });
    const numberAt = (at: number): Found<number> | undefined => {
      const digits = /^(\d{1,2})$/.exec(texts[at] ?? '')?.[1];
      return digits === undefined ? phraseAt(ordinals, texts, at) : { value: Number(digits), to: at + 1 };
    };
    const isCount = (at: number) => (numberAt(at) ?? phraseAt(many, texts, at)) !== undefined;
    const placeAt = (at: number): Found<number> | undefined => {
      const numbered = /^#(\d{1,2})$/.exec(texts[at] ?? '')?.[1];
      if (numbered) return { value: Number(numbered), to: at + 1 };
      const place = phraseAt(named, texts, at);
      // "2 mã đầu" are more than one: which ones is asked.
      if (place) return isCount(at - 1) || isCount(place.to) ? undefined : place;
      const from = phraseAt(before, texts, at)?.to;
      return from === undefined ? undefined : numberAt(from);
    };
    const found: Word[] = [];
    let isMore = false;
    for (let at = 0; at < words.length; ) {
      const word = words[at];
      if (!word) break;
      const place: Found<number> | undefined = word.value
        ? undefined
        : (placeAt(at) ?? (isMore ? numberAt(at) : undefined));
      found.push(
        place ? { text: VALUE, source: word.source, value: { kind: 'place', place: place.value } } : word,
      );
      isMore = place !== undefined || (isMore && phraseAt(joins, texts, at) !== undefined);
      at = place?.to ?? at + 1;
    }
    return found;
  };
}
