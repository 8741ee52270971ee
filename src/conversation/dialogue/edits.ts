import type { SlotKind } from '../commands.ts';
import type { Scope } from '../flow.ts';
import type { MessageOf } from '../message.ts';
import { type Decision, type Reply, say, sayFirst } from '../reply.ts';
import { type Draft, dropOffer, findTakenTicket, forgetLast, type Offer, type State } from '../state.ts';
import { advance, runningFlow } from './advance.ts';
import { findDoubtedSlot } from './doubts.ts';
import { changeNote } from './handover.ts';
import { askAgain, remark, slotStep } from './questions.ts';

/*
 * A customer edits or deletes a message. What it gave is taken back while it still stands, unconfirmed: then
 * the edited text is read in its place. Values have names ("phone +84…"), by which the messages that gave
 * them know them.
 */

/** How many messages are remembered. */
const MOST_SAID = 10;

type EditContext = {
  /** Reads a text as a new message. */
  readonly read: (state: State, text: string) => Decision;
  /** The text as staff read it. */
  readonly shown: string | undefined;
  readonly scope: Scope;
};

/** Answers an edit, or the deletion of a message. */
export function takeEdit(
  state: State,
  { of, text }: MessageOf<'edit'>,
  { read, shown, scope }: EditContext,
): Decision {
  const { said = [] } = state;
  const entry = said.find(({ ref }) => ref === of);
  const names = standing(entry?.gave ?? [], state);
  const left = names.length > 0 ? withdraw(state, new Set(names), scope) : state;
  if (findTakenTicket(state)) return changeNote(left, { of, text: shown }, scope);
  if (names.length > 0) {
    const flow = runningFlow(left, scope);
    const heard: Reply = { key: 'edit.heard', context: text === undefined ? 'deleted' : undefined };
    if (text !== undefined) return sayFirst([heard], read(left, text));
    return flow ? sayFirst([heard], advance(left, flow, scope)) : remark(left, scope, heard);
  }
  if (text === undefined) return say(state);
  const last = said.at(-1);
  const isOver = state.operations.some(({ atMs }) => atMs >= (last?.atMs ?? 0));
  // It gave nothing, and nothing was said after it. No yes in it confirms.
  if (last && last === entry && !isOver) return read(forgetLast(state), text);
  const isBooked = state.operations.some(({ status }) => status !== 'refused' && status !== 'notApplied');
  return askAgain(state, scope, { key: 'edit.again', context: isBooked ? 'booked' : undefined });
}

/** Notes what a message gave, and forgets of earlier ones what does not stand any more. */
export function noteSaid(
  before: State,
  decision: Decision,
  { message, nowMs }: { readonly message?: Said | undefined; readonly nowMs: number },
): Decision {
  const { state } = decision;
  const ref = message?.kind === 'edit' ? message.of : message?.kind === 'text' ? message.ref : undefined;
  const { said: known = [], ...rest } = state;
  if (ref === undefined && known.length === 0) return decision;
  const names = namesIn(state);
  const isCalled = state.operations.some(({ id }) => !before.operations.some((other) => other.id === id));
  if (isCalled) for (const name of namesOf(before.draft)) names.delete(name);
  const wasGiven = new Set(namesIn(before));
  for (const name of known.find((earlier) => earlier.ref === ref)?.gave ?? []) wasGiven.delete(name);
  const fresh = ref !== undefined && {
    ref,
    atMs: nowMs,
    gave: [...names].filter((name) => !wasGiven.has(name)),
  };
  const others = known
    .filter((earlier) => earlier.ref !== ref)
    .map((earlier) => ({ ...earlier, gave: earlier.gave.filter((name) => names.has(name)) }));
  const said = [...others, ...(fresh ? [fresh] : [])].slice(-MOST_SAID);
  return { ...decision, state: said.length > 0 ? { ...rest, said } : rest };
}

type Said = { readonly kind: string } & Partial<
  Pick<MessageOf<'edit'>, 'of'> & Pick<MessageOf<'text'>, 'ref'>
>;

const standing = (gave: readonly string[], state: State): readonly string[] => {
  const names = namesIn(state);
  return gave.filter((name) => names.has(name));
};

/** The names of all values that may still be confirmed. */
function namesIn({ draft, parked = [], step }: State): Set<string> {
  const offer = step.at === 'asking' && step.offer ? [nameOffer(step.offer)] : [];
  return new Set([...namesOf(draft), ...parked.flatMap((set) => namesOf(set.draft)), ...offer]);
}

const nameOffer = (offer: Offer): string => `${findDoubtedSlot(offer)} ${JSON.stringify(offer)}`;

function namesOf({ phone, email, codes, gift, among, list, period, doubts }: Draft): readonly string[] {
  return [
    ...(phone ? [`phone ${phone.value}`] : []),
    ...(email === undefined ? [] : [`email ${email?.value ?? ''}`]),
    ...(codes ?? []).map((code) => `codes ${code}`),
    ...(gift === undefined ? [] : [`gift ${gift}`]),
    ...(among ? [`gift ${among.join(' ')}`] : []),
    ...(list === undefined ? [] : [`list ${list ?? ''}`]),
    ...(period === undefined ? [] : [`period ${JSON.stringify(period)}`]),
    ...(doubts ?? []).map(nameOffer),
  ];
}

/** The state without values. The flow asks for the first of them: an earlier summary is dead. */
function withdraw(state: State, names: ReadonlySet<string>, scope: Scope): State {
  const flow = runningFlow(state, scope);
  const offer = state.step.at === 'asking' ? state.step.offer : undefined;
  const draft = without(state.draft, names);
  const { parked: before = [], ...rest } = offer && names.has(nameOffer(offer)) ? dropOffer(state) : state;
  const parked = before
    .map((set) => ({ ...set, draft: without(set.draft, names) }))
    .filter((set) => namesOf(set.draft).length > 0);
  const left: State = { ...rest, draft, ...(parked.length > 0 && { parked }) };
  const isTaken = (slot: SlotKind) => [...names].some((name) => name.startsWith(`${slot} `));
  const slot = flow?.slots.find(isTaken) ?? (left.step.at === 'confirming' ? flow?.slots[0] : undefined);
  const isRunning = left.draft !== state.draft || rest.step !== state.step;
  return flow && slot && isRunning ? { ...left, step: slotStep(flow, slot) } : left;
}

/** The same draft if it has none of these values. */
function without(draft: Draft, names: ReadonlySet<string>): Draft {
  if (!namesOf(draft).some((name) => names.has(name))) return draft;
  const { codes = [], doubts = [], price, ...rest } = draft;
  const left: Draft = rest;
  if (rest.phone && names.has(`phone ${rest.phone.value}`)) delete left.phone;
  if (rest.email !== undefined && names.has(`email ${rest.email?.value ?? ''}`)) delete left.email;
  if (rest.gift !== undefined && names.has(`gift ${rest.gift}`)) delete left.gift;
  if (rest.among && names.has(`gift ${rest.among.join(' ')}`)) delete left.among;
  if (rest.list !== undefined && names.has(`list ${rest.list ?? ''}`)) delete left.list;
  if (rest.period !== undefined && names.has(`period ${JSON.stringify(rest.period)}`)) delete left.period;
  const keptCodes = codes.filter((code) => !names.has(`codes ${code}`));
  const keptDoubts = doubts.filter((doubt) => !names.has(nameOffer(doubt)));
  return {
    ...left,
    ...(keptCodes.length > 0 && { codes: keptCodes }),
    ...(keptDoubts.length > 0 && { doubts: keptDoubts }),
    ...(price !== undefined && left.gift !== undefined && { price }),
  };
}
