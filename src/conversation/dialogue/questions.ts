import type { SlotKind } from '../commands.ts';
import { type Decision, say, withLast } from '../decision.ts';
import { confirmsIn, type Flow, type Scope } from '../flow.ts';
import { CANCEL, choice, formOf, KINDS, named, PERIOD_CHOICES } from '../kinds.ts';
import { giftsToSuggest } from '../prompts/gifts.ts';
import { carried, isStaff, proved, remembering } from '../prompts/identity.ts';
import { showPhone } from '../prompts/mask.ts';
import type { Choice, Reply } from '../reply.ts';
import type { Asking, ConversationState, Offer, Step } from '../state.ts';
import { busy } from './operations.ts';

/*
 * The question that stands, and how it comes to stand.
 */

/** A step that waits for a slot. */
export const asking = ({ name }: Flow, slot: SlotKind, more: Partial<Asking> = {}): Asking => ({
  at: 'asking',
  flow: name,
  slot,
  tries: 0,
  ...more,
});

/** Moves to `step` under a fresh view and asks its question: buttons of every earlier question are dead from now on. */
export function pose(
  state: ConversationState,
  step: Step,
  scope: Scope,
  ...before: readonly Reply[]
): Decision {
  const next = { ...state, step, view: scope.ids.view };
  return say(next, ...before, question(next, scope));
}

/** Shows the summary of a flow: its button carries a new operation, and works once. */
export function confirm(
  state: ConversationState,
  { name }: Flow,
  scope: Scope,
  ...before: readonly Reply[]
): Decision {
  const step = { at: 'confirming', flow: name, operation: scope.ids.operation } as const;
  return pose(state, step, scope, ...before);
}

/** Asks the live question once more, its buttons still alive. */
export function again(state: ConversationState, scope: Scope, ...before: readonly Reply[]): Decision {
  const live = viewed(state, scope);
  return say(live, ...before, question(live, scope));
}

/** The menu of who has not been asked anything yet is live, too. */
export function viewed(state: ConversationState, { ids }: Scope): ConversationState {
  return state.view === undefined ? { ...state, view: ids.view } : state;
}

/**
 * Says something that ends nothing: what was being asked is asked once more, a page that is shown can still be turned.
 * `offered`: buttons of what may have been meant.
 */
export function aside(
  state: ConversationState,
  scope: Scope,
  reply: Reply,
  offered: readonly Choice[] = [],
): Decision {
  const { at } = state.step;
  const isAsked = at !== 'idle' && at !== 'browsing';
  // Whom staff serve next may be somebody else.
  const live = viewed(at === 'idle' && isStaff(scope) ? { ...state, draft: {} } : state, scope);
  const { choices = [], ...asked } = question(live, scope);
  const others = choices.filter(({ id }) => !offered.some((one) => one.id === id));
  const last = { ...asked, choices: [...offered, ...others] };
  return isAsked ? say(live, reply, last) : say(live, { ...last, ...reply });
}

/**
 * Back to the start: the flow is over, `reply` says why and carries the menu. Where none ran, a number that was shared
 * stays for the one that follows; whom staff serve next may be somebody else.
 */
export function home(state: ConversationState, scope: Scope, reply: Reply): Decision {
  const stays = state.step.at === 'idle' && !isStaff(scope);
  const draft = stays ? state.draft : {};
  const over = remembering(state, scope);
  const next: ConversationState = { ...over, step: { at: 'idle' }, draft, view: scope.ids.view };
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
  const shortcuts = shortcutsIn(decision.state, balance, scope).filter(
    ({ id }) => !choices.some((one) => one.id === id),
  );
  return withLast(decision, { choices: [...choices, ...shortcuts] });
}

/** Gifts that the customer may well want, of whom it is known who they are. */
function shortcutsIn(state: ConversationState, points: number | undefined, scope: Scope): Choice[] {
  if (proved(carried(state, scope)) === undefined || !scope.serviceUp) return [];
  return scope.flows.all.flatMap((flow) => {
    const confirms = confirmsIn(flow);
    if (!confirms || !flow.slots.includes('gift') || busy(state, confirms)) return [];
    return giftsToSuggest(scope, points).map(({ code, name: gift, score }) => ({
      id: `${flow.name}:1:${code}`,
      label: { key: `choice.${flow.name}.gift`, params: { gift, score } },
    }));
  });
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

/** Says which button a summary takes: with the whole summary only where another word will do then. */
export function pointAt(state: ConversationState, flow: Flow, scope: Scope): Decision {
  if (confirmsIn(flow)?.byWord) return again(state, scope, { key: 'confirm.press', context: flow.name });
  const { choices = [], asks, view } = question(state, scope);
  return say(state, {
    key: 'confirm.press',
    choices: choices.filter(({ id }) => /^(confirm:|cancel$)/.test(id)),
    asks,
    view,
  });
}

/** The question that the state waits on, as a reply. */
export function question(state: ConversationState, scope: Scope): Reply {
  const { step, view } = state;
  switch (step.at) {
    case 'idle':
      return withMenu(state, { key: 'menu' }, scope);
    case 'browsing': {
      const menu = withMenu(state, { key: 'menu' }, scope);
      return { ...menu, choices: [...(menu.choices ?? []), ...PERIOD_CHOICES] };
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

function askSlot(state: ConversationState, step: Asking, scope: Scope): Reply {
  const { draft } = state;
  if (step.offer) return offer(step, step.offer, scope);
  const flow = scope.flows.get(step.flow);
  if (!flow) return { key: 'menu' };
  const plain = KINDS[step.slot].ask(flow, step, draft, scope);
  const whom = step.slot === 'phone' ? lastCustomer(state, scope) : [];
  const asked = { ...plain, choices: [...whom, ...(plain.choices ?? [])] };
  const form = formOf(flow, draft);
  return form.length > 1 && !step.editing ? { ...asked, form } : asked;
}

/** A doubt: a value to take over by one press; nothing is taken unasked. */
function offer(step: Asking, { why, meant, typed }: Offer, scope: Scope): Reply {
  switch (why) {
    case 'mapped':
    case 'leadingZero':
      return {
        key: `phone.${why}`,
        params: { phone: showPhone(meant) },
        choices: [choice('use'), choice('other'), CANCEL],
        asks: 'phone',
      };
    case 'code':
      return {
        key: 'code.offer',
        params: { typed: typed ?? '', code: meant },
        choices: [choice('use'), choice('keep'), CANCEL],
        asks: 'code',
      };
    case 'typo':
      return {
        key: 'email.typo',
        params: { email: meant },
        choices: [choice('use'), ...(typed === undefined ? [] : [choice('keep')]), CANCEL],
        asks: step.slot === 'email' || scope.sender.proof !== 'contact' ? 'email' : 'phone',
      };
  }
}

/** What is about to be asked of AntCRM; only its button, which carries the operation, goes on. */
function summary(
  { draft, profile }: ConversationState,
  { flow: name, operation }: Extract<Step, { at: 'confirming' }>,
  scope: Scope,
): Reply {
  const flow = scope.flows.get(name);
  const confirms = flow && confirmsIn(flow);
  return {
    key: `${name}.summary`,
    lines: [...(confirms?.summary(draft, profile, scope) ?? [])],
    image: confirms?.image?.(draft, scope),
    choices: [
      { id: `confirm:${operation}`, label: { key: `choice.confirm.${name}` } },
      ...(confirms?.edits(draft) ?? []),
      CANCEL,
    ],
    asks: 'confirm',
  };
}

/** The version of the text that customers consent to (`privacy.consent`); raise it with every change of meaning. */
export const CONSENT_VERSION = 2;

/** Whether this customer agreed to the text as it is today. */
export function hasAgreed({ consent }: ConversationState): boolean {
  return consent?.given === true && consent.version === CONSENT_VERSION;
}

/**
 * The number (E.164) that points were earned for, where another one is remembered and nobody proved either: it may be the
 * customer's new one, or somebody else's for once.
 */
export function otherPhone(state: ConversationState): string | undefined {
  const { phone } = state.draft;
  const known = state.profile.phone;
  if (!hasAgreed(state) || phone === undefined || known === undefined) return undefined;
  const isOther = phone.value !== known.value && !phone.proved && !known.proved;
  return isOther ? phone.value : undefined;
}

/** May phone and e-mail be remembered? Or, where they are already: may this number take the other's place? */
function consentQuestion(state: ConversationState): Reply {
  const phone = otherPhone(state);
  return phone === undefined
    ? { key: 'privacy.consent' }
    : { key: 'privacy.consent', context: 'other', params: { phone: showPhone(phone) } };
}

/** Whose turn it was last is one tap away for staff, and never taken silently. */
function lastCustomer({ before }: ConversationState, scope: Scope): Choice[] {
  const { phone, email } = before ?? {};
  const name = phone ? showPhone(phone.value) : email?.value;
  if (!isStaff(scope) || name === undefined) return [];
  return [{ id: 'before', label: { key: 'choice.before', params: { name } } }];
}
