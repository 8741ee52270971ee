import { type Gift, type Part, type PhraseBook, VALUE, type Word } from './phrases.ts';
import { fold } from './tokenizer.ts';
import { indexPhrases, type PhraseIndex, phraseAt } from './vocabulary.ts';

/*
 * Gifts as texts call them: by their codes, their names, or words of their names.
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
