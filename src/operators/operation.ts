import type { Lookup } from '../conversation/effect.ts';
import { maskCode, maskEmail, maskPhone } from '../conversation/prompts/format.ts';
import { isKeptReply, type OpenLetter, type OpenOperation, type Operators } from '../engine/operators.ts';
import { toSent } from '../loyalty/wire.ts';

/* What operators see of open operations and dead letters. */

/** What is open. */
export type Work = OpenOperation | OpenLetter;
type Find = Pick<Operators, 'conversation'>;

const iso = (ms: number): string => new Date(ms).toISOString();

/** A dead letter in a list. Nothing in lists needs to be masked. */
export function toLetterView({ id, conversation, atMs, reason, holds }: OpenLetter) {
  const isReply = isKeptReply(holds);
  const message = holds === 'state' || isReply ? null : holds;
  const kind = isReply ? 'reply' : holds === 'state' ? holds : (message?.message.kind ?? null);
  const channel = (isReply ? holds.kept : message)?.channel ?? null;
  return { id, reason, holds: kind, at: iso(atMs), channel, conversation };
}

/** What a dead letter's message or reply says, unmasked; undefined: it holds none, or cannot be read. */
export function toLetterContent({ holds }: OpenLetter) {
  if (holds === null || holds === 'state') return undefined;
  if (isKeptReply(holds)) {
    const { key, context, params, lines } = holds.kept.reply;
    return { reply: { key, context, params, lines } };
  }
  const { message } = holds;
  // Where a file is, the platform's own address says: it would show our token, or let anybody fetch it.
  const media = 'media' in message ? message.media?.map(({ at: _, ...shown }) => shown) : undefined;
  if (message.kind !== 'photo') {
    const { kind: _, ...content } = message;
    return media ? { ...content, media } : content;
  }
  const { caption, pictures } = message;
  const codes = pictures.flatMap((picture) => (picture.kind === 'read' ? picture.texts : []));
  return { caption, pictures: pictures.length, codes };
}

/** An operation in a list. `kind`: null if the intent cannot be read; `lost`: it can only be closed. */
export function toOperationView(operation: OpenOperation, checksMs: readonly number[]) {
  const { reference, conversation, atMs, intent, isLost, status } = operation;
  const { kind = null, deadlineMs = atMs } = intent?.body.lookup ?? {};
  const checkedUntilMs = deadlineMs + (checksMs.at(-1) ?? 0);
  const isChecked = !isLost && status !== 'escalated' && Date.now() < checkedUntilMs;
  return {
    reference,
    kind,
    at: iso(atMs),
    waitsFor: isChecked ? 'bot' : 'staff',
    checkedUntil: iso(checkedUntilMs),
    channel: intent?.origin.channel ?? null,
    conversation,
    ...(isLost && { lost: true }),
  };
}

/** How staff find the operation in AntCRM. Only a product's code is worth points. */
export function describe(lookup: Lookup, reveal: boolean) {
  const { kind, by, code, locks, fromMs, calledMs, skew, baseline } = lookup;
  const masked = by.kind === 'phone' ? maskPhone(by.value) : maskEmail(by.value);
  return {
    code: reveal || kind === 'redeem' ? code : maskCode(code),
    identifier: { kind: by.kind, value: reveal ? toSent(by) : masked },
    customerId: locks.map((name) => /^customer:(.*)$/.exec(name)?.[1]).find(Boolean) ?? null,
    /** The operation's record succeeded, is not older by AntCRM's clock, and is not among `knownRecords`. */
    recordsFrom: iso(skew && calledMs !== undefined ? calledMs + skew.ms - skew.errorMs : fromMs),
    knownRecords: [...baseline],
  };
}

/** A customer's id on a channel; on the channel `phone` their phone (E.164). */
export type Whom = { readonly channel: string; readonly id: string };

/** What operators must know of a channel. */
export type KnownChannel = {
  readonly name: string;
  /** Other ids of the customer of an address. */
  knownAs?(address: unknown): readonly string[];
};

/** The names of the customer's conversations, among those of `works`. */
export async function findConversations(
  { channel, id }: Whom,
  works: readonly Work[],
  { operators, channels }: { operators: Find; channels: readonly KnownChannel[] },
): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const { knownAs } = channels.find(({ name }) => name === channel) ?? {};
  for (const work of works) {
    const origin = originOf(work);
    const isKnown = origin?.channel === channel && knownAs?.(origin.address).includes(id);
    if (isKnown || (channel === 'phone' && (await hasPhone(work, id, operators))))
      names.add(work.conversation);
  }
  return names;
}

/** Whether the call is about the customer with that phone, or the conversation remembers it. */
async function hasPhone(work: Work, phone: string, operators: Find): Promise<boolean> {
  const { by, locks = [] } = 'reference' in work ? (work.intent?.body.lookup ?? {}) : {};
  if (by?.value === phone || locks.includes(`phone:${phone}`)) return true;
  const { profile, draft } = (await operators.conversation(work.conversation))?.state ?? {};
  return [profile?.phone, draft?.phone].some((known) => known?.value === phone);
}

function originOf(work: Work) {
  if ('reference' in work) return work.intent?.origin;
  if (work.holds === 'state') return null;
  return isKeptReply(work.holds) ? work.holds.kept : work.holds;
}
