import type { Lookup } from '../conversation/effect.ts';
import type { Operation } from '../conversation/state.ts';
import type { Conversation, OpenLetter, OpenOperation } from '../store/operators.ts';

/**
 * One thing that happened to an operation, or will. `at`: when, by the store's clock, ISO 8601; for what follows a
 * timetable, when that was due; null: that is not kept.
 */
export type Event = { readonly at: string | null; readonly what: What; readonly says: string };
export const EVENTS = ['intent', 'call', 'turn', 'told', 'lookup', 'settled'] as const;
type What = (typeof EVENTS)[number];

const at = (ms: number, what: What, says: string): Event => ({ at: new Date(ms).toISOString(), what, says });
const once = (what: What, says: string): Event => ({ at: null, what, says });

/** What is known of an operation from its intent, and from what its conversation keeps. */
export type Sources = {
  readonly operation: OpenOperation;
  readonly lookup: Lookup;
  /** Null: nothing is kept of it any more. */
  readonly conversation: Conversation | null;
  readonly letters: readonly OpenLetter[];
  /** `OPERATION_CHECKS`. */
  readonly checksMs: readonly number[];
};

/** An operation's life in order, from what is stored: nothing is guessed. */
export function storyOf(sources: Sources): readonly Event[] {
  const { operation, lookup, conversation, checksMs } = sources;
  const { reference, atMs } = operation;
  const kept = conversation?.state?.operations.find(({ id }) => id === reference);
  return [
    at(atMs, 'intent', 'The intent was stored: from here on the call may have been made, once.'),
    at(
      // `calledMs` is taken a moment before the intent is stored, and the call follows that.
      Math.max(atMs, lookup.calledMs ?? atMs),
      'call',
      `AntCRM was called, unless the process died before; the deadline was ${new Date(lookup.deadlineMs).toISOString()}.`,
    ),
    ...(kept ? afterwards(kept, lookup, sources, checksMs) : [unsaved(sources)]),
    ...decisions(reference, conversation),
  ];
}

/** The turn that called has not committed: nothing of the outcome is known to anybody but that process. */
function unsaved({ operation, conversation, letters }: Sources): Event {
  const letter = letters.find((one) => one.conversation === operation.conversation);
  if (letter) {
    return at(
      letter.atMs,
      'turn',
      `A turn of this conversation became the dead letter ${letter.id}: settle the operation before anything else.`,
    );
  }
  const until = conversation?.leasedUntilMs ?? null;
  return until === null
    ? once('turn', 'The outcome was not saved, and no process works on it now: the next turn looks it up.')
    : at(until, 'turn', 'The outcome is not saved yet: a process works on it, and has the lease until then.');
}

function afterwards(
  kept: Operation,
  { deadlineMs }: Lookup,
  { operation: { reference }, conversation }: Sources,
  checksMs: readonly number[],
): readonly Event[] {
  const waits = conversation?.outbox.some(
    (item) => item.kind === 'reply' && JSON.stringify(item.outgoing.reply).includes(reference),
  );
  const dueAt = (check: number): number => deadlineMs + (checksMs[check] ?? 0);
  const looks = checksMs.slice(0, kept.checks).map((_, check) => {
    return at(dueAt(check), 'lookup', `Looked up (${check + 1} of ${checksMs.length}).`);
  });
  const conclusion = CONCLUSIONS[kept.status];
  const goesOn = kept.status === 'checking' || kept.status === 'watching';
  return [
    at(kept.atMs, 'told', 'No answer came: the customer was told that it is being checked.'),
    ...looks,
    ...(conclusion === undefined ? [] : [once('told', conclusion)]),
    ...(waits ? [once('told', 'A reply about it is not delivered yet.')] : []),
    ...(goesOn && kept.checks < checksMs.length
      ? [at(dueAt(kept.checks), 'lookup', `The next lookup (${kept.checks + 1} of ${checksMs.length}).`)]
      : []),
  ];
}

/** What the customer has heard since, by how the operation stands; the others are not open. */
const CONCLUSIONS: Readonly<Partial<Record<Operation['status'], string>>> = {
  watching:
    'The customer was told that it was not applied; one more lookup makes sure that no record comes late.',
  escalated: 'The customer was told that staff look into it: it is yours.',
};

function decisions(reference: string, conversation: Conversation | null): readonly Event[] {
  return (conversation?.messages ?? []).flatMap(({ message }) =>
    message.kind === 'settle' && message.operation === reference
      ? [once('settled', `An operator decided: ${message.result}. No bot has taken that up yet.`)]
      : [],
  );
}
