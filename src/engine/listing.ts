import {
  type Index,
  type Listed,
  type Range,
  type RecordStore,
  SHARDS,
  StoreUnavailable,
} from '../store/port.ts';

export type Lists = Pick<RecordStore, 'list'>;

/**
 * An index of the whole store, shard by shard. It opens no record. Shards that do not answer are left out;
 * rejects with `StoreUnavailable` if none answers.
 */
export async function listAll(
  store: Lists,
  index: Index,
  range: Omit<Range, 'shard'>,
): Promise<readonly Listed[]> {
  const shards = Array.from({ length: SHARDS }, (_, shard) => store.list(index, { ...range, shard }));
  const answers = await Promise.allSettled(shards);
  const listed = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  if (listed.length === 0) throw new StoreUnavailable('no shard of the store answers');
  return listed;
}

/** The members of an index. Rejects if one shard does not answer: what is missing would not be noticed. */
export async function membersOf(
  store: Lists,
  index: Index,
  limit = Number.MAX_SAFE_INTEGER,
): Promise<string[]> {
  const listed = await listAll(store, index, { upTo: 'ever', limit });
  if (listed.length < SHARDS) throw new StoreUnavailable('some shards of the store do not answer');
  return listed.flatMap(({ entries }) => entries.map(({ member }) => member));
}
