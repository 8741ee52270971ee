import { readTicketPart, type TicketPart } from '../conversation/outline.ts';
import { type Lists, listAll } from '../engine/operators.ts';
import type { Declare } from '../observability/metrics.ts';
import { type Listed, readMember, SHARDS } from '../store/port.ts';

/** How many operations and tickets of a shard are read. */
const MOST_READ = 1000;
/** A ticket ends after a day. If one has waited longer, its record is lost. */
const LOST_MS = 2 * 24 * 60 * 60 * 1000;

/** A ticket in its index: it has stood so since `score`. */
export type TicketEntry = TicketPart & {
  readonly conversation: string;
  readonly score: number;
  readonly ageMs: number;
};

/**
 * Tickets in no order; `now`: only open ones. `limit`: of each shard, the newest of the closed ones.
 * `count`: how many there are, also beyond the limit. `isWhole`: every shard answered.
 */
export async function listTickets(
  store: Lists,
  upTo: 'now' | 'ever',
  limit = Number.MAX_SAFE_INTEGER,
): Promise<{ tickets: TicketEntry[]; count: number; isWhole: boolean }> {
  const listed = await listAll(store, 'tickets', { upTo, limit });
  const tickets = listed.flatMap(({ nowMs, entries }) =>
    entries.map(({ member, score }): TicketEntry => {
      const { name: conversation, part } = readMember(member);
      return { conversation, ...readTicketPart(part), score, ageMs: Math.max(0, nowMs - score) };
    }),
  );
  return { tickets, count: sumCounts(listed), isWhole: listed.length === SHARDS };
}

/** Age groups of operations without an outcome. After the last check, staff must settle an operation. */
const AGES = [
  ['under_1m', 60_000],
  ['under_30m', 30 * 60_000],
  ['under_1d', 24 * 60 * 60_000],
  ['over_1d', Number.POSITIVE_INFINITY],
] as const;

/** Shows what waits in the store, from indexes only. Shards without an answer are left out. */
export async function showBacklog(store: Lists, { set }: Declare): Promise<void> {
  const [due, undelivered, dead, intents, { tickets }] = await Promise.all([
    listAll(store, 'due', { upTo: 'now', limit: 1 }),
    listAll(store, 'undelivered', { upTo: 'ever', limit: 1 }),
    listAll(store, 'dead', { upTo: 'ever', limit: 0 }),
    listAll(store, 'intents', { upTo: 'ever', limit: MOST_READ }),
    listTickets(store, 'now', MOST_READ),
  ]);
  set('bot_due_conversations')(sumCounts(due));
  set('bot_due_oldest_seconds')(oldestOf(agesOf(due)));
  set('bot_undelivered_oldest_seconds')(oldestOf(agesOf(undelivered)));
  set('bot_dead_letters')(sumCounts(dead));
  const operations = set<[age: string]>('bot_open_operations', 'age');
  const ages = agesOf(intents).map((ms) => AGES.find(([, under]) => ms < under)?.[0]);
  for (const [age] of AGES) operations(ages.filter((ageClass) => ageClass === age).length, age);
  const open = tickets.filter(({ ageMs }) => ageMs < LOST_MS);
  const waiting = open.filter(({ stands }) => stands === 'waiting');
  const customers = set<[state: string]>('bot_open_tickets', 'state');
  customers(waiting.length, 'waiting');
  customers(open.length - waiting.length, 'answered');
  set('bot_ticket_waiting_seconds')(oldestOf(waiting.map(({ ageMs }) => ageMs)));
}

const sumCounts = (listed: readonly Listed[]): number => listed.reduce((sum, { count }) => sum + count, 0);

const agesOf = (listed: readonly Listed[]): number[] =>
  listed.flatMap(({ nowMs, entries }) => entries.map(({ score }) => Math.max(0, nowMs - score)));

/** In seconds; 0 without any. */
const oldestOf = (agesMs: readonly number[]): number => Math.max(0, ...agesMs) / 1000;
