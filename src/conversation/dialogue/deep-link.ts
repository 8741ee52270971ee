import type { Context } from '../context.ts';
import { after, type Decision } from '../decision.ts';
import { parseCode } from '../language/values/code.ts';
import { welcome } from '../prompts/settings.ts';
import type { ConversationState } from '../state.ts';
import { start } from './form.ts';

/** A deep link, or `/start` with what such a link carries: a code, whose points are to be earned. */
export function onStart(state: ConversationState, payload: string | undefined, context: Context): Decision {
  if (!payload) return welcome(state, context);
  const code = parseCode(payload);
  return code.ok
    ? start(state, 'accumulate', { code: code.value }, context)
    : after([{ key: code.reason }], start(state, 'accumulate', {}, context));
}
