import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { inTime } from '../support/in-time.ts';
import { startBot } from '../support/processes.ts';

const ANSWER_MS = 1000;

/** Texts over which a pattern can go back for ever: digits with blanks or without, and an end that makes them no code. */
const numbers = ['TIVI', 'tulanh', 'xin TIVI'].flatMap((prefix) =>
  ['', ' ', '\u00a0', '\t', ' TIVI '].flatMap((separator) =>
    ['x', '²', '٣', 'đ'].flatMap((end) =>
      [26, 900].map((length) => {
        const digits = Array.from({ length }, (_, at) => at % 10).join(separator);
        return `${prefix} ${digits}`.slice(0, 990) + end;
      }),
    ),
  ),
);
const scripts = ['٠', '०', '０', '𝟎', '²', '③', '㏂'].map((digit) => `TIVI ${digit.repeat(400)}x`);

test('a hostile text is answered within a second, and so is /health/live', async () => {
  // A process of its own: one that hangs has to be killed.
  const bot = await startBot();
  onTestFinished(async () => void (await bot.kill()));
  const { send } = createClient(bot.url);
  for (const [n, text] of [...numbers, ...scripts].entries()) {
    const both = () =>
      Promise.all([send({ conversation: `hostile-${n}`, text }), fetch(`${bot.url}/health/live`)]);
    const [answer, health] = await inTime(ANSWER_MS, both);
    expect([text, answer.status, health.status]).toEqual([text, 'done', 200]);
  }
});
