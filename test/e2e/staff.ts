import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Bot } from '../support/processes.ts';
import { STAFF_TOKEN } from './world.ts';

const replySchema = z.object({
  seq: z.int(),
  key: z.string(),
  choices: z.array(z.object({ id: z.string() })).optional(),
});
export type StaffReply = z.infer<typeof replySchema>;

const answerSchema = z.object({ status: z.string(), replies: z.array(replySchema) });

const authorization = `Bearer ${STAFF_TOKEN}`;

/** A message to the staff webhook of one bot, and its answer. */
export async function writesAsStaff(bot: Bot, conversation: string, message: object) {
  const response = await fetch(`${bot.url}/webhooks/staff`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ conversation, locale: 'en', name: 'Garnacho', ...message }),
  });
  return answerSchema.parse(await response.json());
}

/** The events of a conversation, as the one bot tells them. */
export async function staffEvents(bot: Bot, conversation: string) {
  const stop = new AbortController();
  const url = `${bot.url}/webhooks/staff/${conversation}/events`;
  const { body } = await fetch(url, { headers: { authorization }, signal: stop.signal });
  if (!body) throw new Error('there is no stream of events');
  const lines = createInterface({ input: Readable.from(body) })[Symbol.asyncIterator]();
  return {
    /** The next one, past or future. */
    async next(): Promise<StaffReply> {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error('the stream of events ended');
        if (value.startsWith('data:')) return replySchema.parse(JSON.parse(value.slice('data:'.length)));
      }
    },
    close: async () => stop.abort(),
  };
}
