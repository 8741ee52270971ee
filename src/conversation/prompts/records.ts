import type { HistoryRecord, HistoryType } from '../effect.ts';
import type { Scope } from '../flow.ts';
import type { Line } from '../reply.ts';
import type { ConversationState } from '../state.ts';
import { giftOf } from './gifts.ts';

type Sum = { readonly score: number; readonly partial: boolean };

/** A record may be so much older or newer than the end of the call that made it. */
const NEAR_MS = 2 * 60_000;

/**
 * What a page lists: its records, those of operations that were made here with their references; what all of the period
 * add up to, where that was read; of gifts, where to get them.
 */
export function pageLines(
  type: HistoryType,
  { records, sum }: { readonly records: readonly HistoryRecord[]; readonly sum?: Sum | undefined },
  state: ConversationState,
  scope: Scope,
): Line[] {
  const references = referencesOf(records, state);
  return [
    ...records.map((record) => recordLine(record, references.get(record), scope)),
    // Failed attempts alone add up to nothing.
    ...(sum && sum.score !== 0 ? [totalLine(type, sum)] : []),
    ...pickUpsOf(records, scope),
  ];
}

/** Whatever AntCRM left out is named as missing; a failed attempt is marked as failed. */
function recordLine(record: HistoryRecord, reference: string | undefined, scope: Scope): Line {
  const { type, failed, score, atMs } = record;
  const variant = failed ? 'failed' : score === undefined ? 'unscored' : undefined;
  return {
    key: `history.${type}`,
    context: variant ?? (reference === undefined ? undefined : 'referenced'),
    params: {
      at: atMs ?? { key: 'history.undated' },
      what: giftIn(record, scope)?.name ?? record.what ?? record.code ?? { key: 'history.unnamed' },
      score: score ?? 0,
      ...(variant === undefined && reference !== undefined && { reference }),
    },
  };
}

/** Of a gift that was redeemed twice at about the same time it cannot be told which is which. */
function referencesOf(
  records: readonly HistoryRecord[],
  { operations }: ConversationState,
): ReadonlyMap<HistoryRecord, string> {
  const known = new Map<HistoryRecord, string>();
  const done = operations.filter(({ status, gift }) => status === 'done' && gift !== undefined);
  for (const { id, gift, atMs } of done) {
    const isNear = (one: { readonly atMs?: number | undefined }) =>
      Math.abs((one.atMs ?? 0) - atMs) <= NEAR_MS;
    const [record, ...others] = records.filter((one) => one.code === gift && !one.failed && isNear(one));
    const isOnly = others.length === 0 && done.filter((one) => one.gift === gift && isNear(one)).length === 1;
    if (record && isOnly) known.set(record, id);
  }
  return known;
}

function giftIn({ type, code }: HistoryRecord, scope: Scope) {
  return type === 'gift' ? giftOf(code, scope) : undefined;
}

/** Where to get the gifts of a page, each place once. */
function pickUpsOf(records: readonly HistoryRecord[], scope: Scope): Line[] {
  const gifts = new Set(records.flatMap((one) => (one.failed ? [] : (giftIn(one, scope) ?? []))));
  const told = [...gifts].flatMap(({ name, pickUp }) => (pickUp ? [{ gift: name, where: pickUp }] : []));
  const places = new Set(told.map(({ where }) => JSON.stringify(where)));
  return places.size > 1
    ? told.map((params) => ({ key: 'receipt.pickUp', context: 'of', params }))
    : told.slice(0, 1).map(({ where }) => ({ key: 'receipt.pickUp', params: { where } }));
}

/** What the records of a period add up to; `partial`: at least. */
function totalLine(type: HistoryType, { score, partial }: Sum): Line {
  return { key: `history.total.${type}`, context: partial ? 'partial' : undefined, params: { score } };
}
