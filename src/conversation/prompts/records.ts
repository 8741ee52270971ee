import type { HistoryRecord, HistoryType } from '../effect.ts';
import type { Scope } from '../flow.ts';
import type { Line } from '../reply.ts';

/** Whatever AntCRM left out is named as missing; a failed attempt is marked as failed. */
export function recordLine(record: HistoryRecord, { settings }: Scope): Line {
  const gift = record.type === 'gift' ? settings.gifts.find(({ code }) => code === record.code) : undefined;
  return {
    key: `history.${record.type}`,
    context: record.failed ? 'failed' : record.score === undefined ? 'unscored' : undefined,
    params: {
      at: record.atMs ?? { key: 'history.undated' },
      what: gift?.name ?? record.what ?? record.code ?? { key: 'history.unnamed' },
      score: record.score ?? 0,
    },
  };
}

/** What the records of a period add up to; `partial`: at least. */
export function totalLine(type: HistoryType, { score, partial }: { score: number; partial: boolean }): Line {
  return { key: `history.total.${type}`, context: partial ? 'partial' : undefined, params: { score } };
}
