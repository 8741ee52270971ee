import { crc32 } from 'node:zlib';
import { type Layout, SHARDS, TAGS } from './tags.ts';

/*
 * What is stored where. Everything carries its shard's tag; everything but `due` and the layout (layout.ts) expires.
 *
 *   {tag}m:<conversation>  string  the record: state, lease, counters (record.lua)        180 days
 *   {tag}q:<conversation>  list    messages accepted and not yet answered                 180 days
 *   {tag}o:<conversation>  list    replies not yet delivered                              180 days
 *   {tag}x:<conversation>  list    states that could not be opened, kept aside                180 days
 *   {tag}d:<conversation>  string  memory of the last message ids (accept.lua)            48 h
 *   {tag}f:<conversation>  list    the feed's last events; also the channel's name        1 h
 *   {tag}due               zset    conversations that somebody must look at, scored by when (ms)
 *   {tag}undelivered       zset    conversations whose outbox had to wait, scored by when its first reply was made (ms)
 *   {tag}intents           hash    conversation|operation → intent without an outcome     180 days
 *   {tag}dead              list    dead letters                                           180 days
 *   {tag}h:<customer>      string  the operation that has the customer's lock             2 h
 *   {tag}s:<customer>      zset    records that settled operations, scored by their end   24 h
 *   {tag}a:<customer>      zset    records still to come of operations, scored likewise   24 h
 *   {tag}p:<quota>         hash    how full a bot's second is, and who waits (pace.lua)     seconds
 *   {tag}p:…:refused       string  whether the platform refused one in the last second            1 s
 *   {tag}p:…:line          string  when the next of those put off may come back (take-places.lua)
 *   {tag}probe:…           three   what readiness writes to see whether a message could be (probe.lua)   10 s
 */

/** The shard of a conversation or a customer: its `due` and all its keys carry the same tag, hence share a slot. */
export function shardOf(name: string): number {
  return crc32(name) % SHARDS;
}

/**
 * What readiness writes: of the kinds that a message is written to. The same in each layout, because readiness must tell
 * what is wrong also while nobody knows the layout.
 */
export function probeKeys(shard: number): [record: string, queue: string, due: string] {
  const tag = TAGS[2][shard] ?? '';
  return [`${tag}probe:m`, `${tag}probe:q`, `${tag}probe:due`];
}

/** How everything in a store of one layout is called. */
export type Keys = ReturnType<typeof keysOf>;

export function keysOf(layout: Layout) {
  const tags = TAGS[layout];
  const tag = (shard: number): string => tags[shard] ?? '';
  const due = (shard: number): string => `${tag(shard)}due`;
  const undelivered = (shard: number): string => `${tag(shard)}undelivered`;
  const intents = (shard: number): string => `${tag(shard)}intents`;
  const dead = (shard: number): string => `${tag(shard)}dead`;
  return {
    due,
    dead,
    intents,
    /** The keys that show what waits in a shard, in the order that `backlog` takes them in. */
    backlog: (shard: number): string[] => [due(shard), undelivered(shard), dead(shard), intents(shard)],
    taken: (shard: number, nonce: string): string => `${tag(shard)}taken:${nonce}`,

    /** The keys of one conversation, in the order in which its scripts want them, and those of its shard. */
    conversation(conversation: string) {
      const shard = shardOf(conversation);
      const name = (kind: string): string => `${tag(shard)}${kind}:${conversation}`;
      return {
        own: [name('m'), name('q'), name('o'), due(shard)],
        memory: name('d'),
        aside: name('x'),
        undelivered: undelivered(shard),
        intents: intents(shard),
        dead: dead(shard),
      };
    },

    /** The keys of one customer: the lock, the records that settled operations, those still to come. */
    customer(customer: string): [lock: string, settled: string, awaited: string] {
      const prefix = tag(shardOf(customer));
      return [`${prefix}h:${customer}`, `${prefix}s:${customer}`, `${prefix}a:${customer}`];
    },

    /** The stored events of a conversation; the channel that tells of new ones has the same name. */
    feed: (conversation: string): string => `${tag(shardOf(conversation))}f:${conversation}`,

    /** What the pace counts of a bot's messages. */
    quota: (name: string): string => `${tag(shardOf(name))}p:${name}`,
  };
}
