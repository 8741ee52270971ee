import type { Command } from '../commands.ts';
import type { Scope } from '../flow.ts';
import { findGift } from '../prompts/gifts.ts';
import { balanceLines, codeLine, giftCodeLines, receiptLines } from '../prompts/receipts.ts';
import type { Line, Reply } from '../reply.ts';
import type { LastEvent, Operation, State } from '../state.ts';
import { personChoice, supportLines } from './handover.ts';
import { findOperations, toConfirmationId } from './operations.ts';
import { CONSENT_CHOICES } from './questions.ts';

/*
 * Questions about what happened last: "why?", "is it there?", "done?", "when?". One table says what answers
 * each.
 */

/** What a reply tells, by its key. A reply without a row tells nothing that questions are asked about. */
const EVENTS: ReadonlyMap<string, LastEvent> = new Map([
  ['accumulate.done', 'earned'],
  ['accumulate.partly', 'partly'],
  ['accumulate.refused', 'codeRefused'],
  ['redeem.done', 'redeemed'],
  ['redeem.refused', 'giftRefused'],
  ['redeem.tooFewPoints', 'tooFewPoints'],
  ['operation.checking', 'checking'],
  ['operation.busy', 'checking'],
  ['operation.resolved.notApplied', 'notApplied'],
  ['operation.escalated', 'escalated'],
  ['service.unavailable', 'unavailable'],
  ['abuse.tooManyAttempts', 'tooManyAttempts'],
  ['history.page', 'page'],
  ['person.offer', 'offer'],
  ['person.says', 'person'],
  ['person.back', 'person'],
]);

/** What the replies of a decision tell; undefined: nothing. */
export function findEvent(replies: readonly Reply[]): LastEvent | undefined {
  let last: LastEvent | undefined;
  for (const reply of replies) last = toEvent(reply) ?? last;
  return last;
}

function toEvent({ key, params = {}, lines = [] }: Reply): LastEvent | undefined {
  if (key === 'operation.resolved.done') return isOf('redeem', params) ? 'redeemed' : 'earned';
  const hasFailedRow = key === 'history.page' && lines.some(({ context }) => context === 'failed');
  return hasFailedRow ? 'failedRow' : EVENTS.get(key);
}

const isOf = (kind: Operation['kind'], { what }: NonNullable<Reply['params']>): boolean =>
  typeof what === 'object' && 'key' in what && what.key === `operation.kind.${kind}`;

type FollowUp = 'why' | 'done' | 'there' | 'taken' | 'pickUp' | 'wait' | 'undo';

/** The questions of the language files that may be about what happened last. */
const QUESTIONS: ReadonlyMap<string, FollowUp> = new Map([
  ['points.when', 'there'],
  ['points.missing', 'there'],
  ['history.failed', 'taken'],
  ['operation.when', 'wait'],
  ['wait.when', 'wait'],
  ['gift.where', 'pickUp'],
  ['gift.delivery', 'pickUp'],
  ['undo', 'undo'],
]);

function toFollowUp(command: Command): FollowUp | undefined {
  if (command.do === 'status') return command.reference === undefined ? 'done' : undefined;
  if (command.do !== 'ask') return undefined;
  if (command.about === 'what' || command.about === 'wrong') return 'why';
  return command.about === 'answer' ? QUESTIONS.get(command.id) : undefined;
}

/**
 * A message key. An `answer.…` is a usual question's, which the operator may have worded. How an operation
 * stands ("done?"), `showStatus` tells.
 */
type Answers = Readonly<Partial<Record<FollowUp, string>>>;

const UNCHANGED = 'last.unchanged';
const CHECKING: Answers = {
  why: 'last.checking.why',
  there: 'last.checking',
  taken: 'last.checking.taken',
  pickUp: 'last.checking',
  wait: 'last.checking.wait',
  undo: 'last.checking.undo',
};

type Subject = LastEvent | 'summary' | 'asking';

const TABLE: Readonly<Record<Subject, Answers>> = {
  earned: { why: 'last.earned', there: 'last.earned', wait: 'last.earned' },
  redeemed: {
    why: 'last.redeemed',
    there: 'last.redeemed',
    wait: 'last.redeemed',
  },
  partly: { why: 'last.partly', there: 'last.partly', wait: 'last.partly' },
  codeRefused: {
    why: 'answer.code.wrong',
    there: 'last.codeRefused',
    wait: 'last.again',
    undo: UNCHANGED,
  },
  giftRefused: {
    why: 'answer.gift.refused',
    there: 'last.giftRefused',
    pickUp: 'last.giftRefused',
    wait: 'last.again',
    undo: UNCHANGED,
  },
  tooFewPoints: {
    why: 'last.tooFewPoints',
    done: 'last.tooFewPoints',
    there: 'last.tooFewPoints',
    pickUp: 'last.tooFewPoints',
    wait: 'last.tooFewPoints',
    undo: UNCHANGED,
  },
  checking: CHECKING,
  escalated: {
    why: 'last.escalated',
    there: 'last.escalated',
    taken: 'last.escalated',
    pickUp: 'last.escalated',
    wait: 'last.escalated',
    undo: 'last.checking.undo',
  },
  notApplied: {
    why: 'last.notApplied',
    there: 'last.notApplied',
    taken: 'last.notApplied',
    pickUp: 'last.notApplied',
    wait: 'last.again',
    undo: UNCHANGED,
  },
  unavailable: {
    why: 'last.unavailable',
    done: 'last.unavailable',
    there: 'last.unavailable',
    wait: 'last.unavailable',
    undo: UNCHANGED,
  },
  tooManyAttempts: {
    why: 'last.tooManyAttempts',
    done: 'last.tooManyAttempts',
    there: 'last.tooManyAttempts',
    undo: UNCHANGED,
  },
  page: { why: 'last.page', done: 'last.page', there: 'last.page' },
  failedRow: {
    why: 'last.failedRow',
    done: 'last.failedRow',
    there: 'last.failedRow',
    wait: 'last.failedRow',
  },
  offer: { why: 'last.offer', done: 'last.offer', there: 'last.offer', wait: 'last.offer' },
  person: {
    why: 'last.person',
    done: 'last.person',
    there: 'last.person',
    pickUp: 'last.person',
    wait: 'last.person',
  },
  summary: {
    done: 'last.summary',
    there: 'last.summary',
    wait: 'last.summary',
    undo: 'last.summary.undo',
  },
  asking: { done: 'last.asking', undo: UNCHANGED },
};

const MINUTE_MS = 60_000;

/** Events of an operation that the answer lists. */
const LISTED: readonly LastEvent[] = ['earned', 'redeemed', 'partly', 'checking', 'escalated'];
/** Answers that only a person can complete. */
const FOR_PERSON: readonly string[] = [
  'last.failedRow',
  'last.person',
  'last.offer',
  'last.escalated',
  'last.checking.undo',
];

/** The answer to a question about the last event: a key with its lines. Undefined: a general answer. */
export function findFollowUp(command: Command, state: State, scope: Scope): Reply | undefined {
  const followUp = toFollowUp(command);
  const subject = followUp && findSubject(followUp, state);
  const key = subject && TABLE[subject][followUp];
  // The operator knows better where gifts are handed over.
  const isWorded =
    followUp === 'pickUp' && command.do === 'ask' && 'id' in command && scope.answers.has(command.id);
  if (key === undefined || isWorded) return undefined;
  const several = subject === 'redeemed' && followUp !== 'pickUp' ? findSeveral(state, scope) : [];
  if (several.length > 0) return listSeveral(several, scope);
  const isListed = LISTED.some((event) => event === subject) && followUp !== 'undo';
  const lines = isListed ? describeOperations(state, scope) : [];
  // "What?" may be about the question that came after the receipt, too.
  const asksConsent = followUp === 'why' && state.consentQuestion?.open?.isLast === true;
  const needsPerson = FOR_PERSON.includes(key);
  return {
    key,
    params: toParams(key, state, scope),
    lines: needsPerson ? [...lines, ...supportLines(scope)] : [...lines, ...(asksConsent ? [CONSENT] : [])],
    ...(needsPerson && { choices: [...personChoice(scope)] }),
    ...(asksConsent && { choices: CONSENT_CHOICES }),
  };
}

/** A check under way, the summary or question that waits, or what was just told. */
function findSubject(followUp: FollowUp, { step, lastEvent, operations }: State): Subject | undefined {
  const isOpen = step.at === 'asking' || step.at === 'confirming';
  const status = operations.at(-1)?.status;
  const isUnknown = status === 'checking' || status === 'escalated';
  // "Why?" is about the question that waits.
  if (isUnknown && !(isOpen && followUp === 'why')) return status;
  // An earlier operation may be meant: that nothing was changed is then false.
  if (isOpen && followUp === 'undo' && operations.some((operation) => operation.status === 'done'))
    return undefined;
  if (step.at === 'confirming') return 'summary';
  return lastEvent ?? (step.at === 'asking' ? 'asking' : undefined);
}

/** Lines for a complaint right after several redemptions: it may be about one too many. */
export const describeSeveral = (state: State, scope: Scope): readonly Line[] =>
  state.lastEvent === 'redeemed' ? toRows(findSeveral(state, scope), scope) : [];

const toRows = (redemptions: readonly Operation[], scope: Scope): readonly Line[] =>
  redemptions.map(({ id: reference, atMs: at, gift = '' }) => {
    const what = findGift(gift, scope)?.name ?? gift;
    return { key: 'last.several.row', params: { at, what, reference } };
  });

function listSeveral(redemptions: readonly Operation[], scope: Scope): Reply {
  const lines = [...toRows(redemptions, scope), ...supportLines(scope)];
  const params = { count: redemptions.length };
  return { key: 'last.several', params, lines, choices: [...personChoice(scope)] };
}

const RECENT_MS = 30 * MINUTE_MS;

/** Redemptions of the last half hour, if there are several: the customer may count one too many. */
function findSeveral({ operations }: State, { nowMs }: Scope): readonly Operation[] {
  const recent = operations.filter(
    ({ status, gift, atMs }) => status === 'done' && gift !== undefined && nowMs - atMs < RECENT_MS,
  );
  return recent.length > 1 ? recent : [];
}

function describeOperations(state: State, scope: Scope): Line[] {
  const last = findOperations(state);
  const [operation] = last;
  if (!operation) return [];
  const reference = toConfirmationId(operation.id);
  return [
    ...(last.length > 1 ? last.map(codeLine) : receiptLines(operation, scope)),
    ...balanceLines(last.findLast(({ status }) => status === 'done')),
    { key: 'receipt.reference', params: { reference } },
    ...(last.length > 1 ? [] : giftCodeLines(operation, scope)),
  ];
}

/** Explains the consent question. */
const CONSENT: Line = { key: 'answer.consent.what', context: 'also' };

/** How long the customer waits for the result of a check at most. */
export const describeWait = (state: State, scope: Scope): Line => {
  const key = 'last.checking.wait';
  return { key, params: toParams(key, state, scope) };
};

function toParams(key: string, { operations }: State, { settings, nowMs }: Scope): Line['params'] {
  if (key !== 'last.checking.wait') return undefined;
  // The second-last check tells "not applied". Other results come before.
  const delayMs = settings.operationChecksMs.at(-2) ?? 0;
  const lookup = operations.findLast(({ status }) => status === 'checking')?.lookup;
  const leftMs = (lookup?.deadlineMs ?? nowMs) + delayMs - nowMs;
  return { minutes: Math.max(1, Math.ceil(leftMs / MINUTE_MS)) };
}
