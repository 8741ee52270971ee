import { describe, expect, it } from 'vitest';
import { STAFF_SECURITY, STAFF_TAG } from '../src/channels/staff/schemas.ts';
import { describeApi } from '../src/http/docs.ts';
import { type KitOptions, startKit } from './channels/staff/kit.ts';

const TOKEN = 'a-token-of-some-length';

const start = (access: KitOptions['access'] = { sandbox: true }) =>
  startKit({
    access,
    mount: async (app, guard) => {
      const api = { version: '1.2.3', tag: STAFF_TAG, security: STAFF_SECURITY };
      await describeApi(app, { guard, api });
      app.get('/plain', { schema: { response: { 200: { type: 'string' } } } }, async () => 'plain');
    },
  });

describe('/docs/json', () => {
  it('describes the staff webhook, and nothing else', async () => {
    const { url } = await start();
    const document: unknown = await (await fetch(`${url}/docs/json`)).json();
    expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
    expect(document).toHaveProperty(['paths', '/webhooks/staff', 'post']);
    expect(document).toHaveProperty(['paths', '/webhooks/staff/{conversation}/events', 'get']);
    expect(document).not.toHaveProperty(['paths', '/plain']);
    expect(document).not.toHaveProperty(['paths', '/docs']);
  });
});

describe('/docs', () => {
  it('is a page whose every part comes from here, under a strict policy', async () => {
    const { url } = await start();
    const page = await fetch(`${url}/docs`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self';");
    expect(page.headers.get('content-security-policy')).not.toMatch(/unsafe|https:/);
    const assets = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
    expect(assets.length).toBeGreaterThan(4);
    for (const path of assets)
      expect([path, (await fetch(new URL(path, `${url}/docs`))).status]).toEqual([path, 200]);
  });

  it('wants the token, and so does the document', async () => {
    const { url } = await start({ sandbox: false, token: TOKEN });
    for (const path of ['/docs', '/docs/json', '/docs/static/swagger-ui.css']) {
      expect((await fetch(url + path)).status).toBe(401);
      expect((await fetch(url + path, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
    }
  });
});
