import { type Lists, listAll } from '../engine/listing.ts';
import { type Listed, SHARDS } from '../store/port.ts';

const OPERATIONS_SEEN = 1000;
const LOST_MS = 2 * 24 * 60 * 60 * 1000;

/** A ticket as its index tells it: where, what was written and claimed so far, and since when it stands as it does. */
export type TicketEntry = {
  readonly conversation: string;
  readonly id: string;
  readonly stands: string;
  readonly customer: number;
  readonly staff: number;
  readonly claims: number;
  readonly score: number;
  readonly ageMs: number;
};

/** `now`: those that are open. In no order; of more than `limit` a shard not all. `isWhole`: every shard has answered. */
export async function ticketsIn(store: Lists, upTo: 'now' | 'ever', limit: number) {
  const listed = await listAll(store, 'tickets', upTo, limit);
  const tickets = listed.flatMap(({ nowMs, entries }) =>
    entries.map(({ member, score }): TicketEntry => {
      const [conversation = '', id = '', stands = '', customer, staff, claims = 0] = member.split(':');
      const written = { customer: Number(customer), staff: Number(staff), claims: Number(claims) };
      return { conversation, id, stands, ...written, score, ageMs: Math.max(0, nowMs - score) };
    }),
  );
  return { tickets, isWhole: listed.length === SHARDS };
}

/**
 * What waits in the store, over all conversations and processes: for the metrics. Reads indexes only, so it takes no longer
 * however many conversations are stored. Shards that do not answer while others do are left out. Rejects with
 * `StoreUnavailable` where none answers. Times are ms, 0 where there is none.
 */
export async function readBacklog(store: Lists) {
  const [due, undelivered, dead, intents, { tickets }] = await Promise.all([
    listAll(store, 'due', 'now', 1),
    listAll(store, 'undelivered', 'ever', 1),
    listAll(store, 'dead', 'ever', 0),
    listAll(store, 'intents', 'ever', OPERATIONS_SEEN),
    ticketsIn(store, 'now', OPERATIONS_SEEN),
  ]);
  const waits = tickets.filter(({ stands }) => stands === 'waiting');
  return {
    // What somebody should work on by now, and nobody does; for how long the first has been.
    due: { count: countOf(due), oldestMs: Math.max(0, ...agesOf(due)) },
    undeliveredMs: Math.max(0, ...agesOf(undelivered)),
    letters: countOf(dead),
    // In no order; of more than `OPERATIONS_SEEN` a shard not all.
    operationsMs: agesOf(intents),
    tickets: {
      // A ticket ends after a day: what waits longer has lost its record.
      waitingMs: waits.map(({ ageMs }) => ageMs).filter((ms) => ms < LOST_MS),
      answered: tickets.length - waits.length,
    },
  };
}

const countOf = (listed: readonly Listed[]): number => listed.reduce((sum, { count }) => sum + count, 0);

const agesOf = (listed: readonly Listed[]): number[] =>
  listed.flatMap(({ nowMs, entries }) => entries.map(({ score }) => Math.max(0, nowMs - score)));
