import type { Command } from '../commands.ts';
import type { Flow, Scope } from '../flow.ts';
import type { Decision, Reply } from '../reply.ts';
import type { Draft, State } from '../state.ts';
import { type Doubted, type FlowGoal, runningFlow } from './advance.ts';
import { personChoice } from './handover.ts';

/*
 * A round: the state of a message while its commands are applied. Reducers apply each command once, in order;
 * then the bot asks one question.
 */

/** Said before the question. Its choices say what the customer may have meant. */
export type Digression = {
  readonly reply: Reply;
  /** The customer asked something (`Decision.question`). */
  readonly question?: Decision['question'];
};

/** What comes after the commands. */
export type Next =
  /** The live question, once more. */
  | { readonly go: 'again' }
  /** A phone or an e-mail came while nothing was asked: asks what it is for. */
  | { readonly go: 'keep' }
  | { readonly go: 'digress'; readonly digression: Digression }
  /** The message has slots of this flow: it goes on. */
  | (FlowGoal & { readonly go: 'advance'; readonly digression?: Digression | undefined })
  /** A person is called; what else was said is kept. */
  | { readonly go: 'person' };

export type Advance = Extract<Next, { go: 'advance' }>;

/** The result of the commands of a message so far. */
export type Round = {
  readonly state: State;
  /** Said before what comes next. */
  readonly said: readonly Reply[];
  readonly next: Next;
  readonly scope: RoundScope;
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
export const findFlow = ({ next, state, scope }: Round): Flow | undefined =>
  next.go === 'advance' ? next.flow : runningFlow(state, scope);

/** Says something before the question. If the message continues a flow, the flow still continues. */
export function digress(round: Round, digression: Digression): Round {
  const { next } = round;
  const digressed = next.go === 'advance' ? next : ({ go: 'digress' } as const);
  return { ...round, next: { ...digressed, digression } };
}

/** The same with a button for a person, if staff answer. A yes to it opens a ticket. */
export function offerPerson(
  round: Round,
  digression: Digression & { readonly why?: 'asked' | 'complaint' },
): Round {
  const { state, scope } = round;
  const { why = 'asked', reply, ...more } = digression;
  if (!scope.settings.handover) return digress(round, digression);
  const others = (reply.choices ?? []).filter(({ id }) => id !== 'person');
  const choices = [...others, ...personChoice(scope)];
  const offered = { why, led: [] };
  return digress({ ...round, state: { ...state, offered } }, { ...more, reply: { ...reply, choices } });
}

/** The flow goes on. */
export function continueFlow(round: Round, flow: Flow, more: Partial<Advance> = {}): Round {
  const { next } = round;
  const { digression } = 'digression' in next ? next : {};
  const before = next.go === 'advance' ? next : { digression };
  return { ...round, next: { ...before, ...more, go: 'advance', flow } };
}

/** Sets slots, or deletes those that are undefined. The running flow goes on. */
export function setSlots(round: Round, slots: Draft): Round {
  const entries = Object.entries({ ...round.state.draft, ...slots });
  const draft: Draft = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  const flow = findFlow(round);
  const next = { ...round, state: { ...round.state, draft } };
  return flow ? continueFlow(next, flow) : next;
}

/** Asks about a value in doubt. If a message has several, the bot asks about the first. */
export function raiseDoubt(round: Round, flow: Flow, doubt: Doubted): Round {
  const before = round.next.go === 'advance' ? round.next.doubt : undefined;
  return continueFlow(round, flow, { doubt: before ?? doubt });
}
