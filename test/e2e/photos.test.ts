import { afterAll, beforeAll, expect, test } from 'vitest';
import { asJpeg, asPng, drawCode, sheet } from '../support/pictures.ts';
import { startBot } from '../support/processes.ts';
import { startWorld, type World } from './world.ts';

/** Decodes every picture, however busy the machine. */
const MAIN = 'test/support/bot-main.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ bots: 2, redis: true, main: MAIN });
});
afterAll(() => world.stop());

const photo = (file_id: string, more: object = {}) => ({ photo: [{ file_id, width: 1280 }], ...more });

test('the pictures of an album, which come to two processes at once, are one list', async () => {
  const chat = world.chat('vi');
  const files = ['TIVI000000042', 'TIVI000000043', 'TIVI000000044'];
  for (const file of files) world.double.keep(file, asJpeg(await drawCode(file), 60));
  const parts = files.map((file) => chat.message(photo(file, { media_group_id: '7' })));
  const [first, second] = world.bots;
  if (!first || !second) throw new Error('there are no two bots');
  await Promise.all(parts.map((part, n) => world.post(part, n % 2 === 0 ? first : second)));
  for (const _ of files) await chat.hears('accumulate.askPhone');
  await chat.writes('0912345678');
  await chat.hears('accumulate.askEmail');
  await chat.presses('skip');
  const summary = await chat.hears('accumulate.summary');
  for (const code of files) expect(summary).toContain(code);
});

test('a bot that sees no photos has under 160 MB; staff send it one', async () => {
  // What is compiled ahead takes memory, too.
  const bot = await startBot({ NODE_DISABLE_COMPILE_CACHE: '1' });
  const memoryMb = async () => {
    const metrics = await (await fetch(`${bot.url}/metrics`)).text();
    return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1]) / 1e6;
  };
  expect(await memoryMb()).toBeLessThan(160);
  const picture = asPng(
    sheet(await drawCode('TIVI000000046'), await drawCode('TIVI000000047', 'DataMatrix')),
  );
  const sent = async () => {
    const response = await fetch(`${bot.url}/webhooks/staff`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ conversation: 'qa', photo: picture.toString('base64'), as: 'telegram' }),
    });
    return response.json();
  };
  // A machine that is too busy to decode it in three seconds gets it again.
  await expect.poll(sent).toMatchObject({
    replies: [{ key: 'codes.kept' }, { key: 'accumulate.askPhone' }],
  });
  await bot.stop();
});
