import { expect, onTestFinished, test } from 'vitest';
import { STUCK } from '../../src/observability/log.ts';
import type { Bot } from '../support/processes.ts';
import { accumulation, entersCode } from './chat.ts';
import { startWorld } from './world.ts';

const HANGS = { NODE_OPTIONS: `--import ${new URL('../support/hang.mjs', import.meta.url)}` };

const lastWords = ({ output }: Bot) =>
  output.filter((line) => line.includes(STUCK)).map((line) => JSON.parse(line));

test('a text that hangs a process ends it; another one answers meanwhile, and the text once nobody hangs', async () => {
  const world = await startWorld({ redis: true });
  onTestFinished(() => world.stop());
  const [second = expect.fail('no bot lives')] = world.bots;
  const [first, again] = await Promise.all([world.bot(HANGS), world.bot(HANGS)]);
  const chat = world.chat('en', (update) => world.post(update, first));
  const another = world.chat('en', (update) => world.post(update, second));
  await entersCode(chat, 'TIVI000000001');

  // Decided while it is filed: Telegram gets no answer.
  const text = `${accumulation('TIVI000000004')} hang-for-ever`;
  const update = chat.message({ text, date: Math.ceil(Date.now() / 1000) });
  const unanswered = expect(world.post(update, first)).rejects.toThrow();
  await entersCode(another, 'TIVI000000002');
  expect(lastWords(first)).toEqual([]);
  expect(await first.ended).toEqual({ code: 70, signal: null });
  await unanswered;
  const stuck = { level: 50, alarm: STUCK, conversation: expect.stringMatching(/^[\w-]{22}$/) };
  expect(lastWords(first)).toEqual([
    expect.objectContaining({ ...stuck, stack: expect.stringContaining('normalizeForever') }),
  ]);

  // Telegram repeats it: only filed now, so that its second death counts.
  expect(await world.post(update, again)).toMatchObject({ status: 200 });
  expect(await again.ended).toEqual({ code: 70, signal: null });
  await chat.hearsOneOf(['accumulate.summary'], 'TIVI000000004');
  expect(lastWords(again)).toEqual([expect.objectContaining(stuck)]);
});
