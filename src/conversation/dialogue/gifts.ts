import type { Gift } from '../context.ts';
import type { Scope } from '../flow.ts';
import { fold } from '../language/fold.ts';
import type { Utterance } from '../language/understand.ts';
import { readQuantity, withoutQuantity } from '../language/values/quantity.ts';

/*
 * Which gift of the operator's list a text speaks of, and how many of it.
 */

/** The code of the gift that a text asks for; where no list of gifts is known, any code: AntCRM decides. */
export function giftIn(utterance: Utterance, scope: Scope): string | undefined {
  const { gifts } = scope.settings;
  const { code } = utterance.understood;
  const isGift = gifts.length === 0 || gifts.some((gift) => gift.code === code);
  return giftNamed(utterance, scope) ?? (isGift ? code : undefined);
}

/**
 * The code of the gift that a text names, by code, name or the label of its button, or by words of its name that no
 * other gift has; marks do not matter.
 */
export function giftNamed(
  { text, understood: { rest } }: Utterance,
  { settings }: Scope,
): string | undefined {
  // "loa@gmail.com" names nothing.
  const words = ` ${fold(text.replace(/\S*@\S*/g, ' '))} `;
  const gift = settings.gifts.find((one) => namesOf(one).some((name) => words.includes(` ${name} `)));
  if (gift) return gift.code;
  const [only, ...others] = rest === '' ? [] : settings.gifts.filter((one) => isOf(one, rest));
  return others.length === 0 ? only?.code : undefined;
}

/** Whether a text says nothing but what this gift is called, and how many of it are meant. */
export function speaksOf(gift: Gift, text: string): boolean {
  return isOf(gift, text) || isOf(gift, withoutQuantity(text));
}

/** Whether all these words are in the gift's names. */
function isOf(gift: Gift, text: string): boolean {
  const words = namesOf(gift).flatMap((name) => name.split(' '));
  return fold(text)
    .split(' ')
    .every((word) => word === '' || words.includes(word));
}

/** How many gifts a text asks for, where it says so and it is not one. */
export function giftsWanted({ text }: Utterance, { settings }: Scope): number | undefined {
  return readQuantity(text, settings.gifts.flatMap(namesOf));
}

function namesOf({ code, name }: Gift): string[] {
  return [code, ...Object.values(name)].map(fold);
}
