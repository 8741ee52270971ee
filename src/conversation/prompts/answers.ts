import { type Decision, withLast } from '../decision.ts';
import type { Scope } from '../flow.ts';
import { type Answered, type AnswerKey, idOf } from '../language/answers.ts';
import type { Line, Reply } from '../reply.ts';
import type { ConversationState, Operation } from '../state.ts';
import { aboutQuestion, PROOF } from './explain.ts';
import { giftOf, pickUpLines } from './gifts.ts';
import { help, supportLines } from './help.ts';
import { aside } from './questions.ts';

/** What only the shop knows: whom to ask goes with it, unless the operator has written an answer. */
const WITH_CONTACT: ReadonlySet<string> = new Set([
  'answer.gift.where',
  'answer.gift.refused',
  'answer.points.missing',
  'answer.hours',
]);

/** The question where to get a gift: of the one at hand, or of the last one that was redeemed, the list may tell. */
const PICK_UP = 'gift.where';

function pickUpLine({ draft, operations }: ConversationState, scope: Scope): Line | undefined {
  const atHand = typeof draft.code === 'string' ? giftOf(draft.code, scope) : undefined;
  const redeemed = operations.findLast(({ status, gift }) => status === 'done' && gift !== undefined);
  const gift = atHand ?? giftOf(redeemed?.gift, scope);
  return gift && pickUpLines(gift)[0];
}

/** Answers a question; what was being asked is asked again, and nothing is lost. */
export function answered(state: ConversationState, { id, says }: Answered, scope: Scope): Decision {
  const known = id === PICK_UP ? pickUpLine(state, scope) : undefined;
  const text = known ?? ('text' in says ? says.text : { key: says.key });
  const lines = !known && 'key' in says && WITH_CONTACT.has(says.key) ? supportLines(scope) : [];
  const decision = aside(state, scope, { key: 'answer', params: { text }, lines });
  // Why sharing is needed is said once.
  const again = aboutQuestion(state, scope) === PROOF ? withLast(decision, { context: 'again' }) : decision;
  return { ...again, question: { answer: id } };
}

/** A question in place of an answer to ours, to which no answer is known. */
export function unanswerable(state: ConversationState, scope: Scope): Decision {
  const reply: Reply = { key: 'unsure', context: 'question', lines: supportLines(scope) };
  return { ...aside(state, scope, reply), question: {} };
}

/** Answers "what?": explains the live question or, where nothing is asked, what can be done here. */
export function explained(state: ConversationState, scope: Scope): Decision {
  const about = aboutQuestion(state, scope);
  return about ? answered(state, scope.language.answers.of(about.what), scope) : help(state, scope);
}

/** The same to whoever asked nothing, but did not answer either. */
export function explainedUnasked(state: ConversationState, scope: Scope): Decision {
  const { question: _, ...decision } = explained(state, scope);
  return decision;
}

/** Answers as it is meant at this question; `names`: the slot that the text calls by its name. */
export function answeredAt(
  state: ConversationState,
  asked: Answered,
  names: string | undefined,
  scope: Scope,
): Decision {
  const about = aboutQuestion(state, scope);
  switch (asked.id) {
    case idOf('answer.phone.why'):
      return about === PROOF ? explained(state, scope) : answered(state, asked, scope);
    case idOf('answer.code.wrong'):
      // "Sai chỗ nào?" is asked of whatever was refused last.
      return names === 'code' ? answered(state, asked, scope) : toldWhy(state, scope);
    default:
      return answered(state, asked, scope);
  }
}

const REFUSED: Readonly<Record<Operation['kind'], AnswerKey>> = {
  accumulate: 'answer.code.wrong',
  redeem: 'answer.gift.refused',
};

/** What may be wrong with an answer to the live question or, where no value is asked for, why an operation was refused. */
function toldWhy(state: ConversationState, scope: Scope): Decision {
  const last = state.operations.at(-1);
  const isOver = state.step.at !== 'asking' && state.step.at !== 'confirming';
  const refused = isOver && last?.status === 'refused' ? REFUSED[last.kind] : undefined;
  const key = refused ?? aboutQuestion(state, scope)?.wrong ?? REFUSED.accumulate;
  return answered(state, scope.language.answers.of(key), scope);
}
