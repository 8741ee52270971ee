import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import en from '../../../locales/en.json' with { type: 'json' };
import { openBrowser } from '../../support/browser.ts';
import { freePort } from '../../support/ports.ts';
import { startBot, startProcess } from '../../support/processes.ts';

const person = (n: number, name: string, email: string) => ({
  id: `user-id-${n}`,
  name,
  userPrincipleName: email,
  email,
  aadObjectId: `00000000-0000-0000-0000-000000000002${n}`,
  givenName: name,
  surname: 'G',
});
const CONFIG = {
  version: '0.1.1',
  tenantId: '00000000-0000-0000-0000-0000000000001',
  bot: { id: '00000000-0000-0000-0000-00000000000011', name: 'Loyalty' },
  // AntCRM knows Garnacho by this e-mail. The playground wants five others.
  currentUser: person(0, 'Garnacho', 'garnacho@gmail.com'),
  users: [1, 2, 3, 4, 5].map((n) => person(n, `Member ${n}`, `member${n}@example.com`)),
  personalChat: { id: '11111111-1111-4111-8111-111111111111' },
  groupChat: { id: '22222222-2222-4222-8222-222222222222', name: 'Group Chat' },
  team: {
    id: 'team-id',
    name: 'My Team',
    aadGroupId: '00000000-0000-0000-0000-000000000031',
    channels: [{ id: 'channel-announcements-id', name: 'Announcements' }],
  },
};

/**
 * Microsoft's own playground, a Teams client with its service, in front of a bot, as docs/teams.md starts
 * them.
 */
async function openPlayground() {
  const port = await freePort();
  const bot = await startBot({ TEAMS_AUTH: 'off', TEAMS_TENANTS: CONFIG.tenantId });
  onTestFinished(async () => void (await bot.stop()));
  const folder = mkdtempSync(join(tmpdir(), 'playground-'));
  const config = join(folder, 'config.yml');
  // YAML has JSON in it.
  writeFileSync(config, JSON.stringify(CONFIG));
  const playground = await startProcess(
    fileURLToPath(import.meta.resolve('@microsoft/m365agentsplayground/cli.js')),
    {
      HOME: folder,
      TEAMSAPPTESTER_BROWSER: 'none',
      M365_AGENTS_PLAYGROUND_CONFIG_PATH: config,
      M365_AGENTS_PLAYGROUND_LOGFILE: join(folder, 'log'),
    },
    ['start', '-e', `${bot.url}/webhooks/teams`, '-c', 'msteams', '-p', `${port}`, '--disable-telemetry'],
  );
  onTestFinished(async () => void (await playground.kill()));
  await playground.line(/Listening on/);
  const browser = await openBrowser();
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 1400 } });
  // A busy machine takes a while.
  page.setDefaultTimeout(90_000);
  await page.goto(`http://localhost:${port}/`);
  return page;
}

test('a customer earns points by a card form and spends them on a gift', async () => {
  const page = await openPlayground();
  const sees = (text: string) => page.getByText(text).last().waitFor();
  const presses = (name: string) => page.getByRole('button', { name, exact: true }).last().click();
  const count = (name: string) => page.getByRole('button', { name, exact: true }).count();
  await sees(en.welcome);

  await presses(en['choice.accumulate']);
  await sees(en['teams.form.title']);
  await page.getByPlaceholder(en['teams.form.hint_code']).fill('TIVI 000000021');
  await page.getByPlaceholder(en['teams.form.hint_phone']).fill('0912 345 678');
  await presses(en['teams.form.send']);
  await sees(en['code.shape']);
  await expect.poll(() => count(en['teams.form.send'])).toBe(2);
  await page.getByPlaceholder(en['teams.form.hint_code']).last().fill('TIVI000000021');
  await presses(en['teams.form.send']);
  await sees(en['accumulate.summary']);
  await presses(en['choice.confirm.accumulate']);
  await sees('+100 points · ');
  await sees(en['privacy.consent']);
  await presses(en['choice.consent:decline']);

  const box = page.getByRole('textbox').last();
  await box.click();
  await box.pressSequentially('redeem a gift');
  await box.press('Enter');
  await sees(en['redeem.askGift']);
  await presses('Media player · 10 points');
  await sees(en['redeem.summary']);
  await presses(en['choice.confirm.redeem']);
  await sees('−10 points · ');
});
