import { after, type Decision } from '../decision.ts';
import type { Scope } from '../flow.ts';
import { parseCode } from '../language/values/code.ts';
import { unanswered, walkedAway } from '../prompts/consent.ts';
import { welcome } from '../prompts/help.ts';
import type { ConversationState } from '../state.ts';
import { start } from './form.ts';

/** A deep link, or `/start` with what such a link carries: a code, for the flow that takes the codes of links. */
export function onStart(stored: ConversationState, payload: string | undefined, scope: Scope): Decision {
  const flow = scope.flows.linked;
  if (!payload || !flow) return welcome(walkedAway(stored, scope), scope);
  const state = unanswered(stored, scope);
  const code = parseCode(payload);
  return code.ok
    ? start(state, flow, flow.own({ code: code.value, codes: [code.value] }), scope)
    : after([{ key: code.reason }], start(state, flow, {}, scope));
}
