import { type Decision, say, withLast } from '../decision.ts';
import type { Flow, Scope } from '../flow.ts';
import { LOCALES } from '../message.ts';
import type { Choice, Line, Reply } from '../reply.ts';
import type { ConversationState, Draft, Step } from '../state.ts';
import { consentQuestion } from './consent-question.ts';
import { isProofAsked } from './explain.ts';
import { whose } from './identity.ts';
import { showPhone } from './mask.ts';

/** The stable ids of the choices stand here and in the flows that answer to them. */
const choice = (id: string, params?: Line['params']): Choice => ({
  id,
  label: { key: `choice.${id.split(':', 1)[0]}`, params },
});
/** A choice whose label has the whole id in its key. */
export const named = (id: string): Choice => ({ id, label: { key: `choice.${id}` } });

export const CANCEL = choice('cancel');
const LANGUAGES = LOCALES.map((locale) => named(`language:${locale}`));

/** Moves to `step` under a fresh view and asks its question: buttons of every earlier question are dead from now on. */
export function pose(state: ConversationState, step: Step, scope: Scope, ...before: Reply[]): Decision {
  const next = { ...state, step, view: scope.ids.view };
  return say(next, ...before, question(next, scope));
}

/** Shows the summary of a flow: its button carries a new operation, and works once. */
export function confirm(state: ConversationState, { name }: Flow, scope: Scope): Decision {
  return pose(state, { at: 'confirming', flow: name, operation: scope.ids.operation }, scope);
}

/** Asks the live question once more, its buttons still alive. */
export function again(state: ConversationState, scope: Scope, ...before: Reply[]): Decision {
  return say(state, ...before, question(state, scope));
}

/** Says something that ends nothing: what was being asked is asked once more, a page that is shown can still be turned. */
export function aside(state: ConversationState, scope: Scope, reply: Reply): Decision {
  switch (state.step.at) {
    case 'idle': {
      // Whom staff serve next may be somebody else.
      const draft = scope.sender.proof === 'token' ? {} : state.draft;
      const shown = { ...state, draft, view: state.view ?? scope.ids.view };
      return say(shown, withMenu(shown, reply, scope));
    }
    case 'browsing':
      return say(state, { ...question(state, scope), ...reply });
    case 'asking':
    case 'confirming':
    case 'consenting':
      return again(state, scope, reply);
  }
}

/**
 * Back to the start: the flow is over, `reply` says why and carries the menu. Where none ran, a number that was shared
 * stays for the one that follows; whom staff serve next may be somebody else.
 */
export function home(state: ConversationState, scope: Scope, reply: Reply): Decision {
  const stays = state.step.at === 'idle' && scope.sender.proof !== 'token';
  const draft = stays ? state.draft : {};
  const next: ConversationState = { ...state, step: { at: 'idle' }, draft, view: scope.ids.view };
  return say(next, withMenu(next, reply, scope));
}

/**
 * The same, where the customer may well go on: after good news, and where nothing but the menu is shown. `balance`: what
 * they have, where that was just read.
 */
export function homeWithShortcuts(
  state: ConversationState,
  scope: Scope,
  reply: Reply,
  balance?: number,
): Decision {
  const decision = home(state, scope, reply);
  const choices = decision.replies.at(-1)?.choices ?? [];
  const shortcuts = scope.flows.all
    .flatMap((flow) => flow.shortcuts(decision.state, balance, scope))
    .filter(({ id }) => !choices.some((one) => one.id === id));
  return withLast(decision, { choices: [...choices, ...shortcuts] });
}

/** The same reply with the menu's buttons after its own, where nothing else is being asked. */
export function withMenu(
  state: ConversationState,
  reply: Reply,
  { flows }: Scope,
  ...before: readonly Choice[]
): Reply {
  const menu = flows.all.map(({ name }) => choice(name));
  return {
    ...reply,
    choices: [...(reply.choices ?? []), ...before, ...menu],
    asks: 'menu',
    view: state.view,
  };
}

/** The question that the state waits on, as a reply. */
export function question(state: ConversationState, scope: Scope): Reply {
  const { step, view } = state;
  switch (step.at) {
    case 'idle':
      return withMenu(state, { key: 'menu' }, scope);
    case 'browsing': {
      const menu = withMenu(state, { key: 'menu' }, scope);
      const paging = scope.flows.get(step.flow)?.page?.choices ?? [];
      return { ...menu, choices: [...(menu.choices ?? []), ...paging] };
    }
    case 'asking':
      return { ...askSlot(state, step, scope), view };
    case 'confirming':
      return { ...summary(state, step, scope), view };
    case 'consenting':
      return {
        ...consentQuestion(state),
        choices: [named('consent:accept'), named('consent:decline')],
        asks: 'consent',
        view,
      };
  }
}

export function askLanguage(state: ConversationState): Reply {
  return { key: 'language.ask', choices: LANGUAGES, asks: 'menu', view: state.view };
}

type Asking = Extract<Step, { at: 'asking' }>;

function askSlot({ draft }: ConversationState, step: Asking, scope: Scope): Reply {
  if (step.offer) return offer(step, step.offer, scope);
  const flow = scope.flows.get(step.flow);
  const asked = flow && slotQuestion(flow, step, draft, scope);
  if (!asked) return { key: 'menu' };
  const form = flow.form(draft) ?? [];
  return form.length > 1 && !step.editing ? { ...asked, form } : asked;
}

/** Phone and e-mail are asked for alike by every flow, all else by the flow itself. */
function slotQuestion(flow: Flow, step: Asking, draft: Draft, scope: Scope): Reply | undefined {
  const { slot, tries, editing } = step;
  switch (slot) {
    case 'phone':
      return flow.identity === 'typed' ? askPhone(flow, scope) : askIdentity(tries, scope);
    case 'email':
      return {
        key: `${flow.name}.askEmail`,
        context: whose(scope),
        choices: [choice('skip'), CANCEL],
        asks: 'email',
        // Whoever wants to change it was asked whether they want one.
        ...(editing && askedPlainly(step, scope)),
      };
    default:
      return flow.questions[slot]?.ask(scope, draft);
  }
}

function askPhone({ name }: Flow, scope: Scope): Reply {
  const asked: Reply = {
    key: `${name}.askPhone`,
    context: whose(scope),
    choices: [CANCEL],
    asks: 'phone',
  };
  return scope.sender.proof === 'contact' ? { ...asked, sharePhone: true } : asked;
}

/** How a question is asked of whoever said yes to it: plainly. Others ask so already. */
export function askedPlainly({ flow: name, slot }: Asking, scope: Scope): Partial<Reply> {
  if (slot === 'email') return { key: 'email.wanted', context: undefined };
  if (slot !== 'phone') return {};
  if (scope.flows.get(name)?.identity === 'proved') return isProofAsked(scope) ? { context: 'again' } : {};
  return { key: 'phone.wanted', context: scope.sender.proof === 'contact' ? 'share' : undefined };
}

/** Why sharing is needed is said once. */
function askIdentity(tries: number, scope: Scope): Reply {
  const again = tries > 0 ? 'again' : undefined;
  return isProofAsked(scope)
    ? { key: 'identity.proofNeeded', context: again, choices: [CANCEL], asks: 'phone', sharePhone: true }
    : { key: 'identity.ask', context: whose(scope), choices: [CANCEL], asks: 'phone' };
}

/** A value to take over by one press; nothing is taken unasked. */
function offer(step: Asking, { why, value, typed }: NonNullable<Asking['offer']>, scope: Scope): Reply {
  switch (why) {
    case 'mapped':
    case 'leadingZero':
      return {
        key: `phone.${why}`,
        params: { phone: showPhone(value) },
        choices: [choice('use'), choice('other'), CANCEL],
        asks: 'phone',
      };
    case 'code':
      return {
        key: 'code.offer',
        params: { typed: typed ?? '', code: value },
        choices: [choice('use'), choice('keep'), CANCEL],
        asks: 'code',
      };
    case 'typo':
      return {
        key: 'email.typo',
        params: { email: value },
        choices: [choice('use'), ...(typed === undefined ? [] : [choice('keep')]), CANCEL],
        asks: step.slot === 'email' || scope.sender.proof !== 'contact' ? 'email' : 'phone',
      };
  }
}

/** What is about to be asked of AntCRM; only its button, which carries the operation, goes on. */
function summary(
  state: ConversationState,
  { flow: name, operation }: Extract<Step, { at: 'confirming' }>,
  scope: Scope,
): Reply {
  const confirmation = scope.flows.get(name)?.confirmation;
  return {
    key: `${name}.summary`,
    lines: [...(confirmation?.summary(state.draft, state, scope) ?? [])],
    image: confirmation?.image?.(state.draft, scope),
    choices: [
      { id: `confirm:${operation}`, label: { key: `choice.confirm.${name}` } },
      ...(confirmation?.edits(state.draft) ?? []),
      CANCEL,
    ],
    asks: 'confirm',
  };
}
