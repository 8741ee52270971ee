import type { Lookup, Skew } from '../../src/conversation/effect.ts';
import { type Doubt, type Evidence, judge, type SeenHistory } from '../../src/loyalty/evidence.ts';
import type { LoyaltyRecord } from '../../src/loyalty/port.ts';

/*
 * Every small history of one customer and one gift (or one code): what becomes of the call, and what a cashier
 * or AntCRM does besides, each record shown at once, late or never, looked at early, usually and late, with and
 * without a balance. `judge` is asked about each, and its verdict compared with what happened.
 */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const CODE = 'DAUMAY01';
const BEFORE = 1000;
const CLOCK: Skew = { ms: 0, errorMs: SECOND_MS };
const READ_MS = -400;
const BASELINE_MS = -100;
const DEADLINE_MS = 8 * SECOND_MS;
/** When it looks, after the deadline. */
const LOOKS_MS = [MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS] as const;
/** How late a record shows. */
const DELAYS_MS = [0, 10 * MINUTE_MS, Number.POSITIVE_INFINITY] as const;

/** What AntCRM showed of us before: nothing, records that were up to half a minute late, or very late ones. */
const SEEN: readonly SeenHistory[] = [
  {},
  { lagMs: 30 * SECOND_MS, clock: CLOCK, follows: true },
  { lagMs: HOUR_MS, clock: CLOCK, follows: true },
];

type Kind = Lookup['kind'];
/** `isOurs`: of the call. A reset sets the balance to nothing, and leaves no record. */
type Event = {
  readonly atMs: number;
  readonly what: 'redeemed' | 'redeemed cheaply' | 'earned' | 'refused' | 'reset';
  readonly isOurs: boolean;
  readonly delayMs: number;
};

const CHANGES = { redeemed: -10, 'redeemed cheaply': -7, earned: 100, refused: 0, reset: 0 } as const;

/** What becomes of the call: it never arrives, is refused, applied, applied twice, or applied and then refused. */
function* callsOf(kind: Kind): Generator<readonly Event[]> {
  const does = kind === 'redeem' ? 'redeemed' : 'earned';
  const one = (what: Event['what'], delayMs: number, atMs = 500): Event => ({
    atMs,
    what,
    delayMs,
    isOurs: true,
  });
  yield [];
  for (const delayMs of DELAYS_MS) {
    yield [one('refused', delayMs)];
    yield [one(does, delayMs)];
    for (const other of DELAYS_MS) {
      yield [one(does, delayMs), one('refused', other, 900)];
      if (kind === 'redeem') yield [one(does, delayMs), one(does, other, 900)];
    }
  }
}

/** Long before, right before and after the balance was read, during the call, and long after it. */
const TIMES_MS = [-5 * MINUTE_MS, -600, -200, 2 * SECOND_MS, 150 * SECOND_MS] as const;
const OTHERS: readonly Event[] = TIMES_MS.flatMap((atMs) => [
  ...(['redeemed', 'redeemed cheaply', 'earned'] as const).flatMap((what) =>
    DELAYS_MS.map((delayMs) => ({ atMs, what, delayMs, isOurs: false })),
  ),
  { atMs, what: 'reset', delayMs: 0, isOurs: false } as const,
]);

/** All sets of at most so many other events. */
function* othersOf(most: number, from = 0): Generator<readonly Event[]> {
  yield [];
  if (most === 0) return;
  for (const [at, event] of OTHERS.entries())
    if (at >= from) for (const more of othersOf(most - 1, at)) yield [event, ...more];
}

function pointsAt(events: readonly Event[], atMs: number): number {
  let points = BEFORE;
  // The balance before the call is what it is, whatever happened before.
  for (const { atMs: thenMs, what } of events)
    if (thenMs > READ_MS && thenMs <= atMs) points = what === 'reset' ? 0 : points + CHANGES[what];
  return points;
}

function toRecord({ atMs, what, isOurs }: Event, id: string, kind: Kind): LoyaltyRecord {
  const isRefusedEarning = what === 'refused' && kind === 'accumulate';
  const type = what === 'earned' || isRefusedEarning ? 'point' : 'gift';
  const code = type === 'gift' || isOurs ? CODE : 'TIVI000000099';
  return { id, type, code, atMs, failed: what === 'refused', score: Math.abs(CHANGES[what]) };
}

/** A history, how it is looked at, and what AntCRM showed before. */
type Case = {
  readonly kind: Kind;
  readonly events: readonly Event[];
  readonly lookMs: number;
  readonly seen: SeenHistory;
  readonly hasBalance: boolean;
  readonly isNewestFirst: boolean;
};

function toEvidence({ kind, events, lookMs, seen, hasBalance, isNewestFirst }: Case): Evidence {
  const atMs = DEADLINE_MS + lookMs;
  const rows: LoyaltyRecord[] = [];
  const others: LoyaltyRecord[] = [];
  const baseline: string[] = [];
  const own = kind === 'redeem' ? 'gift' : 'point';
  for (const [at, event] of events.entries()) {
    const shownMs = event.atMs + event.delayMs;
    if (event.what === 'reset' || shownMs > atMs) continue;
    const record = toRecord(event, `r${at}`, kind);
    (record.type === own ? rows : others).push(record);
    if (kind === 'redeem' && record.type === own && shownMs <= BASELINE_MS) baseline.push(`r${at}`);
  }
  const lookup: Lookup = {
    kind,
    by: { kind: 'phone', value: '+84867123456' },
    code: CODE,
    fromMs: -24 * HOUR_MS,
    calledMs: 0,
    deadlineMs: DEADLINE_MS,
    skew: CLOCK,
    baseline,
    locks: [],
    ...(hasBalance && { balance: { points: BEFORE, readMs: READ_MS } }),
  };
  return {
    lookup,
    atMs,
    skewNow: CLOCK,
    rows: isNewestFirst ? rows.toReversed() : rows,
    ...(hasBalance && { balance: { others, points: pointsAt(events, atMs), isMerged: false } }),
    siblings: { settled: [], awaited: [] },
    seen,
    codes: [],
  };
}

/**
 * Where no evidence could tell: a cashier redeemed the same gift in the span of the call, and the balance moved
 * by it; or there is no balance, and a record comes later than any before it.
 */
type Limit = 'a cashier during the call' | 'later than ever, and no balance';

function limitOf({ kind, events, seen, hasBalance, lookMs }: Case, is: string): Limit | undefined {
  if (is === 'applied') {
    const isLike = ({ isOurs, what, atMs }: Event) =>
      !isOurs &&
      kind === 'redeem' &&
      what.startsWith('redeemed') &&
      atMs > -5 * MINUTE_MS &&
      atMs < MINUTE_MS;
    return events.some(isLike) ? 'a cashier during the call' : undefined;
  }
  const isLate = ({ isOurs, what, delayMs }: Event) =>
    isOurs && what !== 'refused' && delayMs > Math.min(seen.lagMs ?? 0, lookMs);
  return !hasBalance && events.some(isLate) ? 'later than ever, and no balance' : undefined;
}

export type Scope = {
  readonly cases: number;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly undecided: Readonly<Partial<Record<Doubt, number>>>;
  readonly limits: Readonly<Partial<Record<Limit, number>>>;
  /** A certainty that is false. */
  readonly wrong: readonly string[];
};

function* casesOf(kind: Kind, most: number): Generator<Case> {
  for (const call of callsOf(kind))
    for (const others of othersOf(most)) {
      const events = [...call, ...others].sort((a, b) => a.atMs - b.atMs);
      for (const seen of SEEN)
        for (const hasBalance of [true, false])
          for (const lookMs of LOOKS_MS)
            for (const isNewestFirst of [false, true])
              yield { kind, events, lookMs, seen, hasBalance, isNewestFirst };
    }
}

/** Asks about all histories with at most so many other events. */
export function enumerate(most: number): Scope {
  const verdicts: Record<string, number> = {};
  const undecided: Partial<Record<Doubt, number>> = {};
  const limits: Partial<Record<Limit, number>> = {};
  const wrong: string[] = [];
  let cases = 0;
  for (const kind of ['redeem', 'accumulate'] as const) {
    for (const one of casesOf(kind, most)) {
      cases += 1;
      const verdict = judge(toEvidence(one));
      verdicts[verdict.is] = (verdicts[verdict.is] ?? 0) + 1;
      if (verdict.is === 'undecided') {
        undecided[verdict.why] = (undecided[verdict.why] ?? 0) + 1;
        continue;
      }
      const isApplied = one.events.some(({ isOurs, what }) => isOurs && what !== 'refused');
      if ((verdict.is === 'applied') === isApplied) continue;
      const reason = limitOf(one, verdict.is);
      if (reason) limits[reason] = (limits[reason] ?? 0) + 1;
      else if (wrong.length < 5) wrong.push(`${verdict.is}: ${JSON.stringify(one)}`);
    }
  }
  return { cases, verdicts, undecided, limits, wrong };
}
