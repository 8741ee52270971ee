import { expect, test } from 'vitest';
import { STUCK } from '../../src/observability/log.ts';
import type { Bot } from '../support/processes.ts';
import { accumulation, entersCode } from './chat.ts';
import { startWorld } from './world.ts';

const HANGS = { NODE_OPTIONS: `--import ${new URL('../support/hang.mjs', import.meta.url)}` };

const lastWords = ({ output }: Bot) =>
  output.filter((line) => line.includes(STUCK)).map((line) => JSON.parse(line));

test('a text that hangs a process ends it; another one answers meanwhile, and the text once nobody hangs', async () => {
  const world = await startWorld({ redis: true });
  const [second] = world.bots;
  if (second === undefined) throw new Error('no bot lives');
  try {
    const first = await world.bot(HANGS);
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
    const again = await world.bot(HANGS);
    expect(await world.post(update, again)).toMatchObject({ status: 200 });
    expect(await again.ended).toEqual({ code: 70, signal: null });
    await chat.hearsOneOf(['accumulate.summary'], 'TIVI000000004');
    expect(lastWords(again)).toEqual([expect.objectContaining(stuck)]);
    const third = world.chat('en', async (sent) => world.post(sent, await world.bot(HANGS)));
    await entersCode(third, 'TIVI000000003');
  } finally {
    await world.stop();
  }
}, 120_000);
