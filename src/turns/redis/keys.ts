import { crc32 } from 'node:zlib';

/*
 * What is stored where. Everything carries its shard's tag; everything but `due` expires.
 *
 *   {b7}m:<conversation>  string  the record: state, lease, counters (record.lua)        180 days
 *   {b7}q:<conversation>  list    messages accepted and not yet answered                 180 days
 *   {b7}o:<conversation>  list    replies not yet delivered                              180 days
 *   {b7}d:<conversation>  string  memory of the last message ids (accept.lua)            48 h
 *   {b7}f:<conversation>  list    the feed's last events; also the channel's name        1 h
 *   {b7}due               zset    conversations that somebody must look at, scored by when (ms)
 *   {b7}intents           hash    conversation|operation → intent without an outcome     180 days
 *   {b7}dead              list    dead letters                                           180 days
 *   {b7}h:<customer>      string  the operation that holds the customer                  2 h
 *   {b7}s:<customer>      zset    records that settled operations, scored by their end   24 h
 *   {b7}a:<customer>      zset    records still to come of operations, scored likewise   24 h
 *   {b7}l:<registration>  string  the process that registers the bot at a platform        2 min
 *   {b7}r:<registration>  string  the fingerprint of what was registered last            30 days
 *   {b7}probe:…           three   what readiness writes to see whether a message could be (probe.lua)   10 s
 */

/** How many hash tags share the conversations out over a cluster. It is part of every key: never change it. */
export const SHARDS = 256;

/** The shard of a conversation or a customer: its `due` and all its keys carry the same tag, hence share a slot. */
export function shardOf(name: string): number {
  return crc32(name) % SHARDS;
}

/** Written out once: each turn needs a dozen. */
const TAGS = Array.from({ length: SHARDS }, (_, shard) => `{b${shard}}`);
const tag = (shard: number): string => TAGS[shard] ?? '';

export const dueKey = (shard: number): string => `${tag(shard)}due`;
export const intentsKey = (shard: number): string => `${tag(shard)}intents`;
export const deadKey = (shard: number): string => `${tag(shard)}dead`;
export const takenKey = (shard: number, nonce: string): string => `${tag(shard)}taken:${nonce}`;

/** What readiness writes: of the kinds that a message is written to. */
export const probeKeys = (shard: number): [record: string, queue: string, due: string] => [
  `${tag(shard)}probe:m`,
  `${tag(shard)}probe:q`,
  `${tag(shard)}probe:due`,
];

/** The keys of one conversation, in the order in which its scripts want them, and those of its shard. */
export function conversationKeys(conversation: string) {
  const shard = shardOf(conversation);
  const name = (kind: string): string => `${tag(shard)}${kind}:${conversation}`;
  return {
    own: [name('m'), name('q'), name('o'), dueKey(shard)],
    memory: name('d'),
    intents: intentsKey(shard),
    dead: deadKey(shard),
  };
}

/** The keys of one customer: the hold, the records that settled operations, those still to come. */
export function customerKeys(customer: string): [hold: string, settled: string, awaited: string] {
  const prefix = tag(shardOf(customer));
  return [`${prefix}h:${customer}`, `${prefix}s:${customer}`, `${prefix}a:${customer}`];
}

/** The stored events of a conversation; the channel that tells of new ones has the same name. */
export const feedKey = (conversation: string): string => `${tag(shardOf(conversation))}f:${conversation}`;

/** The keys of a bot's registration at a platform: who registers now, and what was registered last. */
export function registrationKeys(name: string): { readonly lock: string; readonly fingerprint: string } {
  const prefix = tag(shardOf(name));
  return { lock: `${prefix}l:${name}`, fingerprint: `${prefix}r:${name}` };
}
