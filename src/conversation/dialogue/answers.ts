import type { Field, SlotKind } from '../commands.ts';
import { confirmsIn, type Flow } from '../flow.ts';
import { KINDS, slotCalled } from '../kinds.ts';
import { typed } from '../prompts/identity.ts';
import type { Decision } from '../reply.ts';
import { type Draft, type Offer, type State, type Step, spokenOver } from '../state.ts';
import { ask, edit, plainly } from './advance.ts';
import { begin as call } from './calls.ts';
import { decideCode } from './codes.ts';
import { answer, cancel, explain, notUnderstood } from './digressions.ts';
import { isInterrupted } from './operations.ts';
import { answerConsent } from './privacy.ts';
import { again, pointAt } from './questions.ts';
import {
  advanceBy,
  answerBeside,
  digress,
  flowOf,
  type Reduced,
  setSlots,
  type Turn,
  type TurnScope,
  withoutOffer,
} from './turn.ts';

/*
 * Answers to the live question that bring no value: yes, no, there is none, another one, an end.
 */

export function sayYes(turn: Turn, scope: TurnScope): Reduced {
  const { state } = turn;
  const { step } = state;
  // A yes that was written before the offer was shown agrees to nothing.
  if (scope.found.offered && scope.current) return { ...turn, next: { go: 'person' } };
  switch (step.at) {
    case 'asking':
      return step.offer ? decideDoubt(turn, 'use', scope) : plainly(state, step, scope);
    case 'confirming':
      return confirmByWord(state, step, scope);
    case 'consenting':
      return scope.current ? answerConsent(state, true, scope) : again(state, scope);
    case 'browsing':
    case 'idle':
      return turn;
  }
}

/**
 * Typed words spend nothing: that takes the button, which carries the operation's one-time id. They add points where they
 * answer a summary that was posed and followed by nothing, or come again after a crash that cut the calls off: then
 * something was called. Where the customer was asked whether to cancel, a yes does that.
 */
function confirmByWord(state: State, step: Extract<Step, { at: 'confirming' }>, scope: TurnScope): Decision {
  const flow = scope.flows.get(step.flow);
  if (!flow) return again(state, scope);
  const answers = scope.current ? step.last : undefined;
  const isMeant = answers === 'summary' || isInterrupted(state, scope);
  if (confirmsIn(flow)?.byWord && isMeant) return call(state, scope);
  if (answers === 'edit') return cancel(state, scope);
  // A yes that was written before the summary came is asked for once more.
  return pointAt(step.last === 'summary' ? state : spokenOver(state), flow, scope);
}

/** `isWrong`: the text says that something is wrong, and not what. */
export function sayNo(turn: Turn, isWrong: boolean, scope: TurnScope): Reduced {
  const { step } = turn.state;
  if (step.at === 'idle' || step.at === 'browsing') return answerBeside(turn, { key: 'later' });
  if (step.at !== 'asking') return declineSlot(turn, undefined, scope);
  if (step.offer) return decideDoubt(turn, keepsTyped(step.offer) ? 'keep' : 'other', scope);
  return isWrong ? plainly(turn.state, step, scope) : declineSlot(turn, undefined, scope);
}

/** Whether a no to what is offered keeps what was written. */
const keepsTyped = ({ why, typed: written }: Offer): boolean =>
  written !== undefined && (why === 'typo' || why === 'code');

/** The value that is asked about is taken over, kept as it was typed, or asked for anew. */
export function decideDoubt(turn: Turn, choice: 'use' | 'keep' | 'other', scope: TurnScope): Reduced {
  const { step } = turn.state;
  const flow = flowOf(turn, scope);
  if (step.at !== 'asking' || !step.offer || !flow) return turn;
  const { why, meant, typed: written } = step.offer;
  if (why === 'code') return decideCode(turn, flow, choice, scope);
  const decided = { ...turn, state: withoutOffer(turn.state) };
  const slot = why === 'typo' ? 'email' : 'phone';
  const taken = choice === 'use' ? meant : choice === 'keep' && slot === 'email' ? written : undefined;
  if (taken === undefined) return (step.editing ? edit : ask)(decided.state, flow, step.slot, scope);
  // A shared number is as good as proved under its new form.
  const isShared = slot === 'phone' && written !== undefined;
  const known = isShared ? { value: taken, proved: true } : typed(taken, scope);
  return setSlots(decided, { [slot]: known }, scope);
}

/** Asks for a value again: at the summary, or of what was said before. */
export function changeSlot(turn: Turn, field: Field | undefined, scope: TurnScope): Reduced {
  const { state } = turn;
  const { step, draft } = state;
  const flow = flowOf(turn, scope);
  if (!flow) return notUnderstood(turn, scope);
  if (step.at === 'asking' && step.offer && field === undefined) return decideDoubt(turn, 'other', scope);
  const slot = field && slotCalled(flow, field);
  if (slot === 'codes' && (draft.codes ?? []).length > 1)
    return again(state, scope, { key: 'codes.which', context: 'edit' });
  if (step.at === 'confirming') {
    const slots = editableSlots(flow, draft);
    const named = slot ? slots.find((kind) => kind === slot) : slots[0];
    return named && (slot || slots.length === 1)
      ? edit(state, flow, named, scope)
      : again(state, scope, { key: 'confirm.edit' });
  }
  if (step.at === 'asking' && (slot === undefined || slot === step.slot)) return plainly(state, step, scope);
  return slot && draft[KINDS[slot].slot] != null ? edit(state, flow, slot, scope) : turn;
}

/** The slots that the summary of a flow lets customers change. */
function editableSlots(flow: Flow, draft: Draft): readonly SlotKind[] {
  const edits = confirmsIn(flow)?.edits(draft) ?? [];
  return flow.slots.filter((slot) => edits.some(({ id }) => id === `edit:${KINDS[slot].field}`));
}

/** There is none: of the field that is named, or of what is asked. */
export function declineSlot(turn: Turn, field: Field | undefined, scope: TurnScope): Reduced {
  const { state } = turn;
  const { step, draft } = state;
  const flow = flowOf(turn, scope);
  if (field === 'email' && flow?.slots.includes('email')) return setSlots(turn, { email: null }, scope);
  if (step.at === 'consenting') return answerConsent(state, false, scope);
  if (step.at === 'confirming') return again(state, scope, { key: 'confirm.edit' });
  if (step.at !== 'asking' || !flow) return notUnderstood(turn, scope);
  if (step.offer && step.slot !== 'email') return decideDoubt(turn, 'other', scope);
  switch (KINDS[step.slot].no) {
    case 'none':
      return setSlots({ ...turn, state: withoutOffer(state) }, { email: null }, scope);
    case 'back':
      return KINDS[step.slot].isMissing(draft, flow) ? cancel(state, scope) : advanceBy(turn, flow);
    case 'explain':
      return answerBeside(turn, explain(state, scope).reply);
  }
}

const JUST_NOW_MS = 10 * 60_000;

/** Ends what is going on, or skips what may be skipped (`isMild`). */
export function stop(turn: Turn, isMild: boolean, scope: TurnScope): Reduced {
  const { state } = turn;
  const { step } = state;
  if (step.at === 'consenting') return answerConsent(state, false, scope);
  const flow = step.at === 'asking' ? scope.flows.get(step.flow) : undefined;
  if (isMild && step.at === 'asking' && flow && KINDS[step.slot].no !== 'explain')
    return declineSlot(turn, undefined, scope);
  // "Huỷ" right after an operation means to undo it.
  const last = state.operations.at(-1);
  const isDone = step.at === 'idle' && last?.status === 'done' && scope.nowMs - last.atMs < JUST_NOW_MS;
  return isDone ? digress(turn, answer(state, 'answer.undo', scope)) : cancel(state, scope);
}
