import type { Gift } from '../context.ts';
import type { Scope } from '../flow.ts';
import { fold } from '../language/fold.ts';
import { GRAMMARS, phrasesIn } from '../language/grammars.ts';
import type { Utterance } from '../language/understand.ts';
import { readQuantity, withoutNames, withoutQuantity } from '../language/values/quantity.ts';

/*
 * Which gifts of the operator's list a text speaks of, and how many of one.
 */

/** What a text asks for: one gift (without a list any code, for AntCRM decides), or several of which one is to be picked. */
export function giftIn(
  utterance: Utterance,
  scope: Scope,
): { readonly code?: string | undefined; readonly among?: string[] | undefined } {
  const [gift, ...others] = giftsNamed(utterance, scope);
  if (gift === undefined) return scope.settings.gifts.length === 0 ? { code: utterance.understood.code } : {};
  return others.length === 0 ? { code: gift.code } : { among: [gift, ...others].map(({ code }) => code) };
}

/**
 * The gifts that a text names: by their codes, their names (of two with the same name, by the price) or the labels of
 * their buttons, or else by words of their names; marks do not matter.
 */
export function giftsNamed({ text, understood }: Utterance, { settings: { gifts } }: Scope): readonly Gift[] {
  // "loa@gmail.com" names nothing.
  const { found } = withoutNames(text.replace(/\S*@\S*/g, ' '), gifts.flatMap(namesOf));
  const isFound = (name: string) => found.includes(fold(name));
  const coded = gifts.filter(({ code }) => isFound(code));
  if (coded.length > 0) return coded;
  const named = gifts.filter((gift) => namesOf(gift).some(isFound));
  const priced = named.length < 2 ? [] : named.filter(({ score }) => saysNumber(text, score));
  if (priced.length === 1 || named.length > 0) return priced.length === 1 ? priced : named;
  return understood.rest === '' ? [] : gifts.filter((gift) => isOf(gift, fold(understood.rest).split(' ')));
}

function saysNumber(text: string, number: number): boolean {
  const plain = text.replace(/(\d)[.,](?=\d{3}(?!\d))/g, '$1');
  return new RegExp(`(?<!\\d)${number}(?!\\d)`).test(plain);
}

/** Polite words, which ask for nothing and deny nothing. */
const PARTICLES = new Set(
  phrasesIn(({ particles, several }) => `${particles}, ${several.beside}`).flatMap((phrase) =>
    phrase.split(' '),
  ),
);

/** Whether a text says nothing but what gifts are called and how many are meant: "2 loa nhé". */
export function isNothingButGifts({ text }: Utterance, { settings: { gifts } }: Scope): boolean {
  const { words, found } = withoutNames(text, gifts.flatMap(namesOf));
  return found.length > 0 && withoutQuantity(words).every((word) => PARTICLES.has(word));
}

/** Whether a wish is about these gifts and nothing else: "đổi loa", not "đổi loa bị hỏng". */
export function speakOf(gifts: readonly Gift[], { understood: { rest } }: Utterance): boolean {
  const names = gifts.flatMap(namesOf);
  const words = withoutQuantity(withoutNames(rest, names).words);
  return words.every((word) => names.some((name) => name.split(' ').includes(word)));
}

/** Whether all these words are in the gift's names. */
function isOf(gift: Gift, words: readonly string[]): boolean {
  const own = namesOf(gift).flatMap((name) => name.split(' '));
  return words.every((word) => own.includes(word));
}

/** How many gifts a text asks for, where it says so. */
export function giftsWanted({ text }: Utterance, { settings }: Scope): number | undefined {
  return readQuantity(text, settings.gifts.flatMap(namesOf));
}

const ENDINGS = GRAMMARS.map(({ several }) => several.ending);

/** What a gift is called, folded: its code, its names, and what several of it are called. */
function namesOf({ code, name }: Gift): string[] {
  const names = Object.values(name).map(fold);
  return [...new Set([fold(code), ...ENDINGS.flatMap((ending) => names.map((one) => one + ending))])];
}
