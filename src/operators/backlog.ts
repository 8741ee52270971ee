import { type Lists, listAll } from '../engine/operators.ts';
import type { Backlog } from '../observability/metrics.ts';
import { type Listed, SHARDS } from '../store/port.ts';

/** How many operations and tickets of a shard are read. */
const MOST_READ = 1000;
/** A ticket ends after a day. If one has waited longer, its record is lost. */
const LOST_MS = 2 * 24 * 60 * 60 * 1000;

/** A ticket in its index: counts of what was written and claimed, and its state since `score`. */
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

/** At most `limit` tickets of each shard; `now`: only open ones. `isWhole`: every shard answered. */
export async function listTickets(store: Lists, upTo: 'now' | 'ever', limit: number) {
  const listed = await listAll(store, 'tickets', { upTo, limit });
  const tickets = listed.flatMap(({ nowMs, entries }) =>
    entries.map(({ member, score }): TicketEntry => {
      const [conversation = '', id = '', stands = '', customer, staff, claims = 0] = member.split(':');
      const written = { customer: Number(customer), staff: Number(staff), claims: Number(claims) };
      return { conversation, id, stands, ...written, score, ageMs: Math.max(0, nowMs - score) };
    }),
  );
  return { tickets, isWhole: listed.length === SHARDS };
}

/** Reads what waits in the store, from indexes only. Shards without an answer are left out. */
export async function readBacklog(store: Lists): Promise<Backlog> {
  const [due, undelivered, dead, intents, { tickets }] = await Promise.all([
    listAll(store, 'due', { upTo: 'now', limit: 1 }),
    listAll(store, 'undelivered', { upTo: 'ever', limit: 1 }),
    listAll(store, 'dead', { upTo: 'ever', limit: 0 }),
    listAll(store, 'intents', { upTo: 'ever', limit: MOST_READ }),
    listTickets(store, 'now', MOST_READ),
  ]);
  const waiting = tickets.filter(({ stands }) => stands === 'waiting');
  return {
    due: { count: sumCounts(due), oldestMs: Math.max(0, ...agesOf(due)) },
    undeliveredMs: Math.max(0, ...agesOf(undelivered)),
    letters: sumCounts(dead),
    operationsMs: agesOf(intents),
    tickets: {
      waitingMs: waiting.map(({ ageMs }) => ageMs).filter((ms) => ms < LOST_MS),
      answered: tickets.length - waiting.length,
    },
  };
}

const sumCounts = (listed: readonly Listed[]): number => listed.reduce((sum, { count }) => sum + count, 0);

const agesOf = (listed: readonly Listed[]): number[] =>
  listed.flatMap(({ nowMs, entries }) => entries.map(({ score }) => Math.max(0, nowMs - score)));
