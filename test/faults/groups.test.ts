import { afterAll, expect, test } from 'vitest';
import { startBot } from '../support/app.ts';
import { startTelegramDouble } from '../support/telegram-double.ts';
import { createPerson } from '../support/telegram-updates.ts';

const SECRET = 'groups-secret';
const double = await startTelegramDouble();
const bot = await startBot({
  TELEGRAM_BOT_TOKEN: double.token,
  TELEGRAM_API_ROOT: double.url,
  TELEGRAM_WEBHOOK_SECRET: SECRET,
});
afterAll(async () => {
  await bot.stop();
  await double.close();
});

const person = createPerson(51);
const post = (update: Parameters<typeof double.post>[0]) =>
  double.post(update, { url: `${bot.url}/webhooks/telegram`, secret: SECRET });
const asksIn = (group: number) => person.writes('/start', inGroup(group));
const inGroup = (id: number) => ({
  chat: { id, type: 'supergroup' },
  entities: [{ type: 'bot_command', offset: 0, length: 6 }],
});
const sentTo = (chat: number) =>
  double.calls('sendMessage').filter(({ payload }) => payload.chat_id === chat).length;

const WAIT_A_MINUTE = {
  code: 429,
  description: 'Too Many Requests: retry after 50',
  parameters: { retry_after: 50 },
};

test('groups that Telegram tells to wait hold up no customer', async () => {
  double.script('sendMessage -5', WAIT_A_MINUTE);
  double.script('sendMessage -6', WAIT_A_MINUTE);
  await Promise.all([post(asksIn(-5)), post(asksIn(-6))]);
  await expect.poll(() => sentTo(-5) + sentTo(-6)).toBe(2);

  await post(person.writes('/start'));
  await expect.poll(() => sentTo(51), { timeout: 5000 }).toBe(1);
});

test('a group is pointed to the private chat once an hour, however often it asks', async () => {
  for (let n = 0; n < 5; n++) await post(asksIn(-7));
  await post(person.writes('/help'));
  await expect.poll(() => sentTo(51)).toBeGreaterThan(1);
  expect(sentTo(-7)).toBe(1);
});
