import type { EventLog } from '../feed.ts';
import { FEED_LENGTH, FEED_MS, type FeedEvent } from '../port.ts';
import { confirm } from './clients.ts';
import type { RedisConnection } from './connection.ts';
import { storedName } from './records.ts';

/** The events of a feed on Redis or Redis Cluster: a list per conversation. */
export function createRedisLog(connection: RedisConnection, feedMs = FEED_MS): EventLog {
  const { client } = connection;
  return {
    async append(conversation, { seq, body }, forget) {
      const args = [seq, body, FEED_LENGTH, feedMs, forget ? 1 : 0];
      await connection.run({ script: 'publish', keys: [storedName(`f:${conversation}`)], args });
    },

    async read(conversation, afterSeq) {
      connection.throwIfClosed();
      const key = storedName(`f:${conversation}`);
      const [last] = await confirm(client.lrangeBuffer(key, -1, -1));
      if (last === undefined || parseEvent(last).seq <= afterSeq) return [];
      const stored = await confirm(client.lrangeBuffer(key, 0, -1));
      return stored.map(parseEvent).filter(({ seq }) => seq > afterSeq);
    },
  };
}

/** Stored as 'seq:body' (publish.lua). */
function parseEvent(stored: Buffer): FeedEvent {
  const colon = stored.indexOf(':');
  return { seq: Number(stored.toString('latin1', 0, colon)), body: stored.subarray(colon + 1) };
}
