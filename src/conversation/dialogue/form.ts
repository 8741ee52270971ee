import type { Context } from '../context.ts';
import { after, type Decision, withLast } from '../decision.ts';
import { accumulate } from '../flows/accumulate.ts';
import { history } from '../flows/history.ts';
import { points } from '../flows/points.ts';
import { redeem } from '../flows/redeem.ts';
import { slotsOf } from '../flows/shapes.ts';
import { readCode } from '../language/codes.ts';
import type { Understood } from '../language/understand.ts';
import { parseEmail } from '../language/values/email.ts';
import { parsePeriod } from '../language/values/period.ts';
import { parsePhone } from '../language/values/phone.ts';
import type { Message } from '../message.ts';
import { carried, proved, typed } from '../prompts/identity.ts';
import { again, home, pose } from '../prompts/questions.ts';
import { supportLines } from '../prompts/settings.ts';
import type { Field, Line, Reply } from '../reply.ts';
import type { ConversationState, Draft, Flow, Slot, Step } from '../state.ts';
import { tooManyAttempts } from './guessing.ts';
import { busy } from './operations.ts';

/**
 * The form machine that every flow runs on: which slot is missing, what an answer is worth, what to say to an invalid
 * one. A flow is `missing` (the next slot to ask for) and `complete` (all slots are there). To add one: a file beside
 * this, a line here, its shape in `shapes.ts`, its questions in `questions.ts`.
 */
const flows = { accumulate, redeem, history, points } satisfies Record<
  Flow,
  {
    missing(draft: Draft): Slot | undefined;
    complete(state: ConversationState, context: Context): Decision;
  }
>;

/** After so many invalid answers in a row, help is offered. */
const TRIES = 3;

type Asking = Extract<Step, { at: 'asking' }>;
export type Offer = NonNullable<Asking['offer']>;

/** Begins a flow with what is known and `filled`; says so if that ends another one. */
export function start(state: ConversationState, flow: Flow, filled: Draft, context: Context): Decision {
  const left = flowOf(state.step);
  const before: Reply[] =
    left && left !== flow ? [{ key: 'flow.switched', params: { flow: { key: `flow.${left}` } } }] : [];
  const hindrance = hindranceTo(flow, state, context);
  if (hindrance) return after(before, home(state, context, hindrance));
  const same = left === flow ? state.draft : {};
  const draft: Draft = { ...same, ...carried(state, context), ...filled };
  // Said before anything is asked for: whoever cannot redeem should not pick a gift first.
  if (isUnprovable(flow, draft, context)) return after(before, home(state, context, unproved(context)));
  // The remembered phone is offered, not taken, where a typed one would do.
  if (flow === 'accumulate' && !filled.phone && !state.draft.phone) delete draft.phone;
  return after(before, advance({ ...state, draft }, flow, context));
}

/** Why a flow cannot be gone through now: said before anything is asked for. */
function hindranceTo(flow: Flow, state: ConversationState, context: Context): Reply | undefined {
  if (!context.serviceUp) return { key: 'service.unavailable' };
  if (flow !== 'accumulate' && flow !== 'redeem') return undefined;
  return busy(state, flow) ?? (flow === 'accumulate' ? tooManyAttempts(state, context) : undefined);
}

/** The flow that would be left unfinished by turning to another. */
export function flowOf(step: Step): Flow | undefined {
  return step.at === 'asking' || step.at === 'confirming' ? step.flow : undefined;
}

/** Asks for the next missing slot, or completes the flow. */
export function advance(
  state: ConversationState,
  flow: Flow,
  context: Context,
  ...before: Reply[]
): Decision {
  const slot = flows[flow].missing(state.draft);
  if (slot === undefined) return after(before, flows[flow].complete(state, context));
  if (slot === 'phone' && flow !== 'accumulate' && context.sender.proof === 'profile')
    return after(before, home(state, context, unproved(context)));
  const known = slot === 'phone' && flow === 'accumulate' ? state.profile.phone : undefined;
  const offer: Offer | undefined = known && { why: 'known', value: known.value };
  return pose(state, { at: 'asking', flow, slot, tries: 0, ...(offer && { offer }) }, context, ...before);
}

/** Whether a flow needs an identity that only the profile could prove, and does not: no answer could change that. */
function isUnprovable(flow: Flow, draft: Draft, { sender, settings }: Context): boolean {
  const byProfile = sender.proof === 'profile' && settings.identityProof === 'required';
  return flow !== 'accumulate' && byProfile && proved(draft) === undefined;
}

/** What to say where only the profile could prove who somebody is, and does not. */
function unproved(context: Context): Reply {
  return context.sender.unread
    ? { key: 'identity.unread' }
    : { key: 'identity.noEmail', lines: supportLines(context) };
}

/** Takes what was understood into the draft and goes on. */
export function fill(state: ConversationState, flow: Flow, filled: Draft, context: Context): Decision {
  return advance({ ...state, draft: { ...state.draft, ...filled } }, flow, context);
}

/** The same for what may be no answer to the live question: where that comes again, says that it was noted. */
export function take(state: ConversationState, flow: Flow, filled: Draft, context: Context): Decision {
  const { step } = state;
  const decision = fill(state, flow, filled, context);
  const next = decision.state.step;
  const isAgain = step.at === 'asking' && next.at === 'asking' && next.slot === step.slot;
  return isAgain && !decision.effect ? after([{ key: 'noted' }], decision) : decision;
}

/** Asks for one slot of the summary again; a valid answer leads back to the summary. */
export function edit(state: ConversationState, flow: Flow, slot: Slot, context: Context): Decision {
  return pose(state, { at: 'asking', flow, slot, tries: 0, editing: true }, context);
}

/** A typed answer to the question that is live. */
export function answer(
  state: ConversationState,
  step: Asking,
  text: string,
  understood: Understood,
  context: Context,
): Decision {
  switch (step.slot) {
    case 'code':
      return step.flow === 'redeem'
        ? answerGift(state, step, text, context)
        : answerCode(state, step, text, context);
    case 'phone':
      return step.flow === 'accumulate'
        ? answerPhone(state, step, text, context)
        : answerIdentity(state, step, text, understood, context);
    case 'email':
      return answerEmail(state, step, text, context);
    case 'period': {
      const period = parsePeriod(text, context.nowMs, context.settings.timeZone);
      return period.ok
        ? fill(state, step.flow, { period: period.period }, context)
        : invalid(state, step, period.reason, context);
    }
    case 'type':
      return invalid(state, step, 'history.type', context);
  }
}

function answerCode(state: ConversationState, step: Asking, text: string, context: Context): Decision {
  const code = readCode(text);
  return code.ok
    ? fill(state, step.flow, { code: code.value }, context)
    : invalid(state, step, code.reason, context);
}

/** A gift that the list has was taken by its name already, a customer whom staff named first by what names them. */
function answerGift(state: ConversationState, step: Asking, text: string, context: Context): Decision {
  if (text.includes('@') && typed('', context).proved) return answerEmail(state, step, text, context);
  return context.settings.gifts.length > 0
    ? invalid(state, step, 'gift.unknown', context)
    : answerCode(state, step, text, context);
}

/** Where reading or spending needs proof, typing proves nothing unless staff vouch for it. */
function answerIdentity(
  state: ConversationState,
  step: Asking,
  text: string,
  understood: Understood,
  context: Context,
): Decision {
  if (!typed('', context).proved) {
    const asked = retry(state, step, context);
    return understood.phone === undefined ? asked : withLast(asked, { context: 'typed' });
  }
  if (text.includes('@')) return answerEmail(state, step, text, context);
  const phone = parsePhone(text);
  return !phone.ok && phone.reason === 'phone.shape'
    ? invalid(state, step, 'identity.shape', context)
    : answerPhone(state, step, text, context);
}

function answerPhone(state: ConversationState, step: Asking, text: string, context: Context): Decision {
  const phone = parsePhone(text);
  if (!phone.ok) return invalid(state, step, phone.reason, context);
  if (phone.ask) return offer(state, step, { why: phone.ask, value: phone.value }, context);
  return fill(state, step.flow, { phone: typed(phone.value, context) }, context);
}

function answerEmail(state: ConversationState, step: Asking, text: string, context: Context): Decision {
  const email = parseEmail(text);
  if (!email.ok) return invalid(state, step, email.reason, context);
  if (email.suggestion)
    return offer(state, step, { why: 'typo', value: email.suggestion, typed: email.value }, context);
  return fill(state, step.flow, { email: typed(email.value, context) }, context);
}

/** Asks about a value instead of taking it. */
export function offer(state: ConversationState, step: Asking, offered: Offer, context: Context): Decision {
  return pose(state, { ...step, offer: offered }, context);
}

/** `use`, `keep` or `other` was pressed (or said) about what is offered. */
export function decide(
  state: ConversationState,
  step: Asking,
  choice: 'use' | 'keep' | 'other',
  context: Context,
): Decision | undefined {
  if (!step.offer) return undefined;
  const { why, value, typed: written } = step.offer;
  if (choice === 'use') {
    if (why === 'typo') return fill(state, step.flow, { email: typed(value, context) }, context);
    const phone = why === 'known' && state.profile.phone ? state.profile.phone : typed(value, context);
    return fill(state, step.flow, { phone }, context);
  }
  if (choice === 'keep')
    return written === undefined
      ? undefined
      : fill(state, step.flow, { email: typed(written, context) }, context);
  const { offer: _, ...plain } = step;
  return pose(state, plain, context);
}

/** Says what is wrong with an answer and asks again; the third time help is offered. */
export function invalid(state: ConversationState, step: Asking, reason: string, context: Context): Decision {
  return retry(state, step, context, { key: reason });
}

function retry(state: ConversationState, step: Asking, context: Context, ...why: Reply[]): Decision {
  const tries = step.tries + 1;
  const next = { ...state, step: { ...step, tries } };
  const lost: Reply[] = tries % TRIES === 0 ? [{ key: 'repair.help', lines: supportLines(context) }] : [];
  return again(next, context, ...why, ...lost);
}

/** Several answers at once; the valid ones are kept, the others come back marked with their reasons. */
export function submit(
  state: ConversationState,
  form: Extract<Message, { kind: 'form' }>,
  context: Context,
): Decision {
  const { draft: named, refused } = read(form, context);
  const flow = flowOf(state.step) ?? 'accumulate';
  const draft = slotsOf(flow, named);
  const decision =
    flowOf(state.step) === undefined ? start(state, flow, draft, context) : fill(state, flow, draft, context);
  const last = decision.replies.at(-1);
  if (refused.length === 0 || !last) return decision;
  const reasons: Reply[] = refused.map(({ reason }) => reason);
  const fields = last.form ?? [];
  const marked: Field[] = [
    ...refused.map(({ slot, value, reason }) => ({ slot, required: slot !== 'email', value, reason })),
    ...fields.filter(({ slot }) => !refused.some((one) => one.slot === slot)),
  ];
  return after(reasons, withLast(decision, { form: marked }));
}

type Refused = { slot: Field['slot']; value: string; reason: Line };

function read(
  form: Extract<Message, { kind: 'form' }>,
  context: Context,
): { draft: Draft; refused: Refused[] } {
  const draft: Draft = {};
  const refused: Refused[] = [];
  const value = (slot: Field['slot']): string | undefined => form[slot]?.trim() || undefined;
  const refuse = (slot: Field['slot'], text: string, reason: string): void => {
    refused.push({ slot, value: text, reason: { key: reason } });
  };
  const [code, phone, email] = [value('code'), value('phone'), value('email')];
  if (code !== undefined) {
    const parsed = readCode(code);
    if (parsed.ok) draft.code = parsed.value;
    else refuse('code', code, parsed.reason);
  }
  if (phone !== undefined) {
    const parsed = parsePhone(phone);
    if (!parsed.ok) refuse('phone', phone, parsed.reason);
    else if (parsed.ask) refuse('phone', phone, `phone.${parsed.ask}.form`);
    else draft.phone = typed(parsed.value, context);
  }
  if (email !== undefined) {
    const parsed = parseEmail(email);
    if (!parsed.ok) refuse('email', email, parsed.reason);
    else draft.email = typed(parsed.value, context);
  } else if (form.email !== undefined) draft.email = null;
  return { draft, refused };
}
