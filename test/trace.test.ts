import { expect, it, onTestFinished } from 'vitest';
import { createClient } from '../src/channels/staff/client.ts';
import { startBot } from './support/app.ts';

it('the staff webhook lets one look into its turns who asks for it, in the answer and in the events', async () => {
  const bot = await startBot();
  onTestFinished(() => bot.stop());
  const client = createClient(bot.url);
  const answer = await client.send({
    conversation: 'qa',
    id: 'm1',
    text: 'lịch sử tích điểm 30 ngày 0867123456',
    trace: true,
  });
  if (answer.status === 'refused') throw new Error(answer.problem.title);
  const { trace } = answer;
  expect(trace).toMatchObject({
    message: { kind: 'text' },
    sender: { channel: 'staff', proof: 'token' },
    understood: {
      commands: expect.stringMatching(/^start history · kind point · period .* · set phone \+84867123456$/),
    },
    before: { step: { at: 'idle' } },
    after: { step: { at: 'browsing', page: { type: 'point' } } },
    trips: ['take', 'commit'],
  });
  // All pages are read, for the sum.
  const path = expect.stringMatching(/^\/history-point\?type=point&/);
  const read = { method: 'GET', path, status: 200, outcome: 'ok' };
  expect(trace?.calls).toMatchObject(trace?.calls.map(() => read) ?? []);
  expect(trace?.calls.length).toBeGreaterThan(0);
  expect(await client.send({ conversation: 'other', text: 'xin chào' })).not.toHaveProperty('trace');
  const { value: event } = await client.events('qa', 0, AbortSignal.timeout(30_000)).next();
  expect(event).toMatchObject({ turn: 'm1', last: true, trace });
});
