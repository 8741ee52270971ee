import { z } from 'zod';
import { intentSchema, type Lookup } from '../conversation/effect.ts';
import type { Message } from '../conversation/message.ts';
import { maskCode, maskEmail, maskPhone } from '../conversation/prompts.ts';
import type { Operation } from '../conversation/state.ts';
import type { OpenLetter, OpenOperation, Operators, StoredConversation } from '../engine/operators.ts';
import { toNational } from '../loyalty/wire.ts';
import type { Encryption, Key, RecordStore } from '../store/port.ts';

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
  const full = by.kind === 'phone' ? toNational(by.value) : by.value;
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

/** `at`: for lookups, when they were due; null: the time is not stored. */
export type StoryEvent = {
  readonly at: string | null;
  readonly what: 'intent' | 'call' | 'turn' | 'told' | 'lookup' | 'settled';
  readonly says: string;
};

type Sources = {
  readonly operation: OpenOperation;
  readonly lookup: Lookup;
  /** Null: nothing of it is stored any more. */
  readonly conversation: StoredConversation | null;
  readonly letters: readonly OpenLetter[];
  /** Null: no operator has decided within the last 48 h. */
  readonly decision: OperatorDecision | null;
  readonly checksMs: readonly number[];
};

/** Returns what happened to an operation, in order. */
export function tellStory(sources: Sources): StoryEvent[] {
  const { operation, lookup, conversation, decision } = sources;
  const { reference, atMs } = operation;
  const saved = conversation?.state?.operations.find(({ id }) => id === reference);
  const decisions = (conversation?.messages ?? []).flatMap(({ message }) =>
    message.kind === 'settle' && message.operation === reference ? [message.result] : [],
  );
  // `calledMs` is read shortly before the intent is stored, and the call follows that.
  const calledMs = Math.max(atMs, lookup.calledMs ?? atMs);
  const deadline = iso(lookup.deadlineMs);
  return [
    toEvent('intent', atMs, 'The intent was stored: from here on the call may have been made, once.'),
    toEvent('call', calledMs, `AntCRM was called, unless the process died before. Deadline: ${deadline}.`),
    ...(saved ? tellChecks(saved, sources) : [tellUnsaved(sources)]),
    ...decisions.map((result): StoryEvent => {
      const { at = null, by = null } = decision?.settled ?? {};
      const says = `${by ?? 'An operator'} decided: ${result}. No bot has taken that up yet.`;
      return { at, what: 'settled', says };
    }),
  ];
}

const toEvent = (what: StoryEvent['what'], ms: number | null, says: string): StoryEvent => {
  return { at: ms === null ? null : iso(ms), what, says };
};

/** The turn that made the call has not committed, so only its process can know the outcome. */
function tellUnsaved({ operation, conversation, letters }: Sources): StoryEvent {
  const letter = letters.find((one) => one.conversation === operation.conversation);
  if (letter) {
    const says = `A turn became the dead letter ${letter.id}: settle the operation before anything else.`;
    return toEvent('turn', letter.atMs, says);
  }
  const untilMs = conversation?.leasedUntilMs ?? null;
  const says =
    untilMs === null
      ? 'The outcome was not saved, and no process works on it now: the next turn looks it up.'
      : 'The outcome is not saved yet: a process works on it, and has the lease until then.';
  return toEvent('turn', untilMs, says);
}

/** How the checks ended for the customer; operations of other statuses are not open. */
const CONCLUSIONS: Readonly<Partial<Record<Operation['status'], string>>> = {
  watching: 'The customer was told that it was not applied; one more lookup makes sure of it.',
  escalated: 'The customer was told that staff look into it: it is yours.',
};

function tellChecks(saved: Operation, { lookup, checksMs }: Sources): StoryEvent[] {
  const { checks, status, unread } = saved;
  const dueMs = (check: number): number => lookup.deadlineMs + (checksMs[check] ?? checksMs.at(-1) ?? 0);
  const numberOf = (check: number): string => `${check + 1} of ${Math.max(checks + 1, checksMs.length)}`;
  const conclusion = CONCLUSIONS[status];
  const goesOn = status === 'checking' || status === 'watching';
  return [
    toEvent('told', saved.atMs, 'No answer came: the customer was told that it is being checked.'),
    ...checksMs.slice(0, checks).map((_, check) => {
      const result = unread?.includes(check) ? 'Not looked up: the history could not be read' : 'Looked up';
      return toEvent('lookup', dueMs(check), `${result} (${numberOf(check)}).`);
    }),
    ...(conclusion === undefined ? [] : [toEvent('told', null, conclusion)]),
    ...(goesOn ? [toEvent('lookup', dueMs(checks), `The next lookup (${numberOf(checks)}).`)] : []),
  ];
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

/** Finds a customer's open work. `conversation`: the customer's on that channel; null for a phone. */
export async function findWork(
  whom: Whom,
  operators: Pick<Operators, 'operations' | 'letters' | 'conversation' | 'nameOf'>,
  channels: readonly KnownChannel[],
): Promise<OpenWork & { readonly conversation: string | null }> {
  const open = { operations: await operators.operations(), letters: await operators.letters() };
  if (whom.channel === undefined) {
    return { conversation: null, ...(await findByPhone(whom.phone, open, operators)) };
  }
  const { channel, id } = whom;
  const conversation = operators.nameOf(channel, id);
  const { knownAs } = channels.find(({ name }) => name === channel) ?? {};
  const isTheirs = (from: { readonly channel: string; readonly address: unknown } | null | undefined) =>
    from?.channel === channel && knownAs?.(from.address).includes(id) === true;
  const theirs = [
    ...open.operations.filter(({ intent }) => isTheirs(intent?.origin)),
    ...open.letters.filter(({ holds }) => holds !== 'state' && isTheirs(holds)),
  ];
  const names = new Set([conversation, ...theirs.map((work) => work.conversation)]);
  return {
    conversation,
    operations: open.operations.filter((operation) => names.has(operation.conversation)),
    letters: open.letters.filter((letter) => names.has(letter.conversation)),
  };
}

/** Finds them by the phone in the call, in the message, or in the conversation's state. */
async function findByPhone(
  phone: string,
  { operations, letters }: OpenWork,
  operators: Pick<Operators, 'conversation'>,
): Promise<OpenWork> {
  const knowing = new Set<string>();
  for (const name of new Set([...operations, ...letters].map(({ conversation }) => conversation))) {
    const { profile, draft } = (await operators.conversation(name))?.state ?? {};
    if ([profile?.phone, draft?.phone].some((known) => known?.value === phone)) knowing.add(name);
  }
  return {
    operations: operations.filter((operation) => {
      const by = lookupOf(operation)?.by;
      return by?.kind === 'phone' ? by.value === phone : knowing.has(operation.conversation);
    }),
    letters: letters.filter(({ holds, conversation }) => {
      const message = holds === 'state' ? undefined : holds?.message;
      return knowing.has(conversation) || (message && containsPhone(message, phone));
    }),
  };
}

/** Digits in a message may be spaced in any way. `phone` is E.164. */
const containsPhone = (message: Message, phone: string): boolean =>
  (JSON.stringify(message).match(/\d[\d ().-]*/g) ?? []).some((digits) =>
    digits.replace(/\D/g, '').includes(phone.replace(/^\+(84)?/, '')),
  );

/** How long the store remembers who settled an operation. The intent itself is removed earlier. */
const KEPT_MS = 48 * 60 * 60 * 1000;

/** What is left of a settled operation. `by`: null without a name. */
const decisionSchema = z.object({
  reference: z.string(),
  kind: z.enum(['accumulate', 'redeem']).nullable(),
  conversation: z.string(),
  settled: z.object({
    at: z.iso.datetime(),
    result: z.enum(['done', 'not-applied']),
    by: z.string().nullable(),
  }),
});
export type OperatorDecision = z.infer<typeof decisionSchema>;

export type Decisions = ReturnType<typeof createDecisions>;

/** What operators decided, by the operation's reference. Both functions reject with `StoreUnavailable`. */
export function createDecisions(
  records: Pick<RecordStore, 'read' | 'compareAndSwap'>,
  encryption: Pick<Encryption, 'seal' | 'open'>,
) {
  const keyOf = (reference: string): Key => `settled:${reference}`;
  return {
    /** Null: no operator decided within the last 48 h. */
    async find(reference: string): Promise<OperatorDecision | null> {
      const key = keyOf(reference);
      const { bytes } = await records.read(key);
      return bytes && decisionSchema.parse(JSON.parse(encryption.open(key, bytes).toString()));
    },
    /** The first decision counts: a further one changes nothing. */
    async keep(decision: OperatorDecision): Promise<void> {
      const key = keyOf(decision.reference);
      const bytes = encryption.seal(key, Buffer.from(JSON.stringify(decision)));
      await records.compareAndSwap(key, { expected: null, bytes, ttlMs: KEPT_MS, indexes: [] });
    },
  };
}
