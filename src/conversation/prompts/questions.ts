import type { Context } from '../context.ts';
import { type Decision, say } from '../decision.ts';
import type { Known } from '../effect.ts';
import type { Choice, Field, Line, Reply } from '../reply.ts';
import type { ConversationState, Draft, Step } from '../state.ts';
import { maskEmail, maskPhone, showPhone } from './mask.ts';

/** The stable ids of the choices stand here and in the flows that answer to them. */
const choice = (id: string, params?: Line['params']): Choice => ({
  id,
  label: { key: `choice.${id.split(':', 1)[0]}`, params },
});
const named = (id: string): Choice => ({ id, label: { key: `choice.${id}` } });

const CANCEL = choice('cancel');
const MENU = [choice('accumulate'), choice('redeem'), choice('points'), choice('history')];
const PERIODS = ['7d', '30d', 'month', 'lastMonth', 'all'].map((name) => named(`period:${name}`));
const LANGUAGES = [named('language:vi'), named('language:en')];

/** Moves to `step` under a fresh view and asks its question: buttons of every earlier question are dead from now on. */
export function pose(state: ConversationState, step: Step, context: Context, ...before: Reply[]): Decision {
  const next = { ...state, step, view: context.ids.view };
  return say(next, ...before, question(next, context));
}

/** Asks the live question once more, its buttons still alive. */
export function again(state: ConversationState, context: Context, ...before: Reply[]): Decision {
  return say(state, ...before, question(state, context));
}

/** Back to the start: the flow is over, `reply` says why and carries the menu. */
export function home(state: ConversationState, context: Context, reply: Reply): Decision {
  const next: ConversationState = { ...state, step: { at: 'idle' }, draft: {}, view: context.ids.view };
  return say(next, withMenu(next, reply));
}

/** The same reply with the menu's buttons, where nothing else is being asked. */
export function withMenu(state: ConversationState, reply: Reply, ...before: readonly Choice[]): Reply {
  return { ...reply, choices: [...before, ...MENU], asks: 'menu', view: state.view };
}

/** The question that the state waits on, as a reply. */
export function question(state: ConversationState, context: Context): Reply {
  const { step, draft, view, profile } = state;
  switch (step.at) {
    case 'idle':
      return withMenu(state, { key: 'menu' });
    case 'browsing':
      return { ...withMenu(state, { key: 'menu' }), choices: [...MENU, ...PERIODS] };
    case 'asking':
      return { ...askSlot(step, draft, context), view };
    case 'confirming':
      return { ...summary(step.flow, step.operation, { draft, profile }, context), view };
    case 'consenting':
      return {
        key: 'privacy.consent',
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

function askSlot(step: Asking, draft: Draft, context: Context): Reply {
  if (step.offer) return offer(step, step.offer, context);
  const asked = slotQuestion(step, context);
  const form = step.flow === 'accumulate' ? missingFields(draft) : [];
  return form.length > 1 && !step.editing ? { ...asked, form } : asked;
}

function slotQuestion({ flow, slot, tries }: Asking, context: Context): Reply {
  switch (slot) {
    case 'code':
      return flow === 'redeem'
        ? askGift(context)
        : { key: 'accumulate.askCode', choices: [CANCEL], asks: 'code' };
    case 'phone':
      return flow === 'accumulate' ? askPhone(context) : askIdentity(tries, context);
    case 'email':
      return {
        key: 'accumulate.askEmail',
        context: whose(context),
        choices: [choice('skip'), CANCEL],
        asks: 'email',
      };
    case 'type':
      return {
        key: 'history.askType',
        choices: [named('history:point'), named('history:gift'), CANCEL],
        asks: 'menu',
      };
    case 'period':
      return { key: 'history.askPeriod', choices: [...PERIODS, CANCEL], asks: 'period' };
  }
}

function askGift(context: Context): Reply {
  const gifts = context.settings.gifts.map((gift) => ({
    id: `gift:${gift.code}`,
    label: { key: 'choice.gift', params: { name: gift.name, score: gift.score } },
  }));
  const key = gifts.length > 0 ? 'redeem.askGift' : 'redeem.askCode';
  return { key, choices: [...gifts, CANCEL], asks: 'code' };
}

function askPhone(context: Context): Reply {
  const asked: Reply = {
    key: 'accumulate.askPhone',
    context: whose(context),
    choices: [CANCEL],
    asks: 'phone',
  };
  return context.sender.proof === 'contact' ? { ...asked, sharePhone: true } : asked;
}

/** Staff ask and answer for the customer beside them: the variant of a wording that speaks of the customer. */
export function whose({ sender }: Context): 'staff' | undefined {
  return sender.proof === 'token' ? 'staff' : undefined;
}

/** Why sharing is needed is said once. */
function askIdentity(tries: number, context: Context): Reply {
  const again = tries > 0 ? 'again' : undefined;
  return context.sender.proof === 'contact' && context.settings.identityProof === 'required'
    ? { key: 'identity.proofNeeded', context: again, choices: [CANCEL], asks: 'phone', sharePhone: true }
    : { key: 'identity.ask', context: whose(context), choices: [CANCEL], asks: 'phone' };
}

/** A value to take over by one press; nothing is taken unasked. */
function offer(step: Asking, { why, value }: NonNullable<Asking['offer']>, context: Context): Reply {
  switch (why) {
    case 'known':
      return {
        key: 'identity.useKnown',
        params: { phone: maskPhone(value) },
        choices: [{ id: 'use', label: { key: 'choice.use.known' } }, choice('other'), CANCEL],
        asks: 'phone',
      };
    case 'mapped':
    case 'leadingZero':
      return {
        key: `phone.${why}`,
        params: { phone: showPhone(value) },
        choices: [choice('use'), choice('other'), CANCEL],
        asks: 'phone',
      };
    case 'typo':
      return {
        key: 'email.typo',
        params: { email: value },
        choices: [choice('use'), choice('keep'), CANCEL],
        asks: step.slot === 'email' || context.sender.proof !== 'contact' ? 'email' : 'phone',
      };
  }
}

function missingFields(draft: Draft): Field[] {
  const fields: Field[] = [];
  if (draft.code === undefined) fields.push({ slot: 'code', required: true });
  if (draft.phone === undefined) fields.push({ slot: 'phone', required: true });
  if (draft.email === undefined) fields.push({ slot: 'email', required: false });
  return fields;
}

type Gathered = Pick<ConversationState, 'draft' | 'profile'>;

function summary(
  flow: 'accumulate' | 'redeem',
  operation: string,
  gathered: Gathered,
  context: Context,
): Reply {
  const lines = flow === 'accumulate' ? accumulateLines(gathered) : redeemLines(gathered.draft, context);
  const edits =
    flow === 'accumulate'
      ? [named('edit:code'), named('edit:phone'), named('edit:email')]
      : [{ id: 'edit:code', label: { key: 'choice.edit:gift' } }];
  return {
    key: `${flow}.summary`,
    lines,
    choices: [{ id: `confirm:${operation}`, label: { key: `choice.confirm.${flow}` } }, ...edits, CANCEL],
    asks: 'confirm',
  };
}

function accumulateLines({ draft, profile }: Gathered): Line[] {
  const { code = '', phone, email } = draft;
  const lines: Line[] = [{ key: 'summary.code', params: { code } }];
  if (phone) {
    const shown = isReadBack(phone, profile.phone) ? maskPhone(phone.value) : showPhone(phone.value);
    lines.push({ key: 'summary.phone', params: { phone: shown } });
  }
  if (email) {
    const shown = isReadBack(email, profile.email) ? maskEmail(email.value) : email.value;
    lines.push({ key: 'summary.email', params: { email: shown } });
  }
  lines.push({ key: 'summary.purpose' });
  return lines;
}

/** Remembered and unproved: whoever writes now need not be who typed it then. */
function isReadBack(known: Known, remembered: Known | undefined): boolean {
  return !known.proved && known.value === remembered?.value;
}

function redeemLines(draft: Draft, context: Context): Line[] {
  const gift = context.settings.gifts.find(({ code }) => code === draft.code);
  const lines: Line[] = gift
    ? [
        { key: 'summary.gift', params: { gift: gift.name } },
        { key: 'summary.price', params: { score: gift.score } },
      ]
    : [{ key: 'summary.giftCode', params: { code: draft.code ?? '' } }, { key: 'summary.priceUnknown' }];
  const { phone, email } = draft;
  if (phone) lines.push({ key: 'summary.phone', params: { phone: maskPhone(phone.value) } });
  if (email) lines.push({ key: 'summary.email', params: { email: maskEmail(email.value) } });
  lines.push({ key: 'summary.irreversible' }, { key: 'summary.purpose', context: 'redeem' });
  return lines;
}
