import type { RunResult } from '../../docs/runs.ts';
import { type Counted, sumOf } from './counts.ts';
import { runHistory } from './history.ts';
import type { WorldOptions } from './world.ts';

/*
 * How many operations without an answer end with staff, under each oddity of AntCRM alone.
 */

type Oddities = Required<Required<WorldOptions>['oddities']>;
type Manners = Required<Required<WorldOptions>['manners']>;

/** No fault of processes, the store and platforms, and no operator who is faster than the bot. */
const CALM = {
  killed: 0,
  lost: 0,
  repeated: 0,
  slow: 0,
  failover: 0,
  ill: 0,
  hiccup: 0,
  damaged: 0,
  putBack: 0,
  throttled: 0,
  failedLate: 0,
  silent: 0,
  unconnected: 0,
  waits: 0,
  outage: 0,
  stopped: 0,
  unreplicated: 0,
  slowIntents: 0,
  doubled: 0,
  hourBack: 0,
  settles: 0,
} as const;

/** AntCRM as docs/antcrm.md describes it. It loses answers, and shows records late. */
const WELL_BEHAVED = {
  manners: { pageSize: 20, isNewestFirst: false, recordsAheadMs: 0 },
  oddities: {
    repeats: 0,
    shifts: 0,
    ignored: 0,
    endless: 0,
    missing: 0,
    asText: 0,
    unknownTypes: 0,
    mute: 0,
    garbage: 0,
    redirects: 0,
    huge: 0,
    dawdles: 0,
    throttles: 0,
    cached: 0,
    cashiers: 0,
    merges: 0,
    ...CALM,
    errorBody: 0,
    failed: 0,
    answerLost: 0.3,
    unheard: 0.2,
    late: 0.3,
  },
} as const satisfies WorldOptions;

/** One oddity each, by a name for people. */
const ODDITIES: Readonly<Record<string, { oddities?: Partial<Oddities>; manners?: Partial<Manners> }>> = {
  'none (records up to 30 s late)': {},
  'pages of 3, newest first': { manners: { pageSize: 3, isNewestFirst: true } },
  'of pages of 3, one in ten repeats': { manners: { pageSize: 3 }, oddities: { repeats: 0.1 } },
  'of pages of 3, one in ten shifts': { manners: { pageSize: 3 }, oddities: { shifts: 0.1 } },
  '`page` is ignored, of one customer in ten': { oddities: { ignored: 0.1 } },
  'pages never end, of one customer in ten': { oddities: { endless: 0.1 } },
  'records have a clock 40 min slow': { manners: { recordsAheadMs: -40 * 60_000 } },
  'one record in ten lacks a field': { oddities: { missing: 0.1 } },
  'numbers are texts': { oddities: { asText: 1 } },
  'one page in ten has an entry of an unknown type': { oddities: { unknownTypes: 0.1 } },
  'one answer in ten is garbage': { oddities: { garbage: 0.1 } },
  'one answer in ten is a redirect': { oddities: { redirects: 0.1 } },
  'one answer in ten is too long': { oddities: { huge: 0.1 } },
  'one answer in ten comes too late': { oddities: { dawdles: 0.1 } },
  'one answer in ten is a 429': { oddities: { throttles: 0.1 } },
  'one call in five fails with a 5xx': { oddities: { failed: 0.2 } },
  'one read in five is answered by an error in a 200': { oddities: { errorBody: 0.2 } },
  'a cache answers half of the repeated reads': { oddities: { cached: 0.5 } },
  'of one customer in ten nothing can be read': { oddities: { mute: 0.1 } },
  'a cashier redeems every ten seconds': { oddities: { cashiers: 0.2 } },
  'two of sixty customers become one every minute': { oddities: { merges: 1 / 30 } },
};

/** AntCRM as it is under that oddity. */
export const oddityOf = (name: string): WorldOptions => ({
  manners: { ...WELL_BEHAVED.manners, ...ODDITIES[name]?.manners },
  oddities: { ...WELL_BEHAVED.oddities, ...ODDITIES[name]?.oddities },
});

/**
 * Runs so many histories under each oddity: operations without an answer, and how many of them ended with
 * staff.
 */
export async function measureShares(seed: number, histories: number): Promise<RunResult<'staff'>> {
  const measured: { name: string; unanswered: number; withStaff: number }[] = [];
  for (const name of Object.keys(ODDITIES)) {
    const ran: Counted[] = [];
    for (let at = 0; at < histories; at++) {
      const history = await runHistory(seed + at, oddityOf(name));
      for (const { invariant, what } of history.breaches) console.log(`${seed + at} ${invariant}: ${what}`);
      ran.push(history);
    }
    const { counts } = sumOf(ran);
    const unanswered = counts['operations without an answer'] ?? 0;
    const withStaff = counts['operations with staff'] ?? 0;
    measured.push({ name, unanswered, withStaff });
    console.log(`${name}: ${withStaff} of ${unanswered}`);
  }
  return { oddities: measured };
}
