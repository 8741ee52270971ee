import { type Decision, say } from '../decision.ts';
import type { Scope } from '../flow.ts';
import type { Answered } from '../language/answers.ts';
import type { Line, Reply } from '../reply.ts';
import type { ConversationState } from '../state.ts';
import { giftOf, pickUpLines } from './gifts.ts';
import { supportLines } from './help.ts';
import { again, stay, withMenu } from './questions.ts';

/** What only the shop knows: whom to ask goes with it, unless the operator has written an answer. */
const WITH_CONTACT: ReadonlySet<string> = new Set(['answer.gift.where', 'answer.hours']);

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
  return { ...beside(state, { key: 'answer', params: { text }, lines }, scope), question: { answer: id } };
}

/** A question in place of an answer to ours, to which no answer is known. */
export function unanswerable(state: ConversationState, scope: Scope): Decision {
  const reply: Reply = { key: 'unsure', context: 'question', lines: supportLines(scope) };
  return { ...beside(state, reply, scope), question: {} };
}

function beside(state: ConversationState, reply: Reply, scope: Scope): Decision {
  switch (state.step.at) {
    case 'idle': {
      const shown = state.view === undefined ? { ...state, view: scope.ids.view } : state;
      return say(shown, withMenu(shown, reply, scope));
    }
    case 'browsing':
      return stay(state, scope, reply);
    case 'asking':
    case 'confirming':
    case 'consenting':
      return again(state, scope, reply);
  }
}
