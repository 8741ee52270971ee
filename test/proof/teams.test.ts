import { expect, it, onTestFinished } from 'vitest';
import { pressActivity, TENANT, textActivity, USER } from '../support/teams-activities.ts';
import { startTeamsDouble } from '../support/teams-double.ts';
import { startGateway, startShop } from './shop.ts';

it('on Teams, somebody whose profile has no e-mail proves a phone by code and redeems a gift', async () => {
  const teams = await startTeamsDouble();
  onTestFinished(() => teams.close());
  teams.members.set(USER, { id: USER, name: 'Garnacho', tenantId: TENANT, userRole: 'user' });
  const gateway = await startGateway();
  const { url } = await startShop(gateway, {
    TEAMS_AUTH: 'off',
    TEAMS_SERVICE_HOSTS: teams.host,
    TEAMS_TENANTS: TENANT,
  });
  const webhook = { url: `${url}/webhooks/teams`, appId: 'any' };
  const shown = () => JSON.stringify(teams.shown('a:personal'));
  const say = (text: string) => teams.post(textActivity(text), webhook);
  async function press(id: string) {
    const [, data] = shown().match(new RegExp(`"choice":"(${id}[^"]*)"(?!.*"choice":"${id})`)) ?? [];
    await teams.post(pressActivity('a1', { choice: data }), webhook);
  }
  await say('đổi quà DAUMAY01');
  await expect.poll(shown).toContain('code:send');
  await press('code:send');
  await expect.poll(shown).toContain('số di động');
  await say('0867 123 456');
  await expect.poll(() => gateway.texted).toHaveLength(1);
  await expect.poll(shown).toContain('mã 6 chữ số');
  await say(gateway.texted[0]?.code ?? '');
  await expect.poll(shown).toContain('confirm:');
  await press('confirm:');
  await expect.poll(shown).toContain('Mã tra cứu');
});
