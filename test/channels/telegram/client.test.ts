import { expect, it } from 'vitest';
import { createClient } from '../../../src/channels/telegram/client.ts';
import { createBot } from './harness.ts';

it('an API root may have a path, with or without a slash at its end', async () => {
  const { double } = await createBot();
  for (const apiRoot of [double.url, `${double.url}/`]) {
    const client = createClient({ token: double.token, apiRoot });
    expect(await client.call('getMe', {})).toMatchObject({ ok: true });
  }
  const below = createClient({ token: double.token, apiRoot: `${double.url}/telegram` });
  expect(await below.call('getMe', {})).toMatchObject({ kind: 'unauthorized' });
});

it('a call that is given up before it is connected is never sent', async () => {
  const { double } = await createBot();
  const client = createClient({ token: double.token, apiRoot: double.url });
  const aborting = new AbortController();
  const call = client.call('sendMessage', { chat_id: 1, text: 'never' }, { signal: aborting.signal });
  aborting.abort();
  expect(await call).toMatchObject({ ok: false });
  expect(await client.call('getMe', {}, { signal: aborting.signal })).toMatchObject({ ok: false });
  // Whatever was sent before this would have been heard by then.
  expect(await client.call('sendMessage', { chat_id: 1, text: 'sent' })).toMatchObject({ ok: true });
  await double.called('sendMessage', ({ text }) => text === 'sent');
  expect(double.calls().map(({ payload }) => payload.text)).toEqual(['sent']);
});

it('a refusal is told without the token and without what was sent', async () => {
  const { double } = await createBot();
  const client = createClient({ token: double.token, apiRoot: double.url });
  double.script('sendMessage', { code: 403, description: 'Forbidden: bot was blocked by the user' });
  const told = JSON.stringify(await client.call('sendMessage', { chat_id: 42, text: '0867123456' }));
  expect(told).toContain('403: Forbidden');
  expect(told).not.toContain(double.token);
  expect(told).not.toContain('0867123456');
});
