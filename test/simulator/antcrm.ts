import type { AntCrm, CallOutcome, LoyaltyRecord } from '../../src/loyalty/port.ts';
import type { Chance, Clock } from './clock.ts';
import type { Rates } from './faults.ts';

/** Points of a code, points that everybody begins with, and the price of each gift. */
const EARNED = 100;
const BEGINNING = 2000;
const PRICES: Readonly<Record<string, number>> = { DAUMAY01: 10, LOA01: 250 };

/** A record shows so much later. */
const LATE_MS = [1_000, 30_000] as const;

type Entry = LoyaltyRecord & { readonly phone: string; readonly shownAtMs: number };

/** What reached AntCRM for an operation, and whether it was applied. */
export type Sent = { times: number; applied: number };

/** AntCRM as it is: no idempotency key, answers that get lost, records that show late. All processes call the same one. */
export function createAntCrmDouble(
  clock: Clock,
  chance: Chance,
  options: {
    rates(): Rates;
    readonly timeoutMs: number;
    trace(what: string): void;
    /** The operation that is at work in this chain of awaits. */
    operation(): string | undefined;
  },
) {
  const { rates, timeoutMs, operation, trace } = options;
  const entries: Entry[] = [];
  const used = new Set<string>();
  const sent = new Map<string, Sent>();
  let ids = 0;

  function pointsOf(phone: string): number {
    return entries
      .filter((entry) => entry.phone === phone && entry.status === 'succeeded')
      .reduce((sum, { type, score = 0 }) => sum + (type === 'point' ? score : -score), BEGINNING);
  }

  function write(entry: Pick<Entry, 'type' | 'status' | 'score' | 'code' | 'phone'>): void {
    ids += 1;
    const lateMs = chance.happens(rates().late) ? chance.between(...LATE_MS) : 0;
    entries.push({
      ...entry,
      id: `record-${ids}`,
      what: entry.code,
      atMs: clock.wallMs(),
      whose: whoIs(entry.phone),
      shownAtMs: clock.atMs + lateMs,
    });
  }

  /** What AntCRM does with a call whose body has reached it. */
  function apply(type: 'point' | 'gift', code: string, phone: string): 'applied' | 'refused' {
    const score = type === 'point' ? EARNED : (PRICES[code] ?? Number.POSITIVE_INFINITY);
    const isGood = type === 'point' ? !used.has(code) : pointsOf(phone) >= score;
    if (isGood && type === 'point') used.add(code);
    write({ type, status: isGood ? 'succeeded' : 'failed', score, code, phone });
    const name = operation();
    trace(`antcrm ${name} ${type} ${code}: ${isGood ? 'applied' : 'refused'}`);
    const before = (name && sent.get(name)) || { times: 0, applied: 0 };
    if (name) sent.set(name, { times: before.times + 1, applied: before.applied + (isGood ? 1 : 0) });
    return isGood ? 'applied' : 'refused';
  }

  async function callAntCrm(type: 'point' | 'gift', code: string, phone: string): Promise<CallOutcome> {
    const { refused, unheard, answerLost } = rates();
    if (chance.happens(refused)) {
      trace(`antcrm ${operation()}: no connection`);
      return { kind: 'unavailable' };
    }
    if (chance.happens(unheard)) {
      await clock.wait(timeoutMs);
      return { kind: 'unknown' };
    }
    await clock.wait(chance.between(5, 400));
    const kind = apply(type, code, phone);
    if (!chance.happens(answerLost)) return { kind };
    await clock.wait(timeoutMs);
    return { kind: 'unknown' };
  }

  const isRead = (): boolean => !chance.happens(rates().unreadable);

  const antcrm: AntCrm = {
    accumulate: ({ code, phone = '' }) => callAntCrm('point', code, phone),
    redeem: ({ gift, phone = '' }) => callAntCrm('gift', gift, phone),
    async history({ type, by, page, fromMs = 0, toMs = Number.POSITIVE_INFINITY }) {
      await clock.wait(chance.between(1, 50));
      if (!isRead()) return { ok: false, reason: 'unavailable' };
      const records = entries.filter(
        (entry) =>
          entry.type === type &&
          entry.phone === by.value &&
          entry.shownAtMs <= clock.atMs &&
          (entry.atMs ?? 0) >= fromMs &&
          (entry.atMs ?? 0) < toMs,
      );
      const shown = records.slice((page - 1) * 20, page * 20);
      return { ok: true, value: { records: shown, full: shown.length === 20 } };
    },
    async contact({ kind, value }) {
      await clock.wait(chance.between(1, 50));
      if (!isRead()) return { ok: false, reason: 'unavailable' };
      if (kind === 'email') return { ok: true, value: null };
      return { ok: true, value: { ...whoIs(value), points: pointsOf(value) } };
    },
    clock: () => ({ kind: 'known', aheadMs: clock.wallMs() - clock.atMs, errorMs: 50 }),
  };
  return { antcrm, sent, pointsOf };
}

function whoIs(phone: string) {
  return { customerId: phone.slice(-6), phones: [phone], emails: [] };
}
