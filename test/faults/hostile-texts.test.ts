import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { inTime } from '../support/in-time.ts';
import { type Bot, startBot } from '../support/processes.ts';
import { startTelegramDouble, type TelegramDouble } from '../support/telegram-double.ts';
import { createPerson } from '../support/telegram-updates.ts';

/*
 * Texts that make a backtracking pattern try for ever, sent to a whole bot of its own process: a process that hangs
 * answers nobody, and SIGTERM does not end it.
 */

const ANSWER_MS = 1000;
const SECRET = 'hostile-secret';

/** A known beginning of codes, digits with blanks or without, and an end at which the number is no code after all. */
const texts = ['TIVI', 'tulanh', 'xin TIVI'].flatMap((prefix) =>
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
  bot = await startBot({
    TELEGRAM_BOT_TOKEN: double.token,
    TELEGRAM_API_ROOT: double.url,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
  });
});
afterEach(async () => {
  await bot.kill();
  await double.close();
});

const isLive = async (): Promise<boolean> => (await fetch(`${bot.url}/health/live`)).ok;

let lastChat = 860_000_000;

/** Sends a text in a conversation of its own; resolves once it is answered. */
const channels: Readonly<Record<string, (text: string) => Promise<string>>> = {
  async staff(text) {
    const answer = await createClient(bot.url).send({ conversation: `hostile-${++lastChat}`, text });
    return answer.status;
  },
  async telegram(text) {
    const person = createPerson(++lastChat);
    const posted = await double.post(person.writes(text), {
      url: `${bot.url}/webhooks/telegram`,
      secret: SECRET,
    });
    await double.called('sendMessage', ({ chat_id }) => chat_id === person.id);
    return posted.status === 200 ? 'done' : posted.body;
  },
};

describe.each(Object.entries(channels))('through %s', (_name, say) => {
  test('each text is answered within a second, and so is /health/live', async () => {
    for (const text of [...texts, ...scripts]) {
      const both = () => Promise.all([say(text), isLive()]);
      expect([text, await inTime(ANSWER_MS, both)]).toEqual([text, ['done', true]]);
    }
  });
});
