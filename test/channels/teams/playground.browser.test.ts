import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import vi from '../../../locales/vi.json' with { type: 'json' };
import { freePort } from '../../support/ports.ts';
import { type Bot, startBot } from '../../support/processes.ts';
import { startTeamsDouble, type TeamsDouble } from '../../support/teams-double.ts';
import { PLAYGROUND_TENANT, type Playground, startPlayground } from '../../support/teams-playground.ts';

const APP_ID = '00000000-0000-4000-8000-000000004242';

let double: TeamsDouble;
let bot: Bot;
let playground: Playground;
let page: Page;

beforeAll(async () => {
  const port = await freePort();
  double = await startTeamsDouble();
  bot = await startBot({
    MICROSOFT_APP_ID: APP_ID,
    MICROSOFT_APP_TYPE: 'UserAssignedMSI',
    MICROSOFT_APP_TENANT_ID: PLAYGROUND_TENANT,
    TEAMS_SERVICE_HOSTS: `localhost:${port}`,
    ...double.endpoints,
    ...double.identity,
  });
  playground = await startPlayground({
    port,
    url: `${bot.url}/webhooks/teams`,
    mint: (serviceUrl) => double.mint(APP_ID, {}, serviceUrl),
    locale: 'vi-VN',
  });
  page = playground.page;
});

afterAll(async () => {
  await playground?.stop();
  await bot?.stop();
  await double?.close();
});

const sees = (text: string) => page.getByText(text).last().waitFor();
const presses = (name: string) => page.getByRole('button', { name, exact: true }).last().click();
const count = (name: string) => page.getByRole('button', { name, exact: true }).count();

test('a customer earns points by a card form and spends them on a gift, with authentication on', async () => {
  await sees(vi.welcome);

  await presses(vi['choice.accumulate']);
  await sees(vi['teams.form.title']);
  await page.getByPlaceholder(vi['teams.form.hint_code']).fill('TIVI 000000021');
  await page.getByPlaceholder(vi['teams.form.hint_phone']).fill('0912 345 678');
  await presses(vi['teams.form.send']);
  await sees(vi['code.shape']);
  await expect.poll(() => count(vi['teams.form.send'])).toBe(2);
  await page.getByPlaceholder(vi['teams.form.hint_code']).last().fill('TIVI000000021');
  await presses(vi['teams.form.send']);
  await sees(vi['accumulate.summary']);
  await presses(vi['choice.confirm.accumulate']);
  await sees('+100 điểm · Tivi');
  await sees(vi['privacy.consent']);
  await presses(vi['choice.consent:decline']);

  await playground.write('đổi quà');
  await sees(vi['redeem.askGift']);
  await presses('Đầu máy · 10 điểm');
  await sees(vi['redeem.summary']);
  await presses(vi['choice.confirm.redeem']);
  await sees('−10 điểm · Đầu máy');
});
