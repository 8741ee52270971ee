import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { DeadLetter, DeadLetters } from '../dead-letters.ts';
import type { Journal, StoredIntent } from '../journal.ts';
import { bytesOf } from './answer.ts';
import type { RedisClient } from './client.ts';
import { confirmed } from './confirmed.ts';
import { SHARDS } from './tags.ts';

const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
/** The line that names a letter, with its version (`v`). Processes and scripts of every version read these keys. */
const letterSchema = z.object({
  id: z.string(),
  conversation: z.string(),
  atMs: z.number(),
  reason: z.string(),
});

/** Reads intents without an outcome and dead letters, shard by shard. */
export function journalOf({
  commands,
  run,
  keys,
}: Pick<RedisClient, 'commands' | 'run' | 'keys'>): Pick<Journal, 'recall' | 'intents'> & DeadLetters {
  return {
    async recall(conversation, operation) {
      const { intents } = keys().conversation(conversation);
      const stored = await confirmed(commands.hgetBuffer(intents, `${conversation}|${operation}`));
      return stored === null ? null : splitLine(stored)[1];
    },

    async *intents() {
      for (const shard of shards) {
        const stored = await confirmed(commands.hgetallBuffer(keys().intents(shard)));
        for (const [field, value] of Object.entries(stored)) yield readIntent(field, value);
      }
    },

    async *deadLetters() {
      for (const shard of shards) {
        const letters = await confirmed(commands.lrangeBuffer(keys().dead(shard), 0, -1));
        yield* letters.map(readLetter);
      }
    },

    async takeDeadLetter(id) {
      const shard = /^(\d+)-/.exec(id)?.[1];
      if (shard === undefined || Number(shard) >= SHARDS) return null;
      const { dead, taken } = keys();
      const names = [dead(Number(shard)), taken(Number(shard), randomUUID())];
      const letter = await run('takeDead', names, [id]);
      return letter === null ? null : readLetter(bytesOf(letter));
    },
  };
}

/** Written by intend.lua: conversation|operation → 'fence atMs\nbody'. */
function readIntent(field: string, value: Buffer): StoredIntent {
  const [head, body] = splitLine(value);
  const bar = field.indexOf('|');
  return {
    conversation: field.slice(0, bar),
    operation: field.slice(bar + 1),
    atMs: Number(head.split(' ')[1]),
    body,
  };
}

/** Written by commit.lua: one line of JSON, then the body. */
function readLetter(value: Buffer): DeadLetter {
  const [head, body] = splitLine(value);
  return { ...letterSchema.parse(JSON.parse(head)), body };
}

function splitLine(value: Buffer): [head: string, body: Buffer] {
  const end = value.indexOf('\n');
  return [value.toString('utf8', 0, end), value.subarray(end + 1)];
}
