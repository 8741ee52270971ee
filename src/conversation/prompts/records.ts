import type { HistoryRecord } from '../effect.ts';
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
