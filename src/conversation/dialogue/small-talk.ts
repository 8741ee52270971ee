import type { Decision } from '../decision.ts';
import type { Scope } from '../flow.ts';
import type { Understood } from '../language/understand.ts';
import { answered, explained } from '../prompts/answers.ts';
import { supportLines, welcome } from '../prompts/help.ts';
import { again, aside } from '../prompts/questions.ts';
import type { ConversationState } from '../state.ts';
import { bringsValue } from './values.ts';

/**
 * What asks for nothing that a flow does: it is answered in a few words, and nothing is lost. A value that comes along is
 * what the message is about.
 */
export function smallTalk(
  state: ConversationState,
  understood: Understood,
  scope: Scope,
): Decision | undefined {
  if (bringsValue(understood)) return undefined;
  const isIdle = state.step.at === 'idle';
  switch (understood.intent) {
    case 'explain':
      return explained(state, scope);
    case 'who':
      return answered(state, scope.language.answers.of('answer.who'), scope);
    case 'greet':
      return isIdle ? welcome(state, scope) : aside(state, scope, { key: 'greet' });
    case 'thanks':
      return aside(state, scope, { key: 'thanks' });
    case 'wait':
      return aside(state, scope, { key: 'wait' });
    case 'upset':
      return aside(state, scope, { key: 'upset', lines: supportLines(scope) });
    case 'remark':
      return again(state, scope);
    case 'decline':
      // "Mã sai rồi" is about something.
      if (understood.names !== undefined) return undefined;
      return isIdle || state.step.at === 'browsing' ? aside(state, scope, { key: 'later' }) : undefined;
    default:
      return undefined;
  }
}
