import type { Command, Expecting, SlotKind } from '../commands.ts';
import { confirmsIn, type Flow, type Scope } from '../flow.ts';
import { formOf, KINDS, PERIOD_CHOICES, periodNamed, TYPES } from '../kinds.ts';
import { LOCALES } from '../message.ts';
import { given, isStaff, remembering, showPhone } from '../prompts/identity.ts';
import { giftOf } from '../prompts/receipts.ts';
import { CANCEL, type Choice, choice, type Decision, type Reply, say } from '../reply.ts';
import { type Asking, type Draft, type Offer, type State, type Step, takenTicket } from '../state.ts';
import { isNamedPeriod } from '../values/calendar.ts';
import { confirmationOf } from './operations.ts';

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
  const plain = KINDS[step.slot].ask(flow, step, draft, scope);
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
function summary(
  { draft, profile }: State,
  { flow: name, operation }: Extract<Step, { at: 'confirming' }>,
  scope: Scope,
): Reply {
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

/*
 * Whether phone and e-mail may be remembered.
 */

/** The version of the text that customers consent to (`privacy.consent`); raise it with every change of meaning. */
const CONSENT_VERSION = 2;
/** Whoever passes over the question so often has answered it. */
const ASKED_AT_MOST = 2;

/** Whether this customer agreed to the text as it is today. */
export function hasAgreed({ consent }: State): boolean {
  return consent?.given === true && consent.version === CONSENT_VERSION;
}

/**
 * The number (E.164) that points were earned for, where another one is remembered and nobody proved either: it may be the
 * customer's new one, or somebody else's for once.
 */
export function otherPhone(state: State): string | undefined {
  const { phone } = state.draft;
  const known = state.profile.phone;
  if (!hasAgreed(state) || phone === undefined || known === undefined) return undefined;
  const isOther = phone.value !== known.value && !phone.proved && !known.proved;
  return isOther ? phone.value : undefined;
}

/** What the customer decided now, of the text as it is today. */
const decided = (given: boolean, { nowMs, sender }: Scope): State['consent'] => ({
  given,
  version: CONSENT_VERSION,
  atMs: nowMs,
  channel: sender.channel,
});

/** Remembers phone and e-mail of the flow just ended, or lets them go with it. */
export function consent(state: State, given: boolean, scope: Scope): Decision {
  // Whether another number is remembered from now on: what was agreed to stays agreed to.
  if (hasAgreed(state) && !given) return home(state, scope, { key: 'privacy.declined', context: 'other' });
  const { consentUnanswered: _, unclear, ...rest } = state;
  const next: State = {
    ...rest,
    ...(given && unclear && { unclear }),
    consent: decided(given, scope),
    profile: given ? profileOf(state) : {},
  };
  return home(next, scope, { key: given ? 'privacy.remembered' : 'privacy.declined' });
}

/**
 * Ends a flow that gathered phone or e-mail: asks, until it is answered, for each version of the text whether they may be
 * remembered, or keeps what was agreed to, and asks whether another number takes the place of the remembered one. Staff
 * are not asked: what they typed is somebody else's, and the next customer is another one.
 */
export function finish(state: State, scope: Scope, reply: Reply): Decision {
  const { draft, consent: answered } = state;
  if (isStaff(scope)) return home(state, scope, reply);
  const isNew = answered?.version !== CONSENT_VERSION && hasMore(draft, scope);
  if (isNew || otherPhone(state) !== undefined) {
    return pose({ ...state, draft: given(draft) }, { at: 'consenting' }, scope, reply);
  }
  const known = answered?.given ? { ...state, profile: profileOf(state) } : state;
  return home(known, scope, reply);
}

/** Whether anything is known that the channel does not tell each time anyway. */
function hasMore({ phone, email }: Draft, { sender }: Scope): boolean {
  return phone !== undefined || (email != null && email.value !== sender.email);
}

/** The customer turned to something else instead of answering: nothing is remembered, and asked once more at most. */
export function unanswered(state: State, scope: Scope): State {
  if (state.step.at !== 'consenting') return state;
  const { consentUnanswered = 0, ...rest } = state;
  const idle: State = { ...rest, step: { at: 'idle' } };
  if (hasAgreed(state)) return idle;
  if (consentUnanswered + 1 < ASKED_AT_MOST) return { ...idle, consentUnanswered: consentUnanswered + 1 };
  return { ...idle, consent: decided(false, scope) };
}

/** The same where nothing is begun instead: nothing of the flow before is kept for a next one. */
export function walkedAway(state: State, scope: Scope): State {
  return state.step.at === 'consenting' ? { ...unanswered(state, scope), draft: {} } : state;
}

/** Where staff write, nothing is remembered of a customer whom the console imitated here. */
export function withoutProfile(state: State, scope: Scope): State {
  if (!isStaff(scope)) return state;
  const { consent: _, consentUnanswered: __, ...rest } = state;
  const step: Step = rest.step.at === 'consenting' ? { at: 'idle' } : rest.step;
  return { ...rest, step, profile: {} };
}

/** What was proved is kept: what is only typed may be somebody else's, for whom points were earned once. */
function profileOf({ draft, profile }: State): State['profile'] {
  const { phone, email } = given(draft);
  return {
    ...profile,
    ...(phone && (phone.proved || !profile.phone?.proved) && { phone }),
    ...(email && (email.proved || !profile.email?.proved) && { email }),
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
    buttons: (question(state, scope).choices ?? []).map(({ id }) => (id.startsWith('confirm:') ? null : id)),
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
      return (
        (isPage || asked === 'period') &&
        isNamedPeriod(value) && [{ do: 'period', period: periodNamed(value, scope) }]
      );
    case 'before':
      return (
        asked === 'phone' &&
        (['phone', 'email'] as const).flatMap((slot): Command[] => {
          const known = before?.[slot];
          return known ? [{ do: 'set', slot, value: known.value }] : [];
        })
      );
    case 'confirm':
      return (
        step.at === 'confirming' && value === step.operation && [{ do: 'confirm', operation: step.operation }]
      );
    case 'remove':
      return (
        draft.codes?.[Number(value) - 1] !== undefined && [
          { do: 'remove', which: [{ place: Number(value) }] },
        ]
      );
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
      return [{ do: 'show', what: name }];
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
