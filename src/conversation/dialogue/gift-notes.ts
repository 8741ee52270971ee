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
  const { state, forget, late = [] } = decision;
  if (forget) return forgetGifts(before, decision);
  if (!scope.settings.counter) return decision;
  if (state.operations === before.operations && late.length === 0) return decision;
  const statuses = new Map(before.operations.map(({ id, status }) => [id, status]));
  const notes = state.operations.flatMap((operation): GiftNote[] => {
    const { id } = operation;
    const status = late.includes(id) ? 'confirmed' : toGiftStatus(operation);
    const isChanged = statuses.get(id) !== operation.status || late.includes(id);
    if (!spends(operation) || status === undefined || !isChanged) return [];
    const whose = statuses.has(id) ? {} : findOwner(before, operation);
    return [{ kind: 'redeemed', redemption: { status, ...describe(operation, scope) }, ...whose }];
  });
  return notes.length > 0 ? keepReachable(notes, decision, scope) : decision;
}

/** Undefined: the counter has nothing of it, or need not know more. */
function toGiftStatus({ status }: Operation): GiftStatus | undefined {
  switch (status) {
    case 'checking':
      return 'checking';
    case 'done':
      return 'confirmed';
    case 'notApplied':
    case 'watching':
      return 'notApplied';
    case 'refused':
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

/** Remembers which records `/forget` must reach: finished operations are soon dropped from the state. */
function keepReachable(notes: readonly GiftNote[], decision: Decision, { nowMs }: Scope): Decision {
  const { state } = decision;
  const earlier = (state.gifts ?? []).filter(({ atMs }) => atMs > nowMs - KEPT_MS);
  const noted = notes.flatMap((note) => (note.kind === 'redeemed' ? note.redemption : []));
  const fresh = noted.filter(({ reference }) => earlier.every(({ id }) => id !== reference));
  const all = [...earlier, ...fresh.map(({ reference: id, atMs }) => ({ id, atMs }))];
  const dropped = all.slice(0, -MAX_KEPT).map(toForget);
  return {
    ...decision,
    state: { ...state, gifts: all.slice(-MAX_KEPT) },
    gifts: [...notes, ...dropped],
  };
}

function forgetGifts({ gifts = [] }: State, decision: Decision): Decision {
  return gifts.length > 0 ? { ...decision, gifts: gifts.map(toForget) } : decision;
}

const toForget = ({ id: reference }: { readonly id: string }): GiftNote => ({ kind: 'forget', reference });
