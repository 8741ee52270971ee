import { after, type Decision, withLast } from '../decision.ts';
import type { Flow, Scope } from '../flow.ts';
import { parseEmail } from '../language/values/email.ts';
import { parsePhone } from '../language/values/phone.ts';
import type { Message } from '../message.ts';
import { supportLines } from '../prompts/help.ts';
import { carried, proved, typed } from '../prompts/identity.ts';
import { again, home, pose } from '../prompts/questions.ts';
import type { Field, Line, Reply } from '../reply.ts';
import type { ConversationState, Draft, Identity } from '../state.ts';
import { busy } from './operations.ts';

/*
 * The form machine that every flow runs on: which slot is missing, what an answer is worth, what to say to an invalid
 * one.
 */

/** Begins a flow with what is known and `filled`; says so if that ends another one. */
export function start(state: ConversationState, flow: Flow, filled: Draft, scope: Scope): Decision {
  const left = runningIn(state, scope);
  const isOther = left !== undefined && left.name !== flow.name;
  const before: Reply[] = isOther
    ? [{ key: 'flow.switched', params: { flow: { key: `flow.${left.name}` } } }]
    : [];
  const wait = hindered(flow, state, scope);
  if (wait) return after(before, home(state, scope, wait));
  const same = left?.name === flow.name ? state.draft : {};
  const gathered = { ...state, draft: { ...same, ...carried(state, scope) } };
  const { slots: known, remark } = flow.join(gathered, filled);
  // Said before anything is asked for: whoever cannot redeem should not pick a gift first.
  if (isUnprovable(flow, known, scope)) return after(before, home(state, scope, unproved(scope)));
  const skipped = known.email === undefined && wasAskedForEmail(state, scope);
  const draft: Draft = skipped ? { ...known, email: null } : known;
  const begun = advance({ ...state, draft }, flow, scope, ...(remark ? [remark] : []));
  return after(before, filled.codes === undefined ? begun : noting(state, begun));
}

/** Whoever was asked once is not asked again; staff have another customer before them each time. */
function wasAskedForEmail({ emailAsked }: ConversationState, { sender }: Scope): boolean {
  return emailAsked === true && sender.proof !== 'token';
}

/** Why a flow cannot be gone through now: said before anything is asked for. */
function hindered(flow: Flow, state: ConversationState, scope: Scope): Reply | undefined {
  if (!scope.serviceUp) return { key: 'service.unavailable' };
  const { confirmation } = flow;
  return confirmation && (busy(state, confirmation) ?? confirmation.hindered?.(state, scope));
}

/** The flow that would be left unfinished by turning to another. */
export function runningIn({ step }: ConversationState, { flows }: Scope): Flow | undefined {
  return step.at === 'asking' || step.at === 'confirming' ? flows.get(step.flow) : undefined;
}

/** Asks for the next missing slot, or completes the flow; reads what the flow wants to know for that. */
export function advance(state: ConversationState, flow: Flow, scope: Scope, ...before: Reply[]): Decision {
  const effect = flow.reads(state.draft, scope);
  if (effect) return { state: entered(state, flow, scope), replies: before, effect };
  const slot = flow.missing(state.draft);
  if (slot === undefined) return after(before, flow.complete(entered(state, flow, scope), scope));
  const isIdentity = slot === 'phone' && flow.identity === 'proved';
  if (isIdentity && scope.sender.proof === 'profile')
    return after(before, home(state, scope, unproved(scope)));
  const asked: ConversationState = slot === 'email' ? { ...state, emailAsked: true } : state;
  return pose(asked, { at: 'asking', flow: flow.name, slot, tries: 0 }, scope, ...before);
}

/** The state in this flow, which may have had nothing to ask for: what AntCRM answers goes to the flow that asked. */
function entered(state: ConversationState, flow: Flow, scope: Scope): ConversationState {
  if (runningIn(state, scope)?.name === flow.name) return state;
  return { ...state, step: { at: 'asking', flow: flow.name, slot: 'phone', tries: 0 } };
}

/** Whether a flow needs an identity that only the profile could prove, and does not: no answer could change that. */
function isUnprovable(flow: Flow, known: Identity, { sender, settings }: Scope): boolean {
  const byProfile = sender.proof === 'profile' && settings.identityProof === 'required';
  return flow.identity === 'proved' && byProfile && proved(known) === undefined;
}

/** What to say where only the profile could prove who somebody is, and does not. */
function unproved(scope: Scope): Reply {
  return scope.sender.unread
    ? { key: 'identity.unread' }
    : { key: 'identity.noEmail', lines: supportLines(scope) };
}

/** Takes what was understood into the draft and goes on. */
export function fill(state: ConversationState, flow: Flow, filled: Draft, scope: Scope): Decision {
  const { slots, remark } = flow.join(state, filled);
  return advance({ ...state, draft: slots }, flow, scope, ...(remark ? [remark] : []));
}

/** The same for what may be no answer to the live question: where that comes again, says that it was noted. */
export function take(state: ConversationState, flow: Flow, filled: Draft, scope: Scope): Decision {
  return noting(state, fill(state, flow, filled, scope));
}

function noting({ step }: ConversationState, decision: Decision): Decision {
  const next = decision.state.step;
  const isAgain =
    step.at === 'asking' && next.at === 'asking' && next.flow === step.flow && next.slot === step.slot;
  // Whatever is said before the question says more.
  const isBare = decision.replies.length === 1;
  return isAgain && isBare && !decision.effect ? after([{ key: 'noted' }], decision) : decision;
}

/** What the summary of a flow lets customers change, as they call it. */
export function editable({ confirmation }: Flow, draft: Draft): string[] {
  const edits = confirmation?.edits(draft) ?? [];
  return edits.flatMap(({ id }) => (id.startsWith('edit:') ? [id.slice('edit:'.length)] : []));
}

/** Asks for what the summary calls `field` again; a valid answer leads back to the summary. */
export function edit(state: ConversationState, flow: Flow, field: string, scope: Scope): Decision {
  const slot = flow.slotCalled(field);
  return pose(state, { at: 'asking', flow: flow.name, slot, tries: 0, editing: true }, scope);
}

/** Several answers at once; the valid ones are kept, the others come back marked with their reasons. */
export function submit(
  state: ConversationState,
  form: Extract<Message, { kind: 'form' }>,
  scope: Scope,
): Decision {
  const { draft: named, refused, doubted } = read(form, scope);
  const running = runningIn(state, scope);
  const flow = running ?? scope.flows.form;
  if (!flow) return again(state, scope);
  const slots = flow.own(named);
  const asked: ConversationState = form.email === undefined ? state : { ...state, emailAsked: true };
  const filled = running ? fill(asked, flow, slots, scope) : start(asked, flow, slots, scope);
  const offered = doubted && askAbout(filled, doubted, scope);
  if (doubted && !offered) {
    const reason = { key: 'email.typo', params: { email: doubted.value } };
    refused.push({ slot: 'email', value: doubted.typed, reason });
  }
  const decision = offered ?? filled;
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

type EmailTypo = { readonly typed: string; readonly value: string };
type Refused = { slot: Field['slot']; value: string; reason: Line };

function read(
  form: Extract<Message, { kind: 'form' }>,
  scope: Scope,
): { draft: Draft; refused: Refused[]; doubted?: EmailTypo | undefined } {
  const draft: Identity & { code?: string; codes?: string[] } = {};
  const refused: Refused[] = [];
  const value = (slot: Field['slot']): string | undefined => form[slot]?.trim() || undefined;
  let doubted: EmailTypo | undefined;
  const refuse = (slot: Field['slot'], text: string, reason: string): void => {
    refused.push({ slot, value: text, reason: { key: reason } });
  };
  const [code, phone, email] = [value('code'), value('phone'), value('email')];
  if (code !== undefined) {
    const { codes, fault } = scope.language.readCodes(code);
    if (codes.length > 0) Object.assign(draft, { code: codes[0], codes: [...codes] });
    if (fault) refuse('code', fault.text, fault.reason);
  }
  if (phone !== undefined) {
    const parsed = parsePhone(phone);
    if (!parsed.ok) refuse('phone', phone, parsed.reason);
    else if (parsed.ask) refuse('phone', phone, `phone.${parsed.ask}.form`);
    else draft.phone = typed(parsed.value, scope);
  }
  if (email !== undefined) {
    const parsed = parseEmail(email);
    if (!parsed.ok) refuse('email', email, parsed.reason);
    else if (parsed.suggestion) doubted = { typed: parsed.value, value: parsed.suggestion };
    else draft.email = typed(parsed.value, scope);
  } else if (form.email !== undefined) draft.email = null;
  return { draft, refused, doubted };
}
