import { parsePhone } from '../conversation/language/values/phone.ts';
import type { Message } from '../conversation/message.ts';
import type { ConversationState } from '../conversation/state.ts';
import type { OpenLetter, OpenOperation, Operators } from '../store/operators.ts';
import { lookupOf } from './operation.ts';

/** The customer that an operator looks for: by the id that they write under on a channel, or by their phone (E.164). */
export type Sought =
  | { readonly channel: string; readonly id: string }
  | { readonly channel?: undefined; readonly phone: string };

/** What operators must know of a channel. */
export type KnownChannel = {
  readonly name: string;
  /** Other ids of the customer of an address. */
  knownAs?(address: unknown): readonly string[];
};

/** `conversation`: how the one that was named is called in stores and logs; null where a phone was. */
export type Found = {
  readonly conversation: string | null;
  readonly operations: readonly OpenOperation[];
  readonly letters: readonly OpenLetter[];
};

/** Searches open operations and dead letters, and nothing else. Rejects with `StoreUnavailable`. */
export async function find(
  sought: Sought,
  operators: Operators,
  channels: readonly KnownChannel[],
): Promise<Found> {
  const [operations, letters] = [await operators.operations(), await operators.letters()];
  if (sought.channel !== undefined) return ofCustomer(sought, operators, channels, { operations, letters });
  const { phone } = sought;
  const remembering = await conversationsWith(phone, operators, [...operations, ...letters]);
  return {
    conversation: null,
    operations: operations.filter((one) => {
      const by = lookupOf(one)?.by;
      return by?.kind === 'phone' ? by.value === phone : remembering.has(one.conversation);
    }),
    letters: letters.filter(
      ({ holds, conversation }) =>
        remembering.has(conversation) ||
        (holds !== null && holds !== 'state' && phonesIn(holds.message).includes(phone)),
    ),
  };
}

type Listed = Pick<Found, 'operations' | 'letters'>;

function ofCustomer(
  { channel, id }: Extract<Sought, { id: string }>,
  operators: Pick<Operators, 'nameOf'>,
  channels: readonly KnownChannel[],
  { operations, letters }: Listed,
): Found {
  const { knownAs } = channels.find(({ name }) => name === channel) ?? {};
  const conversation = operators.nameOf(channel, id);
  const isTheirs = (at: { readonly channel: string; readonly address: unknown } | null): boolean =>
    at?.channel === channel && knownAs?.(at.address).includes(id) === true;
  const names = new Set([
    conversation,
    ...operations.filter(({ intent }) => isTheirs(intent?.origin ?? null)).map((one) => one.conversation),
    ...letters
      .filter(({ holds }) => isTheirs(holds === 'state' ? null : holds))
      .map((one) => one.conversation),
  ]);
  return {
    conversation,
    operations: operations.filter((one) => names.has(one.conversation)),
    letters: letters.filter((one) => names.has(one.conversation)),
  };
}

/** The conversations whose state knows their customer by that phone. */
async function conversationsWith(
  phone: string,
  operators: Pick<Operators, 'conversation'>,
  listed: readonly { readonly conversation: string }[],
): Promise<ReadonlySet<string>> {
  const names = [...new Set(listed.map(({ conversation }) => conversation))];
  const knows = await Promise.all(
    names.map(async (name) => isKnown(phone, (await operators.conversation(name))?.state ?? null)),
  );
  return new Set(names.filter((_, at) => knows[at]));
}

function isKnown(phone: string, state: ConversationState | null): boolean {
  return state !== null && [state.profile.phone, state.draft.phone].some((known) => known?.value === phone);
}

const NUMBER = /\+?\d[\d\s.()-]{6,20}\d/g;

/** Phones that a message names, E.164. */
function phonesIn(message: Message): readonly string[] {
  const written = (): readonly (string | undefined)[] => {
    switch (message.kind) {
      case 'contact':
      case 'form':
        return [message.phone];
      case 'text':
        return message.text.match(NUMBER) ?? [];
      default:
        return [];
    }
  };
  return written().flatMap((text) => {
    const read = text === undefined ? undefined : parsePhone(text);
    return read?.ok ? [read.value] : [];
  });
}
