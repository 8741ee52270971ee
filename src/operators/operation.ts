import { intentSchema, type Lookup } from '../conversation/effect.ts';
import { maskCode, maskEmail, maskPhone } from '../conversation/prompts.ts';
import type { OpenLetter, OpenOperation, Operators } from '../engine/operators.ts';
import { toSent } from '../loyalty/wire.ts';

/* What operators see of open operations and dead letters. All of it is stored: nothing is guessed. */

const iso = (ms: number): string => new Date(ms).toISOString();

/** What the call was and how to find it; null if the intent cannot be read. */
export function lookupOf({ intent }: OpenOperation): Lookup | null {
  return intentSchema.safeParse(intent?.body).data?.lookup ?? null;
}

/** Operations without an outcome, and dead letters. */
export type OpenWork = {
  readonly operations: readonly OpenOperation[];
  readonly letters: readonly OpenLetter[];
};

/** When checks end, and what time it is, epoch ms. */
export type Clock = {
  /** `OPERATION_CHECKS`. */
  readonly checksMs: readonly number[];
  nowMs(): number;
};

/** Nothing in a list needs to be masked. */
export function toList({ operations, letters }: OpenWork, clock: Clock) {
  return {
    operations: operations.map((operation) => summarize(operation, clock)),
    deadLetters: letters.map(({ id, conversation, atMs, reason, holds }) => {
      const message = holds === 'state' ? null : holds;
      const kind = holds === 'state' ? holds : (message?.message.kind ?? null);
      return { id, reason, holds: kind, at: iso(atMs), channel: message?.channel ?? null, conversation };
    }),
  };
}

/** `kind`: null if the intent cannot be read. `waitsFor`: `bot` until its last check is over. */
export function summarize(operation: OpenOperation, { checksMs, nowMs }: Clock) {
  const { reference, conversation, atMs, intent } = operation;
  const lookup = lookupOf(operation);
  const checkedUntilMs = (lookup?.deadlineMs ?? atMs) + (checksMs.at(-1) ?? 0);
  return {
    reference,
    kind: lookup?.kind ?? null,
    at: iso(atMs),
    waitsFor: nowMs() < checkedUntilMs ? 'bot' : 'staff',
    checkedUntil: iso(checkedUntilMs),
    channel: intent?.origin.channel ?? null,
    conversation,
  };
}

/** How staff find the operation in AntCRM. A gift's code is no secret; a product's code is worth points. */
export function describe(lookup: Lookup, reveal: boolean) {
  const { kind, by, code, locks, fromMs, calledMs, skew, baseline } = lookup;
  const full = toSent(by);
  const masked = by.kind === 'phone' ? maskPhone(by.value) : maskEmail(by.value);
  return {
    code: reveal || kind === 'redeem' ? code : maskCode(code),
    identifier: { kind: by.kind, value: reveal ? full : masked },
    customerId: locks.map((name) => /^customer:(.*)$/.exec(name)?.[1]).find(Boolean) ?? null,
    /** The operation's record succeeded, is not older by AntCRM's clock, and is not among `knownRecords`. */
    recordsFrom: iso(skew && calledMs !== undefined ? calledMs + skew.ms - skew.errorMs : fromMs),
    knownRecords: [...baseline],
  };
}

/** The customer to find: by their id on a channel, or by their phone (E.164). */
export type Whom =
  | { readonly channel: string; readonly id: string }
  | { readonly channel?: undefined; readonly phone: string };

/** What operators must know of a channel. */
export type KnownChannel = {
  readonly name: string;
  /** Other ids of the customer of an address. */
  knownAs?(address: unknown): readonly string[];
};

/**
 * Finds the open work of a customer's conversations. `conversation`: the customer's on that channel; null for
 * a phone.
 */
export async function findWork(
  whom: Whom,
  operators: Pick<Operators, 'operations' | 'letters' | 'conversation' | 'nameOf'>,
  channels: readonly KnownChannel[],
): Promise<OpenWork & { readonly conversation: string | null }> {
  const { operations, letters } = await readOpenWork(operators);
  const { channel } = whom;
  const conversation = channel === undefined ? null : operators.nameOf(channel, whom.id);
  const names = new Set([conversation]);
  const addIf = async (isTheirs: (work: OpenOperation | OpenLetter) => boolean | Promise<boolean>) => {
    for (const work of [...operations, ...letters]) if (await isTheirs(work)) names.add(work.conversation);
  };
  if (channel === undefined) await addIf((work) => hasPhone(work, whom.phone, operators));
  else {
    const { knownAs } = channels.find(({ name }) => name === channel) ?? {};
    await addIf((work) => {
      const origin = originOf(work);
      return origin?.channel === channel && knownAs?.(origin.address).includes(whom.id) === true;
    });
  }
  return {
    conversation,
    operations: operations.filter((operation) => names.has(operation.conversation)),
    letters: letters.filter((letter) => names.has(letter.conversation)),
  };
}

export async function readOpenWork(operators: Pick<Operators, 'operations' | 'letters'>): Promise<OpenWork> {
  return { operations: await operators.operations(), letters: await operators.letters() };
}

/** Whether the call carried the phone, or the conversation remembers it. */
async function hasPhone(
  work: OpenOperation | OpenLetter,
  phone: string,
  operators: Pick<Operators, 'conversation'>,
): Promise<boolean> {
  if ('reference' in work && lookupOf(work)?.by.value === phone) return true;
  const { profile, draft } = (await operators.conversation(work.conversation))?.state ?? {};
  return [profile?.phone, draft?.phone].some((known) => known?.value === phone);
}

function originOf(work: OpenOperation | OpenLetter) {
  if ('reference' in work) return work.intent?.origin;
  return work.holds === 'state' ? null : work.holds;
}
