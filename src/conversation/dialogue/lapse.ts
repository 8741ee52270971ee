import type { Scope } from '../flow.ts';
import { type ConversationState, IDLE_MS, type Step } from '../state.ts';

/*
 * What a flow gathered ends with it, also where the customer walks away in the middle: after `IDLE_MS` of silence the
 * state wakes up and erases it, unheard. That the flow was unfinished stays known, to be said at the next message.
 */

/** When what is gathered must go, epoch ms; null: nothing is. */
export function lapseAtMs(state: ConversationState): number | null {
  return isGathering(state) ? state.lastMessageMs + IDLE_MS + 1 : null;
}

/** The same state, without what its time is over for. */
export function lapse(state: ConversationState, { nowMs }: Scope): ConversationState {
  const atMs = lapseAtMs(state);
  return atMs === null || nowMs < atMs ? state : { ...state, draft: {}, step: emptied(state.step) };
}

function isGathering({ draft, step }: ConversationState): boolean {
  const offered = step.at === 'asking' && step.offer !== undefined;
  return Object.keys(draft).length > 0 || step.at === 'browsing' || offered;
}

function emptied(step: Step): Step {
  switch (step.at) {
    case 'asking':
      return { at: 'asking', flow: step.flow, slot: step.slot, tries: 0 };
    case 'browsing':
      // A page is nothing unfinished.
      return { at: 'idle' };
    case 'confirming':
    case 'consenting':
    case 'idle':
      return step;
  }
}
