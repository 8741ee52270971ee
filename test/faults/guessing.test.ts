import { describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { closedPort } from '../loyalty/support/server.ts';
import { startBot } from '../support/app.ts';

/** A bot, and what it says (by key) to whoever imitates a customer. */
async function bot(env: Readonly<Record<string, string>> = {}) {
  const running = await startBot(env);
  onTestFinished(() => running.stop());
  const client = createClient(running.url, env.STAFF_TOKEN);

  async function says(conversation: string, message: { text?: string; choice?: string }): Promise<string[]> {
    const answer = await client.send({ conversation, as: 'telegram', locale: 'vi', ...message });
    if (answer.status === 'refused') throw new Error(JSON.stringify(answer.problem));
    return answer.replies.map(({ key }) => key);
  }

  /** The last words to a code that was confirmed, or what came instead of its summary. */
  async function tries(conversation: string, code: string): Promise<string[]> {
    const text = `tích điểm ${code} 0912345678 minh@example.vn`;
    const answer = await client.send({ conversation, as: 'telegram', locale: 'vi', text });
    if (answer.status === 'refused') throw new Error(JSON.stringify(answer.problem));
    const confirm = answer.replies.at(-1)?.choices?.find(({ id }) => id.startsWith('confirm:'));
    return confirm ? says(conversation, { choice: confirm.id }) : answer.replies.map(({ key }) => key);
  }

  return {
    url: running.url,
    says,
    tries,
    async alarms(name: string): Promise<string | undefined> {
      const metrics = await (await fetch(`${running.url}/metrics`)).text();
      return new RegExp(`bot_alarms_total{alarm="${name}"} (\\d+)`).exec(metrics)?.[1];
    },
  };
}

describe('guessing codes', () => {
  test('in one chat is told to wait; others, with the same phone, are not', async () => {
    const { tries } = await bot();
    for (let n = 0; n < 4; n++) expect(await tries('one', `NOPE00${n}`)).toContain('accumulate.refused');
    expect(await tries('one', 'NOPE005')).toEqual(['accumulate.refused', 'abuse.tooManyAttempts']);
    expect(await tries('one', 'TIVI000000001')).toEqual(['abuse.tooManyAttempts']);
    expect(await tries('two', 'TIVI000000001')).toContain('accumulate.done');
  });

  test('in many chats is held back in all, with an alarm; nothing else is', async () => {
    const { says, tries, alarms } = await bot();
    expect(await alarms('code_guessing')).toBe('0');
    const guesses = Array.from({ length: 100 }, (_, n) =>
      tries(`g${Math.floor(n / 4)}x${n}`, `NOPE${100 + n}`),
    );
    const heard = (await Promise.all(guesses)).map(([key]) => key);
    expect(heard.filter((key) => key === 'accumulate.refused').length).toBeLessThan(90);
    expect(heard).toContain('service.unavailable');
    expect(await alarms('code_guessing')).toBe('1');
    expect(await says('other', { text: 'đổi quà' })).toEqual(['redeem.askGift']);
  });
});

test('an AntCRM that is not there is told before anybody is asked for anything, once that is known', async () => {
  const env = {
    ANTCRM_BASE_URL: await closedPort(),
    ANTCRM_API_KEY: 'key',
    STAFF_TOKEN: 'guessing-staff-token',
  };
  const { says, tries, url } = await bot(env);
  expect(await says('one', { text: 'tích điểm' })).toEqual(['accumulate.askCode']);
  for (let n = 0; n < 2; n++) expect(await tries('two', `TIVI00000000${n}`)).toContain('service.unavailable');
  for (const text of ['tích điểm', 'đổi quà', 'lịch sử', 'xem điểm']) {
    expect(await says('three', { text })).toEqual(['service.unavailable']);
  }
  expect(await says('three', { text: 'trợ giúp' })).toEqual(['help']);
  const ready = await fetch(`${url}/health/ready`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toMatchObject({
    status: 'degraded',
    dependencies: { antcrm: { status: 'degraded', faults: ['AntCRM does not answer'] } },
  });
});
