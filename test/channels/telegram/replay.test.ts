import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { incomingSchema } from '../../../src/engine/messages.ts';
import { createBot, SECRET } from './harness.ts';

const folder = new URL('../../replay/telegram/', import.meta.url);
const recorded = readdirSync(folder);

/** What nobody says to the bot; everything else is handed on and answered. */
const SILENT = new Set(
  (
    'edited-message message-reaction blocked-by-customer unblocked-by-customer added-to-group group-talk ' +
    'group-anonymous-admin group-new-members group-migrated channel-post pinned-message auto-delete-timer inline-query ' +
    'business-message unknown-kind-of-update malformed-message malformed-callback'
  ).split(' '),
);

/** What becomes another message than a text. */
const KINDS: Readonly<Record<string, string>> = {
  start: 'start',
  contact: 'contact',
  callback: 'choice',
  group: 'group',
  photo: 'photo',
  album: 'photo',
  voice: 'unknown voice',
  video: 'unknown other',
  'video-note': 'unknown voice',
  audio: 'unknown voice',
  animation: 'unknown other',
  document: 'unknown other',
  sticker: 'unknown sticker',
  dice: 'unknown other',
  location: 'unknown other',
  poll: 'unknown other',
  story: 'unknown other',
  'unknown-kind-of-message': 'unknown other',
  'malformed-parts': 'unknown other',
  'document-image': 'photo',
  'callback-game': 'unknown other',
  'callback-in-group': 'group',
};

function expectedKind(name: string): string | undefined {
  if (SILENT.has(name)) return undefined;
  return KINDS[name] ?? KINDS[name.split('-')[0] ?? ''] ?? 'text';
}

it.each(recorded)('%s is answered with 200 and read as what it is', async (file) => {
  const { app, accepted } = await createBot();
  const response = await app.inject({
    method: 'POST',
    url: '/webhooks/telegram',
    headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': SECRET },
    payload: readFileSync(new URL(file, folder), 'utf8'),
  });
  expect(response.statusCode).toBe(200);
  const read = accepted.map((incoming) => incomingSchema.parse(incoming).message);
  const kinds = read.map((message) =>
    message.kind === 'unknown' ? `unknown ${message.what}` : message.kind,
  );
  const expected = expectedKind(file.replace(/\.json$/, ''));
  expect(kinds).toEqual(expected === undefined ? [] : [expected]);
});
