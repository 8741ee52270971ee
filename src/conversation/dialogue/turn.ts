import type { Command } from '../commands.ts';
import type { Flow, Scope } from '../flow.ts';
import type { Choice, Decision, Reply } from '../reply.ts';
import type { Draft, Page, State } from '../state.ts';
import { type Doubted, runningIn } from './advance.ts';
import { personChoice, startOffer } from './handover.ts';

/*
 * What the commands of a message came to, so far. Each command is applied once, in order, by the reducer of its subject; then
 * one question stands.
 */

/** What is said beside the question. `question`: the customer asked something (`Decision.question`). */
export type Digression = {
  readonly reply: Reply;
  readonly question?: Decision['question'];
  /** Buttons of what the customer may have meant. */
  readonly offered?: readonly Choice[];
};

/** What comes after the commands. */
export type Next =
  /** The live question, once more. */
  | { readonly go: 'again' }
  /** A phone or an e-mail came out of the blue: what it is for is asked. */
  | { readonly go: 'keep' }
  | { readonly go: 'digress'; readonly digression: Digression }
  /** Slots of this flow were said: it goes on. `noted`: the answer says that they were. */
  | {
      readonly go: 'advance';
      readonly flow: Flow;
      readonly doubt?: Doubted | undefined;
      readonly noted?: 'codes' | 'other' | undefined;
      readonly digression?: Digression | undefined;
    }
  /** Another list or period of the page that is shown. */
  | { readonly go: 'narrow'; readonly type?: Page['type']; readonly period?: Page['period'] }
  /** A person is called; what else was said is kept. */
  | { readonly go: 'person' };

export type Advancing = Extract<Next, { go: 'advance' }>;

export type Turn = {
  readonly state: State;
  /** Said before what comes next. */
  readonly said: readonly Reply[];
  readonly next: Next;
};

/** What a reducer may know: the scope, the state as the message found it, and all commands of the message. */
export type TurnScope = Scope & { readonly found: State; readonly commands: readonly Command[] };

/** A reducer returns a turn, or a decision: then the message is answered, and later commands do not count. */
export type Reduced = Turn | Decision;

/** The flow that this message goes on with. */
export const flowOf = ({ next, state }: Turn, scope: Scope): Flow | undefined =>
  next.go === 'advance' ? next.flow : runningIn(state, scope);

/** Something is said beside the question; a flow that goes on goes on. */
export function digress(turn: Turn, digression: Digression): Turn {
  const { next } = turn;
  return next.go === 'advance'
    ? { ...turn, next: { ...next, digression } }
    : { ...turn, next: { go: 'digress', digression } };
}

export const answerBeside = (turn: Turn, reply: Reply): Turn => digress(turn, { reply });

/** A flow goes on. */
export function advanceBy(turn: Turn, flow: Flow, more: Partial<Advancing> = {}): Turn {
  const { next } = turn;
  const before = next.go === 'advance' ? next : {};
  const digression = next.go === 'digress' ? { digression: next.digression } : {};
  return { ...turn, next: { ...digression, ...before, ...more, go: 'advance', flow } };
}

/** Slots were said: the flow at hand goes on. */
export function setSlots(turn: Turn, slots: Draft, scope: Scope): Turn {
  const all = Object.entries({ ...turn.state.draft, ...slots });
  const draft: Draft = Object.fromEntries(all.filter(([, value]) => value !== undefined));
  const flow = flowOf(turn, scope);
  const next = { ...turn, state: { ...turn.state, draft } };
  if (!flow) return next;
  const noted = turn.next.go === 'advance' ? (turn.next.noted ?? 'other') : 'other';
  return advanceBy(next, flow, { noted });
}

/** A value is asked about; the first one of a message. */
export function doubt(turn: Turn, flow: Flow, { slot, offer }: Doubted): Turn {
  const before = turn.next.go === 'advance' ? turn.next.doubt : undefined;
  return advanceBy(turn, flow, { doubt: before ?? { slot, offer } });
}

/** Said beside the question, with the button for a person where it offers one. */
export function digressWithPerson(turn: Turn, digression: Digression, scope: Scope): Turn {
  const { key, context } = digression.reply;
  const isComplaint = key === 'upset' || context === 'complaint';
  const isOffer = key === 'person.offer' || isComplaint || (key === 'unsure' && context === 'question');
  if (!isOffer) return digress(turn, digression);
  const offered = [...(digression.offered ?? []), ...personChoice(scope)];
  const state = startOffer(turn.state, isComplaint ? 'complaint' : 'asked', scope);
  return digress({ ...turn, state }, { ...digression, offered });
}
