import { type Index, type Listed, type RecordStore, SHARDS, StoreUnavailable } from '../store/port.ts';

export type Lists = Pick<RecordStore, 'list'>;

/**
 * An index of the whole store, shard by shard; it opens no record. Shards that do not answer while others do are left out.
 * Rejects with `StoreUnavailable` where none answers.
 */
export async function listAll(
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

/** Everything that an index has; rejects where a shard does not answer, for what is missing would not be missed. */
export async function membersOf(
  store: Lists,
  index: Index,
  limit = Number.MAX_SAFE_INTEGER,
): Promise<string[]> {
  const listed = await listAll(store, index, 'ever', limit);
  if (listed.length < SHARDS) throw new StoreUnavailable('some shards of the store do not answer');
  return listed.flatMap(({ entries }) => entries.map(({ member }) => member));
}
