import { expect, it } from 'vitest';
import { STAFF_SECURITY, STAFF_TAG } from '../src/channels/staff/schemas.ts';
import { describeApi } from '../src/http/docs.ts';
import { startKit } from './channels/staff/kit.ts';

const TOKEN = 'a-token-of-some-length';

it('the API page has every part from here, under a strict policy, describes the staff webhook, and wants the token', async () => {
  const { url } = await startKit({
    access: { sandbox: false, token: TOKEN },
    mount: async (app, guard) => {
      const api = { version: '1.2.3', tag: STAFF_TAG, security: STAFF_SECURITY };
      await describeApi(app, { guard, api });
      app.get('/plain', { schema: { response: { 200: { type: 'string' } } } }, async () => 'plain');
    },
  });
  const get = (path: string) =>
    fetch(new URL(path, `${url}/docs`), { headers: { authorization: `Bearer ${TOKEN}` } });
  const document: unknown = await (await get('/docs/json')).json();
  expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
  expect(document).toHaveProperty(['paths', '/webhooks/staff', 'post']);
  expect(document).toHaveProperty(['paths', '/webhooks/staff/{conversation}/events', 'get']);
  for (const path of ['/plain', '/docs']) expect(document).not.toHaveProperty(['paths', path]);

  const page = await get('/docs');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self';");
  expect(page.headers.get('content-security-policy')).not.toMatch(/unsafe|https:/);
  const assets = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
  expect(assets.length).toBeGreaterThan(4);
  for (const path of assets) expect([path, (await get(path)).status]).toEqual([path, 200]);
  for (const path of ['/docs', '/docs/json', '/docs/static/swagger-ui.css'])
    expect((await fetch(url + path)).status).toBe(401);
});
