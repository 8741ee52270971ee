import { type Index, type Listed, type RecordStore, SHARDS } from '../store/port.ts';
import { StoreUnavailable } from '../store/unavailable.ts';

/** What waits in the store, over all conversations and processes: for the metrics. */
export type Waiting = {
  /** Conversations that somebody should work on by now, and nobody does; for how long the first has been (ms; 0: none). */
  readonly due: { readonly count: number; readonly oldestMs: number };
  /** How long ago the oldest reply was made that had to be put off (ms; 0: there is none). */
  readonly undeliveredMs: number;
  /** Conversations that have dead letters. */
  readonly letters: number;
  /** How old each operation without an outcome is (ms), in no order; of more than `OPERATIONS_SEEN` a shard not all. */
  readonly operationsMs: readonly number[];
  /** Where a person was asked for: for how long each customer waits for staff (ms), and how many do not. */
  readonly tickets: { readonly waitingMs: readonly number[]; readonly answered: number };
};

const OPERATIONS_SEEN = 1000;
const LOST_MS = 2 * 24 * 60 * 60 * 1000;

/** A ticket as its index tells it: where, what was written so far by whom, and since when it stands as it does. */
export type TicketEntry = {
  readonly conversation: string;
  readonly id: string;
  readonly stands: string;
  readonly customer: number;
  readonly staff: number;
  readonly score: number;
  readonly ageMs: number;
};

/** `now`: those that are open. In no order; of more than `limit` a shard not all. `isWhole`: every shard has answered. */
export async function ticketsIn(store: Lists, upTo: 'now' | 'ever', limit: number) {
  const listed = await listAll(store, 'tickets', upTo, limit);
  const tickets = listed.flatMap(({ nowMs, entries }) =>
    entries.map(({ member, score }): TicketEntry => {
      const [conversation = '', id = '', stands = '', customer, staff] = member.split(':');
      const written = { customer: Number(customer), staff: Number(staff) };
      return { conversation, id, stands, ...written, score, ageMs: Math.max(0, nowMs - score) };
    }),
  );
  return { tickets, isWhole: listed.length === SHARDS };
}

type Lists = Pick<RecordStore, 'list'>;

/**
 * Reads indexes only, so it takes no longer however many conversations are stored. Shards that do not answer while others do
 * are left out. Rejects with `StoreUnavailable` where none answers.
 */
export async function readBacklog(store: Lists): Promise<Waiting> {
  const [due, undelivered, dead, intents, { tickets }] = await Promise.all([
    listAll(store, 'due', 'now', 1),
    listAll(store, 'undelivered', 'ever', 1),
    listAll(store, 'dead', 'ever', 0),
    listAll(store, 'intents', 'ever', OPERATIONS_SEEN),
    ticketsIn(store, 'now', OPERATIONS_SEEN),
  ]);
  const waits = tickets.filter(({ stands }) => stands === 'waiting');
  return {
    due: { count: countOf(due), oldestMs: Math.max(0, ...agesOf(due)) },
    undeliveredMs: Math.max(0, ...agesOf(undelivered)),
    letters: countOf(dead),
    operationsMs: agesOf(intents),
    tickets: {
      // A ticket ends after a day: what waits longer has lost its record.
      waitingMs: waits.map(({ ageMs }) => ageMs).filter((ms) => ms < LOST_MS),
      answered: tickets.length - waits.length,
    },
  };
}

/** An index, shard by shard. */
async function listAll(
  store: Lists,
  index: Index,
  upTo: 'now' | 'ever',
  limit: number,
): Promise<readonly Listed[]> {
  const shards = Array.from({ length: SHARDS }, (_, shard) => store.list(index, { shard, upTo, limit }));
  const answers = await Promise.allSettled(shards);
  const listed = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  if (listed.length === 0) throw new StoreUnavailable('no shard of the store answers');
  return listed;
}

const countOf = (listed: readonly Listed[]): number => listed.reduce((sum, { count }) => sum + count, 0);

const agesOf = (listed: readonly Listed[]): number[] =>
  listed.flatMap(({ nowMs, entries }) => entries.map(({ score }) => Math.max(0, nowMs - score)));

/** Everything that an index has; rejects where a shard does not answer, for what is missing would not be missed. */
export async function membersOf(
  store: Lists,
  index: Index,
  limit = Number.MAX_SAFE_INTEGER,
): Promise<string[]> {
  const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
  const listed = await Promise.all(shards.map((shard) => store.list(index, { shard, upTo: 'ever', limit })));
  return listed.flatMap(({ entries }) => entries.map(({ member }) => member));
}
