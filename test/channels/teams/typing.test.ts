import { expect, it, onTestFinished } from 'vitest';
import { startBot } from '../../support/app.ts';
import { createTeamsCustomer } from '../../support/teams-customer.ts';
import { startTeamsDouble } from '../../support/teams-double.ts';

/** Longer than typing is shown for twice, shorter than the bot waits for AntCRM. */
const CALL_MS = 5_000;

it('typing is shown as long as a call to AntCRM lasts, without a gap, and then the answer', async () => {
  const double = await startTeamsDouble();
  const bot = await startBot({ TEAMS_AUTH: 'off', TEAMS_SERVICE_HOSTS: double.host });
  onTestFinished(async () => {
    await bot.stop();
    await double.close();
  });
  const fault = { call: 'accumulate', fault: 'slow', times: 1, ms: CALL_MS };
  await fetch(`${bot.url}/sandbox/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(fault),
  });
  const customer = createTeamsCustomer(double, { url: bot.url, appId: '' });
  await customer.writes('earn TIVI000000031 0912345678 no email');
  await double.called(({ body }) => JSON.stringify(body).includes('"choice":"confirm'));
  await customer.presses('confirm');
  await double.called(({ body }) => JSON.stringify(body).includes('+100'));

  // A second into the call, and again as soon as Teams takes it away, after three.
  const sent = double.calls('POST').map(({ body }) => body);
  const answered = sent.findIndex((body) => JSON.stringify(body).includes('+100'));
  expect(sent.slice(answered - 2, answered + 1).map(({ type }) => type)).toEqual([
    'typing',
    'typing',
    'message',
  ]);
});
