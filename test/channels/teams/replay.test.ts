import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { TEAMS_HOSTS } from '../../../src/channels/teams/connector.ts';
import { incomingSchema } from '../../../src/engine/messages.ts';
import { createBot } from './harness.ts';

const folder = new URL('../../replay/teams/', import.meta.url);
const recorded = readdirSync(folder);

/** What nobody says to the bot; everything else is handed on and answered. */
const SILENT = new Set(
  (
    'installed-in-group uninstalled upgraded members-added-others members-removed-bot channel-renamed group-talk ' +
    'edited-message deleted-message reaction typing read-receipt invoke-card invoke-feedback unknown-kind malformed-sender'
  ).split(' '),
);

/** What becomes another message than a text. */
const KINDS: Readonly<Record<string, string>> = {
  picture: 'photo',
  file: 'photo',
  empty: 'unknown other',
  'press-confirm': 'choice',
  'press-of-old-bot': 'unknown other',
  form: 'form',
  installed: 'start',
  'members-added-bot': 'start',
  'group-mention': 'group',
  'channel-mention': 'group',
  'malformed-parts': 'unknown other',
};

it.each(recorded)('%s is answered with 200 and read as what it is', async (file) => {
  const { app, accepted } = await createBot({ serviceHosts: TEAMS_HOSTS });
  const response = await app.inject({
    method: 'POST',
    url: '/webhooks/teams',
    headers: { 'content-type': 'application/json; charset=utf-8' },
    payload: readFileSync(new URL(file, folder), 'utf8'),
  });
  expect(response.statusCode).toBe(200);
  const read = accepted.map((incoming) => incomingSchema.parse(incoming).message);
  const kinds = read.map((message) =>
    message.kind === 'unknown' ? `unknown ${message.what}` : message.kind,
  );
  const name = file.replace(/\.json$/, '');
  expect(kinds).toEqual(SILENT.has(name) ? [] : [KINDS[name] ?? 'text']);
});
