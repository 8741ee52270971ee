import type { Context } from './context.ts';
import { after, type Decision, say } from './decision.ts';
import { check, checked, nextCheckMs, settle } from './dialogue/checks.ts';
import { expired, onChoice } from './dialogue/choices.ts';
import { onContact } from './dialogue/contact.ts';
import { onStart } from './dialogue/deep-link.ts';
import { submit } from './dialogue/form.ts';
import { lapse, lapseAtMs } from './dialogue/lapse.ts';
import { conclude } from './dialogue/operations.ts';
import { onText } from './dialogue/text.ts';
import type { Outcome } from './effect.ts';
import { history } from './flows/history.ts';
import { points } from './flows/points.ts';
import type { Message } from './message.ts';
import { again, home } from './prompts/questions.ts';
import { unanswered } from './prompts/settings.ts';
import type { Reply } from './reply.ts';
import { type ConversationState, IDLE_MS } from './state.ts';

/** Why a step is taken: a customer's message, the end of the effect that the last step asked for, or a wake-up. */
export type Input =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'wake' };

/**
 * The whole conversation as one pure function: same arguments, same decision. Never throws, whatever the message.
 * Property tests hold that no redeem is asked for without a press that carries the live operation id, and a proved
 * identifier.
 */
export function step(state: ConversationState, input: Input, context: Context): Decision {
  const decision = decide(state, input, context);
  return decision.effect ? decision : { ...decision, wakeAtMs: nextWakeMs(decision.state, context) };
}

function nextWakeMs(state: ConversationState, context: Context): number | null {
  const times = [nextCheckMs(state, context), lapseAtMs(state)].filter((at) => at !== null);
  return times.length > 0 ? Math.min(...times) : null;
}

function decide(state: ConversationState, input: Input, context: Context): Decision {
  switch (input.kind) {
    case 'message':
      return onMessage(state, input.message, context);
    case 'outcome':
      return onOutcome(state, input.outcome, context);
    case 'wake':
      return check(lapse(state, context.nowMs), context);
  }
}

function onMessage(stored: ConversationState, message: Message, context: Context): Decision {
  if (message.kind === 'settle') return settle(stored, message, context);
  if (message.kind === 'group') return say(stored, { key: 'group.private' });
  const { state, before } = arrive(stored, context);
  if (before.length > 0 && message.kind === 'choice')
    return home(state, context, { key: 'conversation.expired' });
  return after(before, respond(state, message, context));
}

/** Notes that the customer is here, and ends what has been left unfinished for too long. */
function arrive(stored: ConversationState, context: Context): { state: ConversationState; before: Reply[] } {
  const { locale } = context.sender;
  const state: ConversationState = {
    ...stored,
    lastMessageMs: context.nowMs,
    ...(locale && { clientLocale: locale }),
  };
  const unheard = stored.step.at === 'idle' && stored.step.unfinished === true;
  if (!unheard && context.nowMs - stored.lastMessageMs <= IDLE_MS) return { state, before: [] };
  const unfinished = unheard || (stored.step.at !== 'idle' && stored.step.at !== 'consenting');
  const { view: _, ...rest } = unanswered(state, context);
  return {
    state: { ...rest, step: { at: 'idle' }, draft: {} },
    before: unfinished ? [{ key: 'conversation.expired' }] : [],
  };
}

type Plain = Exclude<Message, { kind: 'settle' | 'group' }>;

function respond(state: ConversationState, message: Plain, context: Context): Decision {
  switch (message.kind) {
    case 'text':
      return onText(state, message.text, context);
    case 'choice':
      return onChoice(state, message.choice, message.view, context);
    case 'contact':
      return onContact(state, message, context);
    case 'form':
      return message.view === undefined || message.view === state.view
        ? submit(unanswered(state, context), message, context)
        : expired(state);
    case 'start':
      return onStart(unanswered(state, context), message.payload, context);
    case 'unknown': {
      const reply: Reply = { key: 'unreadable', context: message.what };
      return state.step.at === 'idle' ? home(state, context, reply) : again(state, context, reply);
    }
  }
}

function onOutcome(state: ConversationState, outcome: Outcome, context: Context): Decision {
  switch (outcome.kind) {
    case 'checked':
      return checked(state, outcome, context);
    case 'history':
      return history.outcome(state, outcome, context);
    case 'balance':
    case 'sums':
      return points.outcome(state, outcome, context);
    case 'unavailable':
      return outcome.operation === undefined ? unread(state, context) : conclude(state, outcome, context);
    case 'applied':
    case 'refused':
    case 'unknown':
    case 'busy':
      return conclude(state, outcome, context);
  }
}

/** The history or the balance could not be read: where a page was asked for, it can be asked for again. */
function unread(state: ConversationState, context: Context): Decision {
  const reply: Reply = { key: 'service.unavailable' };
  if (state.step.at !== 'browsing') return home(state, context, reply);
  const next = { ...state, view: context.ids.view };
  return say(next, { ...reply, choices: [{ id: 'retry', label: { key: 'choice.retry' } }], view: next.view });
}
