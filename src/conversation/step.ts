import { takeRead } from './dialogue/advance.ts';
import { checkDue, concludeCall, giveUp, nextCheckMs, settle, takeCheck } from './dialogue/calls.ts';
import { noteSaid } from './dialogue/edits.ts';
import { findEvent } from './dialogue/follow-ups.ts';
import { noteGifts } from './dialogue/gift-notes.ts';
import { handleTicketTime, nextTicketMs, takeStaffWord } from './dialogue/handover.ts';
import { onMessage, onPictures } from './dialogue/inputs.ts';
import { isInterrupted } from './dialogue/operations.ts';
import { dropOldUnclear, unclearUntilMs } from './dialogue/privacy.ts';
import { takeCodeSent, takeCodeTried } from './dialogue/proofs.ts';
import { goHome } from './dialogue/questions.ts';
import type { Outcome } from './effect.ts';
import type { Scope } from './flow.ts';
import type { Message, PhotoEffect } from './message.ts';
import type { ProofOutcome } from './proof.ts';
import { type Decision, type Reply, say, sayFirst } from './reply.ts';
import { findTakenTicket, IDLE_MS, type State } from './state.ts';

const GROUP_EVERY_MS = 60 * 60_000;

/** The reason of a step. `failed`: the turn failed for good. */
export type Input =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'outcome'; readonly outcome: Outcome | PhotoEffect | ProofOutcome }
  | { readonly kind: 'wake' }
  | { readonly kind: 'failed' };

/**
 * The whole conversation as one pure function. Never throws, whatever the message. Property tests hold that
 * only a press with the current operation id, and a proved identifier, redeem.
 */
export function step(state: State, input: Input, scope: Scope): Decision {
  const decided = noteGifts(state, decide(state, input, scope), scope);
  const message = input.kind === 'message' ? input.message : undefined;
  const noted = noteSaid(state, noteLastSaid(state, decided), { message, nowMs: scope.nowMs });
  const decision = addressReplies(noted);
  return decision.effect ? decision : { ...decision, wakeAtMs: nextWakeMs(decision.state, scope) };
}

function addressReplies(decision: Decision): Decision {
  const { address } = decision.state;
  if (address === undefined || decision.replies.length === 0) return decision;
  return { ...decision, replies: decision.replies.map((reply) => ({ ...reply, address })) };
}

/** Notes what a typed yes answers, and what questions are about. */
function noteLastSaid(before: State, decision: Decision): Decision {
  const reply = decision.replies.at(-1);
  if (reply === undefined || reply.quiet) return decision;
  const state = noteEvent(before, { ...decision, state: noteConsent(decision.state, reply) });
  return noteSummary(before, { ...decision, state });
}

/** A new question takes the place of what happened before it. */
function noteEvent({ view }: State, { state, replies }: Decision): State {
  const event = findEvent(replies);
  const { step, lastEvent, ...others } = state;
  if (event) return { ...state, lastEvent: event };
  const isAsked = step.at === 'asking' || step.at === 'confirming';
  return lastEvent && isAsked && state.view !== view ? { ...others, step } : state;
}

/** Words answer the consent question only if the last reply has its buttons. */
function noteConsent(state: State, { choices = [] }: Reply): State {
  const { consentQuestion } = state;
  if (!consentQuestion?.open?.isLast) return state;
  if (choices.some(({ id }) => id === 'consent:accept')) return state;
  const { isLast: _, ...open } = consentQuestion.open;
  return { ...state, consentQuestion: { ...consentQuestion, open } };
}

function noteSummary({ view }: State, decision: Decision): Decision {
  const { state, replies } = decision;
  const reply = replies.at(-1);
  const isButtonHint = replies[0]?.key === 'confirm.press';
  if (state.step.at !== 'confirming' || reply === undefined || isButtonHint) return decision;
  const { isLast: _, ...step } = state.step;
  const isNewSummary =
    reply.key === `${step.flow}.summary` && reply.view === state.view && view !== state.view;
  return { ...decision, state: { ...state, step: { ...step, ...(isNewSummary && { isLast: true }) } } };
}

function nextWakeMs(state: State, scope: Scope): number | null {
  const checkMs = nextCheckMs(state, scope);
  const atMs = Math.min(checkMs, nextTicketMs(state), unclearUntilMs(state), lapseAtMs(state));
  return Number.isFinite(atMs) ? atMs : null;
}

function decide(state: State, input: Input, scope: Scope): Decision {
  switch (input.kind) {
    case 'message':
      return onCustomerOrStaff(state, input.message, scope);
    case 'outcome':
      return onOutcome(state, input.outcome, scope);
    case 'wake': {
      const left = lapse(dropOldUnclear(state, scope), scope.nowMs);
      return handleTicketTime(left, scope) ?? checkDue(left, scope);
    }
    case 'failed':
      return giveUp(state, scope);
  }
}

function onCustomerOrStaff(stored: State, message: Message, scope: Scope): Decision {
  if (message.kind === 'settle') return settle(stored, message, scope);
  if (message.kind === 'group') return pointAway(stored, scope);
  if (message.kind === 'person') return takeStaffWord(stored, message, scope);
  const { state, notices } = noteArrival(stored, scope);
  if (findTakenTicket(state)) return onMessage(state, message, scope);
  if (notices.length > 0 && message.kind === 'choice')
    return goHome(state, scope, { key: 'conversation.expired' });
  return sayFirst(notices, onMessage(state, message, scope));
}

/** A group gets only this reply, once an hour, because platforms limit messages to groups. */
function pointAway(stored: State, { nowMs }: Scope): Decision {
  if (nowMs - stored.lastMessageMs < GROUP_EVERY_MS) return say(stored);
  return say({ ...stored, lastMessageMs: nowMs }, { key: 'group.private' });
}

/** Notes when the customer wrote. `notices`: the reply that a flow ended by silence, if one did. */
function noteArrival(stored: State, scope: Scope): { state: State; notices: Reply[] } {
  const { nowMs, filedMs = nowMs, sender } = scope;
  // A confirmed operation goes on, however long a crash delayed it.
  const atMs = isInterrupted(stored, scope) ? stored.lastMessageMs : Math.min(nowMs, filedMs);
  const { step, ...rest } = lapse(stored, atMs);
  const isUnfinished = step.at === 'idle' && step.unfinished === true;
  return {
    state: {
      ...rest,
      step: isUnfinished ? { at: 'idle' } : step,
      lastMessageMs: nowMs,
      ...(sender.locale && { clientLocale: sender.locale }),
    },
    notices: isUnfinished ? [{ key: 'conversation.expired' }] : [],
  };
}

function onOutcome(state: State, outcome: Outcome | PhotoEffect | ProofOutcome, scope: Scope): Decision {
  switch (outcome.kind) {
    case 'photo':
      return onPictures(state, outcome.photo, scope);
    case 'codeSent':
      return takeCodeSent(state, outcome, scope);
    case 'codeTried':
      return takeCodeTried(state, outcome, scope);
    case 'checked':
      return takeCheck(state, outcome, scope);
    case 'history':
    case 'balance':
    case 'sums':
      return takeRead(state, outcome, scope);
    case 'unavailable':
      return outcome.operation === undefined
        ? takeRead(state, outcome, scope)
        : concludeCall(state, outcome, scope);
    default:
      return concludeCall(state, outcome, scope);
  }
}

/*
 * After `IDLE_MS` of silence, a wake-up ends the flow and erases its values. The reply to the next message
 * says so.
 */

/** What silence erases in addition to the draft. */
const TEMPORARY = ['offered', 'notUnderstood', 'recentMedia', 'before', 'piece', 'parked', 'said'] as const;

/** When the flow must end, epoch ms; infinite: there is nothing to erase. */
function lapseAtMs(state: State): number {
  const { draft, step, consentQuestion, lastMessageMs } = state;
  const isAsked = step.at === 'browsing' || (step.at === 'asking' && step.offer !== undefined);
  const isGathering = isAsked || Object.keys(draft).length > 0 || consentQuestion?.open !== undefined;
  const isKept = isGathering || TEMPORARY.some((field) => state[field] !== undefined);
  return isKept ? lastMessageMs + IDLE_MS + 1 : Number.POSITIVE_INFINITY;
}

/** Ends the flow if the customer had been silent for `IDLE_MS`. */
function lapse(state: State, atMs: number): State {
  if (atMs - state.lastMessageMs <= IDLE_MS) return state;
  const { view: _, lastEvent: __, step, consentQuestion, ...rest } = state;
  const isUnfinished =
    step.at === 'idle' ? step.unfinished : step.at === 'asking' || step.at === 'confirming';
  const kept: State = {
    ...rest,
    ...(consentQuestion && { consentQuestion: { version: consentQuestion.version } }),
    draft: {},
    step: { at: 'idle', ...(isUnfinished && { unfinished: true }) },
  };
  for (const field of TEMPORARY) delete kept[field];
  return kept;
}
