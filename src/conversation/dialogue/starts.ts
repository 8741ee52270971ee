import type { Command } from '../commands.ts';
import type { Flow } from '../flow.ts';
import { carried, isTypingProof } from '../prompts/identity.ts';
import { oneAtATime } from '../prompts/receipts.ts';
import { after, type Reply } from '../reply.ts';
import type { Draft } from '../state.ts';
import { edit, hindered, runningIn } from './advance.ts';
import { leaveConsentOpen } from './consent.ts';
import { notUnderstood } from './digressions.ts';
import { asking, home } from './questions.ts';
import {
  advanceBy,
  answerBeside,
  flowOf,
  type Reduced,
  setSlots,
  type Turn,
  type TurnScope,
} from './turn.ts';

/*
 * How a flow begins.
 */

/** Begins a flow with what is known; says so if that ends another one. */
export function startFlow(
  turn: Turn,
  { flow: name, asked }: Extract<Command, { do: 'start' }>,
  scope: TurnScope,
): Reduced {
  const { state } = turn;
  const flow = scope.flows.get(name);
  if (!flow) return notUnderstood(turn, scope);
  const left = runningIn(state, scope);
  // A question about a flow that needs a proof would drop what was typed: no code is lost for it.
  if (asked && left && left !== flow && state.draft.codes !== undefined && flow.identity === 'proved')
    return answerBeside(turn, { key: 'flow.first', params: { flow: { key: `flow.${left.name}` } } });
  // What else is said of the list that is shown narrows it. Only staff know whom their new command is about.
  const isPage = state.step.at === 'browsing' && state.step.flow === name && !isTypingProof(scope);
  if (isPage && scope.commands.some((one) => one.do === 'period' || (one.do === 'kind' && one.of !== 'both')))
    return turn;
  return left === flow ? restart(turn, flow, scope) : beginFlow(turn, flow, scope);
}

/** The flow at hand once more: of a flow for a gift, another gift. */
function restart(turn: Turn, flow: Flow, scope: TurnScope): Reduced {
  const { among: _, ...draft } = turn.state.draft;
  const state = { ...turn.state, draft };
  const { step } = state;
  const wait = hindered(flow, state, scope);
  if (wait) return home(state, scope, wait);
  const isAsked = step.at === 'asking' && step.slot === 'gift';
  const isOther = flow.slots.includes('gift') && !isAsked && scope.commands.length === 1;
  return isOther ? edit(state, flow, 'gift', scope) : advanceBy({ ...turn, state }, flow);
}

export function beginFlow(turn: Turn, flow: Flow, scope: TurnScope): Reduced {
  const state = leaveConsentOpen(turn.state, scope);
  const left = runningIn(state, scope);
  const told: Reply[] = left
    ? [{ key: 'flow.switched', params: { flow: { key: `flow.${left.name}` } } }]
    : [];
  const wait = hindered(flow, state, scope);
  if (wait) return after(told, home(state, scope, wait));
  const known: Draft = carried(state, scope);
  // A customer who was asked for an e-mail once is not asked again.
  const isSkipped = flow.slots.includes('email') && known.email === undefined && state.emailAsked;
  const draft = isSkipped ? { ...known, email: null } : known;
  const [slot = 'phone'] = flow.slots;
  const begun = { ...turn, state: { ...state, step: asking(flow, slot), draft } };
  return advanceBy({ ...begun, said: [...turn.said, ...told] }, flow);
}

/** A gift, or several that may be meant; the flow that takes gifts begins by it. `isSeveral`: more than one of it was named. */
export function setGift(
  turn: Turn,
  gift: Pick<Draft, 'code' | 'among'>,
  scope: TurnScope,
  isSeveral = false,
): Reduced {
  const running = flowOf(turn, scope);
  const taking = running?.slots.includes('gift')
    ? running
    : scope.flows.all.find((flow) => flow.slots.includes('gift'));
  if (!taking) return notUnderstood(turn, scope);
  const begun = taking === running ? turn : beginFlow(turn, taking, scope);
  if ('replies' in begun) return begun;
  const set = setSlots(begun, { code: undefined, among: undefined, price: undefined, ...gift }, scope);
  if (gift.among) {
    const noted = begun.next.go === 'advance' ? begun.next.noted : undefined;
    return advanceBy(set, taking, { noted });
  }
  return isSeveral ? { ...set, said: [...set.said, oneAtATime(gift.code, scope)] } : set;
}
