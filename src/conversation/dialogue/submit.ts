import { after, type Decision, withLast } from '../decision.ts';
import type { Flow, Scope } from '../flow.ts';
import { parseEmail } from '../language/values/email.ts';
import { parsePhone } from '../language/values/phone.ts';
import type { Message } from '../message.ts';
import { typed } from '../prompts/identity.ts';
import { again, pose } from '../prompts/questions.ts';
import type { Field, Line, Reply } from '../reply.ts';
import type { ConversationState, Draft } from '../state.ts';
import { fill, runningIn, start } from './form.ts';

/*
 * A form that was filled in: several answers at once.
 */

type Form = Extract<Message, { kind: 'form' }>;
type Slot = Field['slot'];
type EmailTypo = { readonly typed: string; readonly value: string };
/** Why a field was not taken. */
type Fault = { readonly slot: Slot; readonly reason: Line };

/** What is right is kept. Where something is wrong, each fault is told, and the form comes again as it was filled in. */
export function submit(state: ConversationState, form: Form, scope: Scope): Decision {
  const running = runningIn(state, scope);
  const flow = running ?? scope.flows.form;
  if (!flow) return again(state, scope);
  const { draft, faults, doubted } = read(form, scope);
  const slots = flow.own(draft);
  const before = rewritten(state, form, flow);
  const filled = running ? fill(before, flow, slots, scope) : start(before, flow, slots, scope);
  const offered = doubted && askAbout(filled, doubted, scope);
  const all = [
    ...faults,
    ...(doubted && !offered ? [typoFault(doubted)] : []),
    ...blanks(form, flow, filled.state),
  ];
  return all.length === 0 ? (offered ?? filled) : marked(offered ?? filled, form, flow, all);
}

/** A form says all that it asks for: what came back in it takes the place of what it was filled with before. */
function rewritten(state: ConversationState, form: Form, flow: Flow): ConversationState {
  const asked: ConversationState = form.email === undefined ? state : { ...state, emailAsked: true };
  const isAnswer = form.view !== undefined && state.step.at === 'asking';
  if (!isAnswer || form.code === undefined) return asked;
  const { [flow.slotCalled('code')]: _, ...draft } = asked.draft;
  return { ...asked, draft };
}

const BLANK = { code: 'code.wanted', phone: 'phone.wanted' } as const;

/** What was left blank and is asked for. */
function blanks(form: Form, flow: Flow, { draft }: ConversationState): Fault[] {
  const missing = flow.form(draft) ?? [];
  return missing.flatMap(({ slot }) => {
    const isBlank = slot !== 'email' && form[slot]?.trim() === '';
    return isBlank ? [{ slot, reason: { key: BLANK[slot] } }] : [];
  });
}

function marked(decision: Decision, form: Form, flow: Flow, faults: readonly Fault[]): Decision {
  const reasonOf = (slot: Slot) => faults.find((fault) => fault.slot === slot)?.reason;
  const asked = decision.replies.at(-1)?.form ?? [];
  const isShown = ({ slot }: Field) => form[slot] !== undefined || asked.some((one) => one.slot === slot);
  const fields = (flow.form({}) ?? faults.map(({ slot }) => ({ slot, required: slot !== 'email' }))).filter(
    isShown,
  );
  const [first, ...others] = faults.map(({ reason }) => reason);
  const told: Reply[] =
    first === undefined || others.length > 0
      ? [{ key: 'form.faults', lines: faults.map(({ reason }) => reason) }]
      : [first];
  return after(
    told,
    withLast(decision, {
      form: fields.map((field): Field => {
        const value = form[field.slot]?.trim() || undefined;
        const reason = reasonOf(field.slot);
        return { ...field, ...(value !== undefined && { value }), ...(reason && { reason }) };
      }),
    }),
  );
}

function typoFault({ value }: EmailTypo): Fault {
  return { slot: 'email', reason: { key: 'email.typo', params: { email: value } } };
}

/** An e-mail that looks mistyped is asked about, once nothing else is missing. */
function askAbout(decision: Decision, { typed, value }: EmailTypo, scope: Scope): Decision | undefined {
  const { step } = decision.state;
  const isNext = step.at === 'confirming' || (step.at === 'asking' && step.slot === 'email');
  if (!isNext) return undefined;
  const offer = { why: 'typo', value, typed } as const;
  const asked = pose(
    decision.state,
    { at: 'asking', flow: step.flow, slot: 'email', tries: 0, offer },
    scope,
  );
  return after(decision.replies.slice(0, -1), asked);
}

function read(
  form: Form,
  scope: Scope,
): { readonly draft: Draft; readonly faults: readonly Fault[]; readonly doubted?: EmailTypo | undefined } {
  const value = (slot: Slot): string | undefined => form[slot]?.trim() || undefined;
  const [code, phone, email] = [value('code'), value('phone'), value('email')];
  const { codes = [], fault } = code === undefined ? {} : scope.language.readCodes(code);
  const number = phone === undefined ? undefined : parsePhone(phone);
  const address = email === undefined ? undefined : parseEmail(email);
  const doubted =
    address?.ok && address.suggestion ? { typed: address.value, value: address.suggestion } : undefined;
  const isSkipped = email === undefined && form.email !== undefined;
  const reasons: Readonly<Record<Slot, string | undefined>> = {
    code: fault?.reason,
    phone: number && (number.ok ? number.ask && `phone.${number.ask}.form` : number.reason),
    email: address?.ok === false ? address.reason : undefined,
  };
  return {
    draft: {
      ...(codes.length > 0 && { code: codes[0], codes: [...codes] }),
      ...(number?.ok && !number.ask && { phone: typed(number.value, scope) }),
      ...(address?.ok && !doubted && { email: typed(address.value, scope) }),
      ...(isSkipped && { email: null }),
    },
    faults: SLOTS.flatMap((slot) => {
      const key = reasons[slot];
      return key === undefined ? [] : [{ slot, reason: { key } }];
    }),
    doubted,
  };
}

const SLOTS = ['code', 'phone', 'email'] as const satisfies readonly Slot[];
