import { mkdtempSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv from 'ajv-draft-04';
import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPackage, MANIFEST_VERSION } from '../../../src/channels/teams/cli.ts';
import { flows } from '../../../src/conversation/flows/index.ts';
import { LOCALES } from '../../../src/conversation/message.ts';
import { createWords } from '../../../src/i18n.ts';
import { understand } from '../../support/conversation.ts';
import { startProcess } from '../../support/processes.ts';

const APP_ID = '00000000-0000-4000-8000-000000004242';
const website = 'https://shop.example';
const words = createWords({ timeZone: 'Asia/Ho_Chi_Minh' });
const developer = { name: 'Shop', websiteUrl: website, privacyUrl: website, termsOfUseUrl: website };

const command = z.object({ title: z.string(), prompt: z.string(), type: z.literal('prompt') });
const manifestSchema = z.looseObject({
  bots: z.tuple([z.looseObject({ commandLists: z.tuple([z.object({ commands: z.array(command) })]) })]),
});

it.each(LOCALES)('the package whose first language is %s is one that Teams takes', async (defaultLocale) => {
  const others = LOCALES.filter((locale) => locale !== defaultLocale);
  // It rejects where the manifest is not valid by its schema.
  const made = await createPackage({ appId: APP_ID, developer, words, defaultLocale });
  const files = unzipSync(made);
  const read = (name: string): unknown => JSON.parse(strFromU8(files[name] ?? new Uint8Array()));
  const names = ['color.png', ...others.map((other) => `${other}.json`), 'manifest.json', 'outline.png'];
  expect(Object.keys(files).sort()).toEqual(names.sort());
  const manifest = manifestSchema.parse(read('manifest.json'));
  expect(manifest).toMatchObject({
    bots: [{ botId: APP_ID, scopes: ['personal'] }],
    localizationInfo: {
      defaultLanguageTag: defaultLocale,
      additionalLanguages: others.map((languageTag) => ({ languageTag })),
    },
  });
  const schemas = `@microsoft/app-manifest/build/json-schemas/teams/v${MANIFEST_VERSION}`;
  const schema: object = createRequire(import.meta.url)(`${schemas}/MicrosoftTeams.Localization.schema.json`);
  const ajv = new Ajv.default({ strict: false, unicodeRegExp: false, validateFormats: false });
  expect(ajv.compile(schema)(read(`${others[0]}.json`))).toBe(true);
  // The bot understands each conversation starter.
  const acts = [...flows.map(({ name }) => `start ${name}`), 'show languages', 'show help'];
  const [{ commandLists }] = manifest.bots;
  for (const says of ['title', 'prompt'] as const) {
    expect(commandLists[0].commands.map((starter) => understand(starter[says]).act)).toEqual(acts);
  }
});

describe('npm run teams:package', () => {
  const run = (args: string[], more = {}) =>
    startProcess(
      'src/channels/teams/cli.ts',
      { MICROSOFT_APP_ID: APP_ID, PUBLIC_URL: website, ...more },
      args,
    );

  it.each([
    [
      'an id that Teams would refuse',
      ['--out', '/dev/null'],
      { MICROSOFT_APP_ID: 'no-guid' },
      78,
      /^The manifest is not/,
    ],
    ['an option that there is not', ['--bogus'], {}, 2, /--bogus/],
  ])('says what is wrong with %s, without a stack', async (_what, options, own, code, says) => {
    const { ended, lines } = await run(options, own);
    expect(await ended).toMatchObject({ code });
    expect(lines[0]).toMatch(says);
    expect(lines.filter((line) => /^ +at /.test(line))).toEqual([]);
  });

  it('writes it where told', async () => {
    const out = join(mkdtempSync(join(tmpdir(), 'teams-')), 'new', 'app.zip');
    expect(await (await run(['--out', out])).ended).toMatchObject({ code: 0 });
    expect(Object.keys(unzipSync(readFileSync(out)))).toContain('manifest.json');
  });
});
