import { afterEach, beforeEach, expect, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { inTime } from '../support/in-time.ts';
import { type Bot, startBot } from '../support/processes.ts';
import { startTelegramDouble, type TelegramDouble } from '../support/telegram-double.ts';
import { createPerson } from '../support/telegram-updates.ts';

/* Texts over which a pattern can go back for ever, sent to a whole bot of its own process: one that hangs has to be killed. */

const ANSWER_MS = 1000;
const SECRET = 'hostile-secret';

/** A known beginning of codes, digits with blanks or without, and an end at which the number is no code after all. */
const numbers = ['TIVI', 'tulanh', 'xin TIVI'].flatMap((prefix) =>
  ['', ' ', '\u00a0', '\t', ' TIVI '].flatMap((separator) =>
    ['x', '²', '③', '٣', 'đ'].flatMap((end) =>
      [26, 70, 900].map((length) => {
        const digits = Array.from({ length }, (_, at) => at % 10).join(separator);
        return `${prefix} ${digits}`.slice(0, 990) + end;
      }),
    ),
  ),
);
const scripts = ['٠', '०', '０', '𝟎', '²', '③', '㏂'].map((digit) => `TIVI ${digit.repeat(400)}x`);

let double: TelegramDouble;
let bot: Bot;

beforeEach(async () => {
  double = await startTelegramDouble();
  const { token: TELEGRAM_BOT_TOKEN, url: TELEGRAM_API_ROOT } = double;
  bot = await startBot({ TELEGRAM_BOT_TOKEN, TELEGRAM_API_ROOT, TELEGRAM_WEBHOOK_SECRET: SECRET });
});
afterEach(async () => {
  await bot.kill();
  await double.close();
});

let lastChat = 860_000_000;

/** Sends a text in a conversation of its own; resolves once it is answered. */
const channels = {
  staff: async (text: string): Promise<string> =>
    (await createClient(bot.url).send({ conversation: `hostile-${++lastChat}`, text })).status,
  async telegram(text: string): Promise<string> {
    const person = createPerson(++lastChat);
    const webhook = { url: `${bot.url}/webhooks/telegram`, secret: SECRET };
    const posted = await double.post(person.writes(text), webhook);
    await double.called('sendMessage', ({ chat_id }) => chat_id === person.id);
    return posted.status === 200 ? 'done' : posted.body;
  },
};

test.each(Object.entries(channels))(
  '%s answers each within a second, /health/live as well',
  async (_, say) => {
    for (const text of [...numbers, ...scripts]) {
      const both = () => Promise.all([say(text), fetch(`${bot.url}/health/live`).then(({ ok }) => ok)]);
      expect([text, await inTime(ANSWER_MS, both)]).toEqual([text, ['done', true]]);
    }
  },
);
