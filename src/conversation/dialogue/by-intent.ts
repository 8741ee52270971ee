import type { Decision } from '../decision.ts';
import type { Flow, Scope } from '../flow.ts';
import { isQuestion } from '../language/asking.ts';
import type { Utterance } from '../language/understand.ts';
import { LOCALES } from '../message.ts';
import { unanswered, walkedAway } from '../prompts/consent.ts';
import { cancel, help, language, menu, support } from '../prompts/help.ts';
import { forget, privacy } from '../prompts/privacy.ts';
import { again, aside, home } from '../prompts/questions.ts';
import type { ConversationState } from '../state.ts';
import { begin } from './by-values.ts';
import { onStart } from './deep-link.ts';
import { runningIn } from './form.ts';
import { smallTalk } from './small-talk.ts';
import { status } from './status.ts';
import { bringsValue } from './values.ts';

/** Beside a value, these are only how it is said: "giúp mình mã TIVI000000017 với". */
const BESIDE_VALUES: ReadonlySet<string | undefined> = new Set(['help', 'menu', 'bye', 'retry']);

/** What a text wants, whatever is being asked. Whether details may be remembered stays asked until something else is begun. */
export function byIntent(
  stored: ConversationState,
  utterance: Utterance,
  scope: Scope,
): Decision | undefined {
  const { intent, code } = utterance.understood;
  if (BESIDE_VALUES.has(intent) && bringsValue(utterance.understood)) return undefined;
  const flow = scope.flows.get(intent);
  if (flow && isOnlyAsked(stored, flow, utterance, scope)) return finishFirst(stored, scope);
  if (flow) return begin(unanswered(stored, scope), flow, utterance, scope);
  const state = walkedAway(stored, scope);
  const locale = LOCALES.find((one) => intent === `language:${one}`);
  if (locale) return language(stored, scope, locale);
  switch (intent) {
    case 'status':
      return status(stored, scope);
    case 'language':
      return language(stored, scope);
    case 'help':
      return help(stored, scope);
    case 'support':
      return support(stored, scope);
    case 'cancel':
    case 'nevermind':
      return cancel(state, scope);
    case 'remove':
      // The flow at hand has said already what it makes of that.
      return runningIn(state, scope) ? undefined : cancel(state, scope);
    case 'start':
      return onStart(stored, code, scope);
    case 'menu':
      return menu(state, scope);
    case 'privacy':
      return privacy(stored, scope);
    case 'forget':
      return forget(state, scope);
    case 'bye':
      return home(state, scope, { key: 'bye' });
    case 'retry':
      return again(stored, scope);
    default:
      return smallTalk(stored, utterance.understood, scope);
  }
}

/** Whether a question speaks of a flow that would need a proof and drop what was typed for the one at hand: no code is lost for it. */
function isOnlyAsked(
  state: ConversationState,
  { name, identity }: Flow,
  { text, understood }: Utterance,
  scope: Scope,
): boolean {
  const running = runningIn(state, scope);
  const hasCode = running !== undefined && state.draft[running.slotCalled('code')] !== undefined;
  const isOther = running?.name !== name && running?.identity === 'typed' && identity === 'proved';
  return hasCode && isOther && isQuestion(text) && !bringsValue(understood);
}

function finishFirst(state: ConversationState, scope: Scope): Decision {
  const flow = { key: `flow.${runningIn(state, scope)?.name}` };
  return aside(state, scope, { key: 'flow.first', params: { flow } });
}
