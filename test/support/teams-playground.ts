import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import Fastify from 'fastify';
import type { Browser } from 'playwright-core';
import { z } from 'zod';
import { openBrowser } from './browser.ts';
import { killChild, startChild } from './children.ts';

export type Playground = Awaited<ReturnType<typeof startPlayground>>;

export const PLAYGROUND_TENANT = '00000000-0000-0000-0000-0000000000001';

const person = (n: number, name: string, email: string) => ({
  ...{ id: `user-id-${n}`, name, userPrincipleName: email, email },
  ...{ aadObjectId: `00000000-0000-0000-0000-000000000002${n}`, givenName: name, surname: 'G' },
});
const CONFIG = {
  version: '0.1.1',
  tenantId: PLAYGROUND_TENANT,
  bot: { id: '00000000-0000-0000-0000-00000000000011', name: 'Loyalty' },
  // AntCRM knows Garnacho by this e-mail. The playground wants five others.
  currentUser: person(0, 'Garnacho', 'garnacho@gmail.com'),
  users: [1, 2, 3, 4, 5].map((n) => person(n, `Member ${n}`, `member${n}@example.com`)),
  personalChat: { id: '11111111-1111-4111-8111-111111111111' },
  groupChat: { id: '22222222-2222-4222-8222-222222222222', name: 'Group Chat' },
  team: {
    ...{ id: 'team-id', name: 'My Team', aadGroupId: '00000000-0000-0000-0000-000000000031' },
    channels: [{ id: 'channel-announcements-id', name: 'Announcements' }],
  },
};

/**
 * Microsoft's own playground, a Teams client with its service, in headless Chromium. A proxy between the two signs what
 * the playground sends, as the Bot Framework service would.
 */
export async function startPlayground(options: {
  readonly port: number;
  /** The bot's route. */
  readonly url: string;
  /** A token for an activity of this service URL. */
  readonly mint: (serviceUrl: string) => string;
  readonly locale: string;
}) {
  const { port, url, mint, locale } = options;
  const proxy = Fastify({ forceCloseConnections: true });
  proxy.post('/api/messages', async ({ body }, reply) => {
    const { serviceUrl } = z.object({ serviceUrl: z.string() }).parse(body);
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${mint(serviceUrl)}` };
    // The playground takes its browser's language only for messages, and only as a part of the client's information.
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ ...Object(body), locale }),
    });
    reply.code(response.status).type(response.headers.get('content-type') ?? 'text/plain');
    return reply.send(await response.text());
  });
  const endpoint = `${await proxy.listen({ port: 0, host: '127.0.0.1' })}/api/messages`;

  const folder = mkdtempSync(join(tmpdir(), 'playground-'));
  const config = join(folder, 'config.yml');
  // YAML has JSON in it.
  writeFileSync(config, JSON.stringify(CONFIG));
  const cli = fileURLToPath(import.meta.resolve('@microsoft/m365agentsplayground/cli.js'));
  const flags = ['start', '-e', endpoint, '-c', 'msteams', '-p', `${port}`, '--disable-telemetry'];
  const child = startChild(process.execPath, [cli, ...flags], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      TEAMSAPPTESTER_BROWSER: 'none',
      M365_AGENTS_PLAYGROUND_CONFIG_PATH: config,
      M365_AGENTS_PLAYGROUND_LOGFILE: join(folder, 'log'),
    },
  });
  child.stderr.resume();
  let browser: Browser | undefined;

  async function stop(): Promise<void> {
    await browser?.close();
    await killChild(child);
    await proxy.close();
  }

  try {
    await listening(child.stdout);
    browser = await openBrowser();
    const page = await browser.newPage({ viewport: { width: 1280, height: 1400 }, locale });
    await page.goto(`http://localhost:${port}/`);
    return {
      page,
      async write(text: string): Promise<void> {
        const box = page.getByRole('textbox').last();
        await box.click();
        await box.pressSequentially(text);
        await box.press('Enter');
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Its output is read to the end: it dies of a closed pipe. */
async function listening(output: Readable): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  createInterface({ input: output })
    .on('line', (line) => line.includes('Listening on') && resolve())
    .on('close', () => reject(new Error('The playground ended before it listened')));
  await promise;
}
