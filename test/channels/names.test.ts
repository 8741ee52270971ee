import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CHANNELS } from '../../src/channels.ts';
import { startBot } from '../support/app.ts';

const root = new URL('../../src/', import.meta.url);
const sources = globSync('**/*.{ts,mjs,js,html}', { cwd: root });

/** Sources that name a channel, in their code; what comments say of it does not count. */
function naming(name: string): string[] {
  const code = (file: string) =>
    readFileSync(new URL(file, root), 'utf8').replaceAll(/\/\*.*?\*\/|(?<=^|\s)\/\/[^\n]*/gs, '');
  return sources.filter((file) => new RegExp(name, 'i').test(code(file)));
}

const APP_LIST = 'channels.ts';
// And what prints secrets for them.
const CONFIGURATION = /^(config(\/\w+)?|cli\/keys)\.ts$/;

// Staff are more than a channel: operators' pages and the console are theirs.
const PLATFORMS = CHANNELS.map(({ traits }) => traits.name).filter((name) => name !== 'staff');

it.each(PLATFORMS)('only its folder, the line in the app and its variables name %s', (name) => {
  const files = naming(name);
  expect(files).toContain(APP_LIST);
  const elsewhere = files.filter((file) => !file.startsWith(`channels/${name}/`));
  expect(elsewhere.filter((file) => file !== APP_LIST && !CONFIGURATION.test(file))).toEqual([]);
});

it('refuses two channels of one name, whose conversations would be the same', async () => {
  await expect(startBot({}, { channels: CHANNELS.slice(0, 1) })).rejects.toThrow(
    `Two channels are called ${CHANNELS[0]?.traits.name}`,
  );
});
