import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import type { StaffEvent } from '../../src/channels/staff/schema.ts';
import { type Running, startBot } from '../support/app.ts';

let bot: Running;
beforeAll(async () => {
  bot = await startBot();
});
afterAll(() => bot.stop());

/** What the event stream of a conversation has stored, up to the reply `last`. */
async function stored(conversation: string, last: string): Promise<StaffEvent[]> {
  const enough = new AbortController();
  const events: StaffEvent[] = [];
  for await (const event of createClient(bot.url).events(conversation, 0, enough.signal)) {
    events.push(event);
    if (event.key === last) break;
  }
  enough.abort();
  return events;
}

const PERSONAL = /912 ?345 ?678|minh@|TIVI000000017/;

test('whoever asks to be forgotten is, within the turn, in the events and traces that staff can see, too', async () => {
  const { send } = createClient(bot.url);
  const says = (text: string) => send({ conversation: 'qa', text, locale: 'vi', as: 'telegram' });
  await says('tích điểm TIVI000000017 0912345678 minh@example.vn');
  expect(JSON.stringify(await stored('qa', 'accumulate.summary'))).toMatch(PERSONAL);

  const answer = await says('/forget');
  expect(answer).toMatchObject({ status: 'done', replies: [{ key: 'privacy.erased' }] });
  expect(JSON.stringify(answer)).not.toMatch(PERSONAL);
  const events = await stored('qa', 'privacy.erased');
  expect(events.map(({ key }) => key)).toEqual(['privacy.erased']);
  expect(JSON.stringify(events)).not.toMatch(PERSONAL);

  expect(JSON.stringify(await says('/privacy'))).not.toMatch(PERSONAL);
});
