import type { Decision } from '../decision.ts';
import type { Scope } from '../flow.ts';
import { isQuestion } from '../language/asking.ts';
import { scriptOf } from '../language/script.ts';
import type { Understood, Utterance } from '../language/understand.ts';
import { spacedCode } from '../language/values/slips.ts';
import { answeredAt, explainedUnasked, unanswerable } from '../prompts/answers.ts';
import { supportLines } from '../prompts/help.ts';
import { again, aside, question } from '../prompts/questions.ts';
import type { ConversationState } from '../state.ts';
import { answer } from './answer.ts';
import { byIntent } from './by-intent.ts';
import { byValues } from './by-values.ts';
import { onChoice } from './choices.ts';
import { atStep } from './live-question.ts';
import { operationsOf } from './operations.ts';
import { status } from './status.ts';
import { bringsValue } from './values.ts';

/** A typed message: an answer to the live question, a command, values for a flow, or something to be kindly unsure of. */
export function onText(state: ConversationState, text: string, scope: Scope): Decision {
  return (
    byNumber(state, text, scope) ??
    onUtterance(state, withSpacedCode({ text, understood: scope.language.understand(text) }, scope), scope)
  );
}

/** A code with blanks inside is asked about as what it probably is. */
function withSpacedCode(said: Utterance, { settings }: Scope): Utterance {
  const { text, understood } = said;
  const code = bringsValue(understood) ? undefined : spacedCode(text, settings.codePrefixes);
  return code === undefined
    ? said
    : { text, understood: { ...understood, code, codes: [code], names: 'code' } };
}

/** A text of which more may be known than it says: what a photo carries. */
export function onUtterance(state: ConversationState, said: Utterance, scope: Scope): Decision {
  const utterance = withWish(said, scope);
  const { understood } = utterance;
  return (
    byReference(state, understood, scope) ??
    byAnswer(state, utterance, scope, 'sure') ??
    atStep(state, utterance, scope) ??
    byIntent(state, utterance, scope) ??
    byValues(state, utterance, scope) ??
    byAnswer(state, utterance, scope, 'likely') ??
    atQuestion(state, utterance, scope)
  );
}

/** A text without an intent may ask for a flow all the same. */
function withWish(utterance: Utterance, scope: Scope): Utterance {
  const { text, understood } = utterance;
  if (understood.intent !== undefined) return utterance;
  const flow = scope.flows.all.find((one) => one.isWished(utterance, scope));
  return flow ? { text, understood: { ...understood, intent: flow.name } } : utterance;
}

/** "2" picks the second choice of the live question; never a confirmation, which takes the button's one-time id. */
function byNumber(state: ConversationState, text: string, scope: Scope): Decision | undefined {
  // A page has other buttons, and "2" might mean a page.
  if (!/^\s*\d{1,2}\s*$/.test(text) || state.step.at === 'browsing') return undefined;
  const choices = question(state, scope).choices ?? [];
  const choice = choices.length > 1 ? choices[Number(text) - 1]?.id : undefined;
  if (choice === undefined || choice.startsWith('confirm:')) return undefined;
  // Written before the question whether to remember was shown, it agrees to nothing.
  return state.step.at === 'consenting' && !scope.current
    ? again(state, scope)
    : onChoice(state, choice, undefined, scope);
}

/** A question about the programme; whatever value comes along is what the message is about. "Xoá mã đầu" asks for no code. */
function byAnswer(
  state: ConversationState,
  { text, understood }: Utterance,
  scope: Scope,
  want: 'sure' | 'likely',
): Decision | undefined {
  const isSkip = want === 'sure' && understood.noEmail;
  if (bringsValue(understood) || understood.intent === 'remove' || isSkip) return undefined;
  const found = scope.language.answers.find(text);
  if (!found || (want === 'sure' && !found.sure)) return undefined;
  return found.answered
    ? answeredAt(state, found.answered, understood.names, scope)
    : unanswerable(state, scope);
}

/** The reference of an operation that this conversation made. */
function byReference(
  state: ConversationState,
  { reference, intent }: Understood,
  scope: Scope,
): Decision | undefined {
  const known = reference !== undefined && operationsOf(state, reference).length > 0;
  return known || (intent === 'status' && reference !== undefined)
    ? status(state, scope, reference)
    : undefined;
}

/** No command and no value: a question, the answer, right or wrong, to ours, or something to be kindly unsure of. */
function atQuestion(state: ConversationState, utterance: Utterance, scope: Scope): Decision {
  const { text, understood } = utterance;
  const script = scriptOf(text);
  if (script === 'none') return again(state, scope);
  if (script === 'other') return aside(state, scope, { key: 'language.unknown' });
  if (isQuestion(text)) return unanswerable(state, scope);
  const { step } = state;
  if (understood.mangled && step.at !== 'asking')
    return aside(state, scope, { key: `${understood.mangled}.vietnamese` });
  switch (step.at) {
    case 'asking':
      return answer(state, step, utterance, scope);
    case 'confirming':
      return again(state, scope, { key: 'unsure.confirm' });
    case 'consenting':
      return explainedUnasked(state, scope);
    case 'browsing':
    case 'idle':
      return aside(state, scope, { key: 'unsure', lines: supportLines(scope) });
  }
}
