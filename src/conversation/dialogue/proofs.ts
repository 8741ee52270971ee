import type { CommandOf } from '../commands.ts';
import type { Scope } from '../flow.ts';
import { canProveByCode } from '../prompts/identity.ts';
import type { CodeSent, CodeTried } from '../proof.ts';
import { type Decision, type Reply, say, sayFirst } from '../reply.ts';
import type { State } from '../state.ts';
import { advance, runningFlow } from './advance.ts';
import { askAgain, askStep, goHome, slotStep } from './questions.ts';
import { findFlow, type Reduction, type Round } from './round.ts';

/*
 * A phone that is proved by a one-time code: asking for a code, trying one, and how both end. `advance` sends
 * the code.
 */

/** A code is wanted: `advance` sends it, or asks for the phone. */
export function wantCode(round: Round): Reduction {
  const { state, scope } = round;
  const flow = findFlow(round);
  if (flow?.identity !== 'proved' || !canProveByCode(scope)) return askAgain(state, scope);
  const { proof, ...draft } = state.draft;
  return { ...round, state: { ...state, draft: { ...draft, proof: { ...proof, wanted: true } } }, flow };
}

/** Tries a code against the phone that it was sent to. */
export function proveByCode({ state, scope }: Round, { code }: CommandOf<'prove'>): Reduction {
  const flow = runningFlow(state, scope);
  const phone = state.draft.proof?.phone;
  if (!flow || phone === undefined) return askAgain(state, scope);
  return { state, replies: [], effect: { kind: 'tryCode', phone, purpose: flow.name, code } };
}

export function takeCodeSent(state: State, { result, untilMs }: CodeSent, scope: Scope): Decision {
  const flow = runningFlow(state, scope);
  if (!flow) return say(state);
  const { proof: _, ...draft } = state.draft;
  const phone = draft.phone?.value;
  switch (result) {
    case 'sent':
    case 'unknown': {
      const proof = { phone, ...(result === 'unknown' && { state: 'unsure' as const }) };
      const sent = { ...state, draft: { ...draft, proof }, codeSentMs: scope.nowMs };
      return askStep(sent, slotStep(flow, 'proof'), scope);
    }
    case 'refused': {
      const { phone: __, ...others } = draft;
      const next = { ...state, draft: { ...others, proof: { wanted: true as const } } };
      return sayFirst([{ key: 'identity.codeRefused' }], askStep(next, slotStep(flow, 'phone'), scope));
    }
    case 'unavailable':
      return goBack(state, { key: 'identity.codeFailed' }, scope);
    case 'limited':
      return goBack(state, sayLimit(untilMs ?? scope.nowMs), scope);
  }
}

const sayLimit = (untilMs: number): Reply => ({ key: 'identity.codeLimit', params: { at: untilMs } });

/** No code was sent: the one before it still counts, or the phone is asked for again. */
function goBack(state: State, why: Reply, scope: Scope): Decision {
  const flow = runningFlow(state, scope);
  if (!flow) return goHome(state, scope, why);
  const { proof: before, ...draft } = state.draft;
  const isSent = before?.phone !== undefined && before.phone === draft.phone?.value;
  if (!isSent) return sayFirst([why], askStep({ ...state, draft }, slotStep(flow, 'phone'), scope));
  const { wanted: _, ...proof } = before;
  return sayFirst([why], askStep({ ...state, draft: { ...draft, proof } }, slotStep(flow, 'proof'), scope));
}

export function takeCodeTried(state: State, outcome: CodeTried, scope: Scope): Decision {
  const flow = runningFlow(state, scope);
  const { proof, ...draft } = state.draft;
  if (!flow || proof?.phone === undefined) return say(state);
  switch (outcome.result) {
    case 'right': {
      const phone = { value: proof.phone, proved: true, codeMs: outcome.provedMs };
      const profile = state.consent?.given ? { ...state.profile, phone } : state.profile;
      return advance({ ...state, draft: { ...draft, phone }, profile }, flow, scope);
    }
    case 'wrong': {
      const { left } = outcome;
      const wrong: Reply = {
        key: 'identity.codeWrong',
        ...(left > 0 ? { params: { left } } : { context: 'last' }),
      };
      return left > 0 ? askAgain(state, scope, wrong) : sayFirst([wrong], askOver(state, scope));
    }
    case 'expired':
      return askOver(state, scope);
    case 'limited':
      return goBack({ ...state, draft }, sayLimit(outcome.untilMs), scope);
  }
}

/** The code does not count any more: offers another one. */
function askOver(state: State, scope: Scope): Decision {
  const flow = runningFlow(state, scope);
  if (!flow) return say(state);
  const proof = { phone: state.draft.proof?.phone, state: 'over' as const };
  return askStep({ ...state, draft: { ...state.draft, proof } }, slotStep(flow, 'proof'), scope);
}
