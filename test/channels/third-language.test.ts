import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { startGateway, startShop } from '../proof/shop.ts';
import { startBot } from '../support/app.ts';
import { startPlatforms } from '../support/platforms.ts';

/*
 * In which language a text goes to another place than the conversation that caused it. A text to the
 * customer's phone is in the customer's language, one to staff in the shop's.
 */

/** The languages whose texts are known here. */
const SPOKEN = ['vi', 'en'] as const;
type Spoken = (typeof SPOKEN)[number];

const other = (locale: Spoken): Spoken => (locale === 'vi' ? 'en' : 'vi');
/** Words that only that language's text has. */
const SMS: Readonly<Record<Spoken, RegExp>> = { vi: /[Đđ]ừng đưa mã cho ai/, en: /Tell it to nobody/ };
const GROUP: Readonly<Record<Spoken, RegExp>> = { vi: /[àáảãạăâđêôơư]/i, en: / customer / };
const PHONE = '0867123456';

test.each(SPOKEN)('a code to a phone is in the language that the customer chose: %s', async (chosen) => {
  const gateway = await startGateway();
  const { send } = await startShop(gateway, { DEFAULT_LOCALE: other(chosen) });
  // The client says another language in each message.
  const client = { locale: other(chosen) };
  await send('c', { ...client, choice: `language:${chosen}` });
  await send('c', { ...client, text: chosen === 'vi' ? 'xem điểm' : 'show my points' });
  await send('c', { ...client, choice: 'code:send' });
  await send('c', { ...client, text: PHONE });
  await send('c', { ...client, choice: 'code:again' });
  expect(gateway.texted.map(({ locale }) => locale)).toEqual([chosen, chosen]);
  for (const { text } of gateway.texted) {
    expect(text).toMatch(SMS[chosen]);
    expect(text).not.toMatch(SMS[other(chosen)]);
  }
});

test.each(SPOKEN)('without a choice it is in the language of the client: %s', async (locale) => {
  const gateway = await startGateway();
  const { send } = await startShop(gateway, { DEFAULT_LOCALE: other(locale) });
  await send('c', { locale, choice: 'points' });
  await send('c', { locale, choice: 'code:send' });
  await send('c', { locale, text: PHONE });
  expect(gateway.texted).toMatchObject([{ locale, text: expect.stringMatching(SMS[locale]) }]);
});

test.each(SPOKEN)(
  'what a group of staff gets is in the language of the shop, %s, whatever the customer speaks',
  async (shop) => {
    const platforms = await startPlatforms();
    onTestFinished(() => platforms.close());
    const chat = -1001234567890;
    const env = { ...platforms.telegramEnv, DEFAULT_LOCALE: shop, STAFF_TELEGRAM_CHAT: String(chat) };
    const bot = await startBot(env);
    onTestFinished(() => bot.stop());
    const { send } = createClient(bot.url);
    const customer = { conversation: 'qa', locale: other(shop) };
    await send({ ...customer, choice: `language:${other(shop)}` });
    await send({ ...customer, choice: 'person' });
    const shown = () => platforms.telegram.shown(chat).map(({ text }) => text);
    await expect.poll(shown, { timeout: 8000 }).toHaveLength(1);
    expect(shown()[0]?.split('\n')[0]).toMatch(GROUP[shop]);
    expect(shown()[0]?.split('\n')[0]).not.toMatch(GROUP[other(shop)]);
  },
);
