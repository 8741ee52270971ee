import { hash } from 'node:crypto';
import type { World } from './world.ts';

/*
 * How AntCRM lists its records, where docs/antcrm.md leaves it open.
 */

/** A record of AntCRM's books. `by`: the operation that it comes from, or `cashier`. */
export type Entry = {
  readonly id: string;
  /** Of points or of a gift. */
  readonly type: 1 | 2;
  readonly status: 0 | 1;
  readonly score: number;
  readonly code: string;
  readonly phone: string;
  readonly by: string;
  readonly createdAt: number;
  readonly shownAtMs: number;
};

/** A customer of AntCRM's, under all phones. */
export type Person = { readonly customerId: string; readonly phones: Set<string> };

type Parts = Pick<World, 'chance' | 'count' | 'occurs' | 'rates' | 'manners'>;

/** In [0, 1), always the same for the same text: what is odd about a record or a customer stays so. */
export const luckOf = (text: string): number => Number.parseInt(hash('sha1', text).slice(0, 8), 16) / 2 ** 32;

/** A record as the history lists it: fields may be missing, or texts. */
export function toListed(entry: Entry, contact: object, { count, rates }: Parts): object {
  const { id, type, status, score, code, createdAt } = entry;
  const what = type === 1 ? { code, product: { name: 'Tivi' } } : { gift: { code, name: 'Loa' } };
  const record: Record<string, unknown> = { id, type, status, score, createdAt, contact, ...what };
  const seed = `${id} ${code}`;
  if (luckOf(`missing ${seed}`) < rates.missing) {
    const fields = Object.keys(record);
    const field = fields[Math.floor(luckOf(`which ${seed}`) * fields.length)] ?? '';
    count('fields missing');
    if (luckOf(`null ${seed}`) < 0.5) delete record[field];
    else record[field] = null;
  }
  if (luckOf(`text ${seed}`) >= rates.asText) return record;
  count('numbers as texts');
  return JSON.parse(JSON.stringify(record, (_, value) => (typeof value === 'number' ? `${value}` : value)));
}

/** Far more than the bot reads. */
const WITHOUT_END = 60;

/** The page of a list. Pages may repeat, shift, be the same whatever is asked, or never end. */
export function toPage(
  listed: readonly unknown[],
  { page, person, world }: { readonly page: number; readonly person: Person; readonly world: Parts },
): unknown[] {
  const { chance, count, manners, occurs, rates } = world;
  const { pageSize } = manners;
  const luck = luckOf(`pages ${person.customerId}`);
  if (pageSize !== 20 && listed.length > pageSize) count('pages of another size');
  if (manners.isNewestFirst && listed.length > 1) count('lists from the newest on');
  let at = (page - 1) * pageSize;
  if (luck < rates.ignored && page > 1) {
    count('pages ignored');
    at = 0;
  } else if (luck > 1 - rates.endless && page > 1 && page < WITHOUT_END && listed.length > 0) {
    count('pages without end');
    return listed.slice(0, 1).map((record) => ({ ...Object(record), id: `endless-${page}` }));
  } else if (page > 1 && listed.length > pageSize) {
    if (occurs(rates.repeats, 'pages repeated')) at -= pageSize;
    if (occurs(rates.shifts, 'pages shifted')) at += chance.pick([-1, 1]);
  }
  const shown = listed.slice(at, at + pageSize);
  return occurs(rates.unknownTypes, 'entries of an unknown type') ? [...shown, { id: 'x', type: 3 }] : shown;
}
