import { createRequire } from 'node:module';
import Ajv from 'ajv-draft-04';
import { strFromU8, unzipSync } from 'fflate';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { createPackage } from '../../../src/channels/teams/cli.ts';
import { flows } from '../../../src/conversation/flows/index.ts';
import { understand } from '../../support/conversation.ts';

const APP_ID = '00000000-0000-4000-8000-000000004242';
const website = 'https://shop.example';
const developer = { name: 'Shop', websiteUrl: website, privacyUrl: website, termsOfUseUrl: website };
const command = z.object({ title: z.string(), prompt: z.string(), type: z.literal('prompt') });
const manifestSchema = z.object({
  bots: z.tuple([z.object({ commandLists: z.tuple([z.object({ commands: z.array(command) })]) })]),
});
const SCHEMA =
  '@microsoft/app-manifest/build/json-schemas/teams/v1.28/MicrosoftTeams.Localization.schema.json';

it.each([
  ['vi', 'en'],
  ['en', 'vi'],
] as const)(
  'the package whose first language is %s is one that Teams takes',
  async (defaultLocale, other) => {
    // It rejects where the manifest is not valid by its schema.
    const files = unzipSync(await createPackage({ id: APP_ID, developer }, defaultLocale));
    const read = (name: string): unknown => JSON.parse(strFromU8(files[name] ?? new Uint8Array()));
    const wanted = ['color.png', `${other}.json`, 'manifest.json', 'outline.png'];
    expect(Object.keys(files)).toEqual(expect.arrayContaining(wanted));
    const defaultLanguageTag = defaultLocale;
    expect(read('manifest.json')).toMatchObject({
      bots: [{ botId: APP_ID, scopes: ['personal'] }],
      localizationInfo: { defaultLanguageTag, additionalLanguages: [{ languageTag: other }] },
    });
    const schema: object = createRequire(import.meta.url)(SCHEMA);
    const ajv = new Ajv.default({ strict: false, unicodeRegExp: false, validateFormats: false });
    expect(ajv.compile(schema)(read(`${other}.json`))).toBe(true);
    // The bot understands each conversation starter.
    const acts = [...flows.map(({ name }) => `start ${name}`), 'show languages', 'show help'];
    const [{ commandLists }] = manifestSchema.parse(read('manifest.json')).bots;
    for (const says of ['title', 'prompt'] as const) {
      expect(commandLists[0].commands.map((starter) => understand(starter[says]).act)).toEqual(acts);
    }
  },
);

it('a package with an id that Teams would refuse is not made', async () => {
  const made = createPackage({ id: 'no-guid', developer }, 'vi');
  await expect(made).rejects.toThrow(/^The manifest is not valid/);
});
