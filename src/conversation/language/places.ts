import { VALUE, type Word } from './phrases.ts';
import { isAscii } from './tokenizer.ts';
import { type Found, indexPhrases, phraseAt, type Vocabulary } from './vocabulary.ts';

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
