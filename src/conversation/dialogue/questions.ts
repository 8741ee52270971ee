import type { Command, Expecting, SlotKind } from '../commands.ts';
import { confirmsIn, type Flow, type Scope } from '../flow.ts';
import { formOf, KINDS, PERIOD_CHOICES, periodNamed, TYPES } from '../kinds.ts';
import { LOCALES } from '../message.ts';
import { giftOf, isStaff, otherPhone, profileOf, remembering, showPhone } from '../prompts.ts';
import { CANCEL, type Choice, choice, type Decision, type Reply, say } from '../reply.ts';
import { type Asking, type Confirming, type Offer, type State, type Step, takenTicket } from '../state.ts';
import { isNamedPeriod } from '../values/calendar.ts';
import { confirmationOf } from './operations.ts';

/*
 * The question that stands, and how it comes to stand.
 */

/** A step that waits for a slot. */
export function asking({ name }: Flow, slot: SlotKind, more: Partial<Asking> = {}): Asking {
  return { at: 'asking', flow: name, slot, tries: 0, ...more };
}

/** Moves to `step` under a fresh view and asks its question: buttons of earlier questions are dead now. */
export function pose(state: State, step: Step, scope: Scope, ...before: readonly Reply[]): Decision {
  return again({ ...state, step, view: scope.ids.view }, scope, ...before);
}

/** Asks the live question once more, its buttons still alive. */
export function again(state: State, scope: Scope, ...before: readonly Reply[]): Decision {
  const live = viewed(state, scope);
  return say(live, ...before, question(live, scope));
}

/** The menu of who has not been asked anything yet is live, too. */
export function viewed(state: State, { ids }: Scope): State {
  return state.view === undefined ? { ...state, view: ids.view } : state;
}

/**
 * Says something that ends nothing: what was being asked is asked once more, a page that is shown can still be turned.
 * `offered`: buttons of what may have been meant.
 */
export function aside(state: State, scope: Scope, reply: Reply, offered: readonly Choice[] = []): Decision {
  const { at } = state.step;
  const isAsked = at !== 'idle' && at !== 'browsing';
  // Whom staff serve next may be somebody else.
  const live = viewed(at === 'idle' && isStaff(scope) ? { ...state, draft: {} } : state, scope);
  // What is written now goes to a person: nothing is asked.
  if (takenTicket(live)) return say(live, withMenu(live, reply, scope));
  const { choices = [], ...asked } = question(live, scope);
  const others = choices.filter(({ id }) => !offered.some((one) => one.id === id));
  const last = { ...asked, choices: [...offered, ...others] };
  return isAsked ? say(live, reply, last) : say(live, { ...last, ...reply });
}

/**
 * Back to the start: the flow is over, `reply` says why and carries the menu. Where none ran, a number that was shared
 * stays for the one that follows; whom staff serve next may be somebody else.
 */
export function home(state: State, scope: Scope, reply: Reply): Decision {
  const stays = state.step.at === 'idle' && !isStaff(scope);
  const draft = stays ? state.draft : {};
  const over = remembering(state, scope);
  const next: State = { ...over, step: { at: 'idle' }, draft, view: scope.ids.view };
  return say(next, withMenu(next, reply, scope));
}

/** The same reply with the menu's buttons after its own, where nothing else is being asked. */
export function withMenu(
  { view, tickets }: State,
  reply: Reply,
  { flows }: Scope,
  more: readonly Choice[] = [],
): Reply {
  // Beside a person, nothing is begun.
  const menu = takenTicket({ tickets })
    ? [choice('person:leave')]
    : flows.all.map(({ name }) => choice(name));
  return { ...reply, choices: [...(reply.choices ?? []), ...menu, ...more], asks: 'menu', view };
}

/** Says which button a summary takes: with the whole summary only where another word may do then. */
export function pointAt(state: State, flow: Flow, scope: Scope): Decision {
  if (confirmsIn(flow)?.byWord) return again(state, scope, { key: 'confirm.press', context: flow.name });
  const { choices = [], asks, view } = question(state, scope);
  const buttons = choices.filter(({ id }) => /^(confirm:|cancel$)/.test(id));
  return say(state, { key: 'confirm.press', choices: buttons, asks, view });
}

/** The question that the state waits on, as a reply. */
export function question(state: State, scope: Scope): Reply {
  const { step, view } = state;
  switch (step.at) {
    case 'idle':
      return withMenu(state, { key: 'menu' }, scope);
    case 'browsing':
      return withMenu(state, { key: 'menu' }, scope, PERIOD_CHOICES);
    case 'asking':
      return { ...(step.offer ? doubt(step, step.offer, scope) : askSlot(state, step, scope)), view };
    case 'confirming':
      return { ...summary(state, step, scope), view };
    case 'consenting': {
      const other = otherPhone(state);
      const { phone, email } = profileOf(state);
      const what = other
        ? { context: 'other', params: { phone: showPhone(other) } }
        : { context: phone && email ? undefined : email ? 'email' : 'phone' };
      const choices = [choice('consent:accept'), choice('consent:decline')];
      return { key: 'privacy.consent', ...what, choices, asks: 'consent', view };
    }
  }
}

function askSlot(state: State, step: Asking, scope: Scope): Reply {
  const { draft } = state;
  const flow = scope.flows.get(step.flow);
  if (!flow) return { key: 'menu' };
  const plain = KINDS[step.slot].ask({ flow, step, draft }, scope);
  const whom = step.slot === 'phone' ? lastCustomer(state, scope) : [];
  const asked = { ...plain, choices: [...whom, ...(plain.choices ?? []), CANCEL] };
  const form = formOf(flow, draft);
  return form.length > 1 && !step.editing ? { ...asked, form } : asked;
}

/** Whose turn it was last is one tap away for staff, and never taken silently. */
function lastCustomer({ before }: State, scope: Scope): Choice[] {
  const { phone, email } = before ?? {};
  const name = phone ? showPhone(phone.value) : email?.value;
  return isStaff(scope) && name !== undefined ? [choice('before', { params: { name } })] : [];
}

/** A value to take over by one press; nothing is taken unasked. */
function doubt({ slot }: Asking, { why, meant, typed }: Offer, { sender }: Scope): Reply {
  const buttons = (...ids: string[]) => [...ids.map((id) => choice(id)), CANCEL];
  switch (why) {
    case 'mapped':
    case 'leadingZero': {
      const params = { phone: showPhone(meant) };
      return { key: `phone.${why}`, params, choices: buttons('use', 'other'), asks: 'phone' };
    }
    case 'code': {
      const params = { typed: typed ?? '', code: meant };
      return { key: 'code.offer', params, choices: buttons('use', 'keep'), asks: 'code' };
    }
    case 'typo': {
      const choices = typed === undefined ? buttons('use') : buttons('use', 'keep');
      const asks = slot === 'email' || sender.proof !== 'contact' ? 'email' : 'phone';
      return { key: 'email.typo', params: { email: meant }, choices, asks };
    }
  }
}

/** What is about to be asked of AntCRM; only its button, which carries the operation, goes on. */
function summary({ draft, profile }: State, { flow: name, operation }: Confirming, scope: Scope): Reply {
  const flow = scope.flows.get(name);
  const confirms = flow && confirmsIn(flow);
  const confirm = choice(`confirm:${operation}`, { key: `choice.confirm.${name}` });
  return {
    key: `${name}.summary`,
    lines: [...(confirms?.summary(draft, profile, scope) ?? [])],
    image: giftOf(draft.code, scope)?.image,
    choices: [confirm, ...(confirms?.edits(draft) ?? []), CANCEL],
    asks: 'confirm',
  };
}

/* What is live: what a text may answer, and what a pressed button says, whose id is stable. */

/** What is live while a text is read. */
export function expecting(state: State, scope: Scope): Expecting {
  const { step, draft } = state;
  const isAsking = step.at === 'asking';
  const doubted = isAsking && step.offer?.why === 'typo' ? 'email' : undefined;
  return {
    at: AT[isAsking && step.offer ? 'doubt' : step.at],
    flow: 'flow' in step ? step.flow : undefined,
    kind: isAsking ? (doubted ?? step.slot) : undefined,
    ...(isAsking && step.editing && { editing: true }),
    ...(isStaff(scope) && { isStaff: true }),
    // Only a number or a place picks a button, so most texts need none.
    get buttons() {
      const { choices = [] } = question(state, scope);
      return choices.map(({ id }) => (id.startsWith('confirm:') ? null : id));
    },
    codes: draft.codes ?? [],
    gift: draft.code,
    phone: draft.phone?.value,
    email: draft.email?.value,
    references: state.operations.flatMap(({ id }) => [id, confirmationOf(id)]),
  };
}

const AT = {
  idle: 'nothing',
  asking: 'slot',
  doubt: 'doubt',
  confirming: 'summary',
  browsing: 'page',
  consenting: 'consent',
} as const;

/** The commands of a button; that it expired, where it is none of the live question's. */
export function pressed(state: State, choice: string, scope: Scope): readonly Command[] {
  const [, name = '', value = ''] = /^([^:]*):?(.*)$/s.exec(choice) ?? [];
  return saidBy(name, value, state, scope) || [{ do: 'expired' }];
}

function saidBy(
  name: string,
  value: string,
  { step, draft, before }: State,
  scope: Scope,
): readonly Command[] | false | undefined {
  const asked = step.at === 'asking' ? step.slot : undefined;
  const isPage = step.at === 'browsing';
  switch (name) {
    case 'use':
    case 'keep':
    case 'other':
      return step.at === 'asking' && step.offer && [{ do: name }];
    case 'skip':
      return asked === 'email' && [{ do: 'none' }];
    case 'gift':
      return asked === 'gift' && [{ do: 'set', slot: 'gift', value }];
    case 'period':
      if (!isNamedPeriod(value) || !(isPage || asked === 'period')) return undefined;
      return [{ do: 'period', period: periodNamed(value, scope) }];
    case 'before':
      if (asked !== 'phone') return undefined;
      return (['phone', 'email'] as const).flatMap((slot): Command[] => {
        const known = before?.[slot];
        return known ? [{ do: 'set', slot, value: known.value }] : [];
      });
    case 'confirm':
      return step.at === 'confirming' && value === step.operation && [{ do: 'confirm', operation: value }];
    case 'remove': {
      const place = Number(value);
      return draft.codes?.[place - 1] !== undefined && [{ do: 'remove', which: [{ place }] }];
    }
    case 'edit': {
      const flow = step.at === 'confirming' ? scope.flows.get(step.flow) : undefined;
      const edits = (flow && confirmsIn(flow)?.edits(draft)) ?? [];
      if (!edits.some(({ id }) => id === `${name}:${value}`)) return undefined;
      const field = flow?.slots.map((slot) => KINDS[slot].field).find((one) => one === value);
      return field && [{ do: 'change', field }];
    }
    case 'next':
    case 'previous':
      return isPage && [{ do: 'page', to: name }];
    case 'retry':
      return isPage && [{ do: 'page', to: 'same' }];
    case 'consent':
      return step.at === 'consenting' && [{ do: 'consent', given: value === 'accept' }];
    case 'language': {
      const locale = LOCALES.find((one) => one === value);
      return locale ? [{ do: 'speak', locale }] : [{ do: 'show', what: 'languages' }];
    }
    case 'person':
    case 'help':
    case 'menu':
    case 'privacy':
      return [{ do: 'show', what: name }];
    case 'answer':
      return scope.answered.has(value) && [{ do: 'ask', about: 'answer', id: value }];
    case 'cancel':
    case 'forget':
      return [{ do: name }];
    default: {
      const flow = scope.flows.get(name);
      if (!flow) return undefined;
      const start = { do: 'start', flow: name } as const;
      if (value === '') return [start];
      const of = TYPES.find((one) => one === value);
      const isHere = (isPage || asked === 'list') && 'flow' in step && step.flow === name;
      if (flow.slots.includes('list'))
        return of && (isHere ? [{ do: 'kind', of }] : [start, { do: 'kind', of }]);
      return flow.slots.includes('gift') ? [start, { do: 'set', slot: 'gift', value }] : undefined;
    }
  }
}
