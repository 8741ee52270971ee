import type { Command } from '../commands.ts';
import type { Flow, Scope } from '../flow.ts';
import type { Decision, Reply } from '../reply.ts';
import type { Draft, State } from '../state.ts';
import { runningFlow } from './advance.ts';
import { dropDoubts } from './doubts.ts';
import { personChoice } from './handover.ts';

/** Said before the question. Its choices say what the customer may have meant. */
export type Digression = Reply & Pick<Decision, 'question'>;

/** The result of the commands of a message so far. Without more, the current question comes again. */
export type Round = {
  readonly state: State;
  readonly scope: RoundScope;
  /** Said before what comes next. */
  readonly remarks: readonly Reply[];
  /** The message has slots of this flow: it goes on. */
  readonly flow?: Flow | undefined;
  readonly digression?: Digression | undefined;
  /** A person is called; what else was said is kept. */
  readonly person?: true | undefined;
};

/** What a reducer may know: the scope, the state before the message, and all commands of the message. */
export type RoundScope = Scope & {
  readonly before: State;
  readonly commands: readonly Command[];
  /** The commands come from the fields of a form. */
  readonly isForm?: true | undefined;
};

/** The next round, or a decision, which ends the message. */
export type Reduction = Round | Decision;

/** The flow that this message goes on with. */
export const findFlow = ({ flow, state, scope }: Round): Flow | undefined =>
  flow ?? runningFlow(state, scope);

/** Says something before the question; what was to be said before stays, without its buttons. */
export function digress(round: Round, digression: Digression): Round {
  const { question: _, choices: __, ...before } = round.digression ?? { key: '' };
  const remarks = before.key === '' ? round.remarks : [...round.remarks, before];
  return { ...round, remarks, digression };
}

/** The same, and offers a person if staff answer. A yes then opens a ticket. */
export function offerPerson(round: Round, digression: Digression, why: Offered['why'] = 'asked'): Round {
  const { state, scope } = round;
  if (!scope.settings.handover) return digress(round, digression);
  const others = (digression.choices ?? []).filter(({ id }) => id !== 'person');
  const choices = [...others, ...personChoice(scope)];
  const offered = { ...state, offered: { why, led: [] } };
  return digress({ ...round, state: offered }, { ...digression, choices });
}
type Offered = NonNullable<State['offered']>;

function settleDoubts(state: State, slots: Draft): State {
  return (['phone', 'email'] as const).filter((slot) => slot in slots).reduce(dropDoubts, state);
}

/** Sets slots, or deletes those that are undefined. The running flow goes on, without doubts about them. */
export function setSlots(round: Round, slots: Draft): Round {
  const { step, draft: before } = round.state;
  const isDoubted = before.doubts !== undefined || (step.at === 'asking' && step.offer !== undefined);
  const state = isDoubted ? settleDoubts(round.state, slots) : round.state;
  const entries = Object.entries({ ...state.draft, ...slots });
  const draft: Draft = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  return { ...round, state: { ...state, draft }, flow: findFlow(round) };
}
