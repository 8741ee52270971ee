import { after, type Decision } from '../decision.ts';
import type { Flow, Joined, Scope } from '../flow.ts';
import { supportLines } from '../prompts/help.ts';
import { carried, proved, withoutIdentity } from '../prompts/identity.ts';
import { home, pose } from '../prompts/questions.ts';
import type { Reply } from '../reply.ts';
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
  const from = isOther || flow.identity === 'proved' ? whomNamed(state, filled, scope) : state;
  const same = left?.name === flow.name ? from.draft : {};
  const gathered = { ...from, draft: { ...same, ...carried(from, scope) } };
  const joined = flow.join(gathered, filled, scope);
  const known = joined.slots;
  // Said before anything is asked for: whoever cannot redeem should not pick a gift first.
  if (isUnprovable(flow, known, scope)) return after(before, home(state, scope, unproved(scope)));
  const skipped = known.email === undefined && wasAskedForEmail(state, scope);
  const slots: Draft = skipped ? { ...known, email: null } : known;
  const begun = goOn(state, flow, { ...joined, slots }, scope);
  return after(before, filled.codes === undefined ? begun : noting(state, flow, filled, begun));
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

/** Goes on with what was said, unless a code of it is to be asked about first. */
export function goOn(
  state: ConversationState,
  flow: Flow,
  { slots, remark, doubt }: Joined<Draft>,
  scope: Scope,
  ...before: readonly Reply[]
): Decision {
  const next = { ...state, draft: slots };
  const said = [...before, ...(remark ? [remark] : [])];
  if (!doubt) return advance(next, flow, scope, ...said);
  const step = { at: 'asking', flow: flow.name, slot: flow.slotCalled('code'), tries: 0 } as const;
  return pose(next, { ...step, offer: { why: 'code', ...doubt } }, scope, ...said);
}

/**
 * Asks for the next missing slot, or completes the flow; reads what the flow wants to know for that. What is being offered
 * comes first: it stays until it was decided on.
 */
export function advance(state: ConversationState, flow: Flow, scope: Scope, ...before: Reply[]): Decision {
  const { step } = state;
  const isOpen = step.at === 'asking' && step.flow === flow.name && step.offer?.why === 'code';
  if (isOpen) return pose(state, step, scope, ...before);
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
  const from = flow.identity === 'proved' ? whomNamed(state, filled, scope) : state;
  return goOn(from, flow, flow.join(from, filled, scope), scope);
}

/** Staff who name a customer mean that one alone: nothing of whom they named before goes on with it. */
function whomNamed(
  state: ConversationState,
  { phone, email }: Identity,
  { sender }: Scope,
): ConversationState {
  return sender.proof === 'token' && (phone ?? email) ? withoutIdentity(state) : state;
}

/** The same for what may be no answer to the live question: where a question comes next, says that it was noted. */
export function take(state: ConversationState, flow: Flow, filled: Draft, scope: Scope): Decision {
  return noting(state, flow, filled, fill(state, flow, filled, scope));
}

/** A decision with what was noted, right before the question: in the flow's own words, or where the same one comes again. */
export function noting({ step }: ConversationState, flow: Flow, said: Draft, decision: Decision): Decision {
  const { replies, effect, state } = decision;
  const next = state.step;
  if (effect || next.at !== 'asking' || next.flow !== flow.name) return decision;
  const isAgain = step.at === 'asking' && next.flow === step.flow && next.slot === step.slot;
  if (next.offer && !isAgain) return decision;
  // Whatever is said before the question says more.
  const isBare = replies.length === 1;
  const noted = flow.noted(said, state.draft) ?? (isAgain && isBare ? { key: 'noted' } : undefined);
  return noted ? { ...decision, replies: [...replies.slice(0, -1), noted, ...replies.slice(-1)] } : decision;
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
