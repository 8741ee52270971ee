import type { Expecting, Reading, SlotKind, TextCommand } from '../commands.ts';
import type { Meaning } from './acts.ts';
import type { Mechanism } from './mechanisms.ts';
import type { Acts } from './table.ts';
import { fieldIn, type SpokenFlow, type ValueReader, type Values } from './values.ts';
import type { GivenValues } from './values-given.ts';

/** A text, read: its values, its act, and the place where it came. */
export type Said = {
  readonly values: Values;
  readonly given: GivenValues;
  readonly meaning: Meaning;
  readonly expecting: Expecting;
  readonly reading: Reading;
  /** The live flow, and the one that the text would begin. */
  readonly flow: SpokenFlow | undefined;
  readonly starts: SpokenFlow | undefined;
  readonly giftFlow: SpokenFlow | undefined;
  /** A yes and nothing else, by the lists: points depend on it. */
  readonly isYes: boolean;
  readonly isNearlyYes: boolean;
  /** Without a code, a phone or an e-mail. */
  readonly isBare: boolean;
  readonly isQuestion: boolean;
  readonly isPlan: boolean;
  /** A clause that asks nothing names a gift: "the speaker please, and where do I collect it?" */
  readonly isGiftApart: boolean;
  readonly acts: Acts;
  readonly reader: ValueReader;
  /** Questions that have an answer. */
  isAnswered(id: string): boolean;
  readonly off: Mechanism | undefined;
};

/** "What do you need it for?" is about the value that is asked for. */
const WHY: Readonly<Partial<Record<SlotKind, string>>> = { phone: 'phone.why', email: 'email.why' };

/** A question as it is meant here: about the gift that is named, or the value that is asked for. */
export function toAsked(command: TextCommand, { expecting, values, given }: Said): TextCommand {
  if (command.do !== 'ask' || command.about !== 'answer') return command;
  const { kind, place } = expecting;
  const why = place === 'slot' && kind !== undefined ? WHY[kind] : undefined;
  const isWhy = Object.values(WHY).includes(command.id) && fieldIn(values, true) === undefined;
  const id = why !== undefined && isWhy ? why : command.id;
  // "Sai chỗ nào?" is asked about whatever was refused last.
  if (id === 'code.wrong' && fieldIn(values) !== 'code') return { do: 'ask', about: 'wrong' };
  const [named, ...others] = given.named;
  const gift =
    others.length === 0 ? (named ?? (id === 'gift.price' ? expecting.gift : undefined)) : undefined;
  return id.startsWith('gift.') && gift !== undefined ? { ...command, id, gift } : { ...command, id };
}
