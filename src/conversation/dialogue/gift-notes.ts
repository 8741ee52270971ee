import { spends } from '../effect.ts';
import type { Scope } from '../flow.ts';
import type { GiftNote, GiftStatus } from '../gift-note.ts';
import { perLocale } from '../message.ts';
import { maskEmail, maskPhone } from '../prompts/format.ts';
import { findGift } from '../prompts/gifts.ts';
import { findProof } from '../prompts/identity.ts';
import type { Decision } from '../reply.ts';
import type { Operation, State } from '../state.ts';

/* Tells the counter of redemptions, from what a step changed. */

/** As long as the counter keeps a record. */
const KEPT_MS = 180 * 24 * 60 * 60 * 1000;
/** Of more redemptions, the oldest are forgotten as `/forget` does. */
const MAX_KEPT = 100;

/** The same decision with the notes for the counter. */
export function noteGifts(before: State, decision: Decision, scope: Scope): Decision {
  const { state, forget, unlock = [] } = decision;
  if (forget) return { ...decision, gifts: findReachable(before).map(toForget) };
  // Of several late records any may be another's: only staff can say.
  const late = (decision.late ?? []).filter((id) => unlock.some((one) => one.operation === id && one.record));
  if (state.operations === before.operations && late.length === 0) return decision;
  const statuses = new Map(before.operations.map(({ id, status }) => [id, status]));
  const notes = state.operations.flatMap((operation): GiftNote[] => {
    const { id } = operation;
    const status = late.includes(id) ? 'confirmed' : toGiftStatus(operation);
    const isChanged = statuses.get(id) !== operation.status || late.includes(id);
    if (!scope.settings.counter || !spends(operation) || status === undefined || !isChanged) return [];
    const whose = statuses.has(id) ? {} : findOwner(before, operation);
    return [{ kind: 'redeemed', redemption: { status, ...describe(operation, scope) }, ...whose }];
  });
  return keepReachable(before, { ...decision, ...(notes.length > 0 && { gifts: notes }) }, scope);
}

/** Undefined: the counter has nothing of it, or need not know more. */
function toGiftStatus({ status, checks }: Operation): GiftStatus | undefined {
  switch (status) {
    case 'checking':
      return 'checking';
    case 'done':
      return 'confirmed';
    case 'notApplied':
    case 'watching':
      return 'notApplied';
    case 'refused':
      // Of what AntCRM refused at once, the counter has nothing: without a look-up it never was `checking`.
      return checks > 0 ? 'notApplied' : undefined;
    case 'escalated':
      return undefined;
  }
}

function describe({ id: reference, atMs, gift, receipt }: Operation, scope: Scope) {
  const { what: written, score } = receipt ?? {};
  const what = findGift(gift, scope)?.name ?? (written && perLocale(() => written));
  return { reference, atMs, ...(gift && { gift }), ...(what && { what }), ...(score && { score }) };
}

function findOwner({ draft }: State, { lookup }: Operation): { readonly whose?: string } {
  const by = lookup?.by ?? findProof(draft);
  return by ? { whose: (by.kind === 'phone' ? maskPhone : maskEmail)(by.value) } : {};
}

/** The redemptions of which the counter may have a record; one that is with staff was `checking` before. */
function findReachable({ operations, gifts = [] }: State): NonNullable<State['gifts']> {
  const isNoted = (operation: Operation) =>
    toGiftStatus(operation) !== undefined || operation.status === 'escalated';
  return [...gifts, ...operations.filter((operation) => spends(operation) && isNoted(operation))];
}

/** A finished operation is soon dropped from the state. `/forget` must still reach its record. */
function keepReachable(before: State, decision: Decision, { nowMs, settings }: Scope): Decision {
  const { state } = decision;
  const kept = new Set(state.operations.map(({ id }) => id));
  const left = findReachable(before).filter(({ id, atMs }) => !kept.has(id) && atMs > nowMs - KEPT_MS);
  if (!settings.counter || left.length === 0) return decision;
  const gifts = left.slice(-MAX_KEPT).map(({ id, atMs }) => ({ id, atMs }));
  const dropped = left.slice(0, -MAX_KEPT).map(toForget);
  return { ...decision, state: { ...state, gifts }, gifts: [...(decision.gifts ?? []), ...dropped] };
}

const toForget = ({ id: reference }: { readonly id: string }): GiftNote => ({ kind: 'forget', reference });
