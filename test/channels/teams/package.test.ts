import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AppManifestUtils } from '@microsoft/app-manifest';
import Ajv from 'ajv-draft-04';
import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createPackage, MANIFEST_VERSION } from '../../../src/channels/teams/cli.ts';
import { flows } from '../../../src/conversation/flows/index.ts';
import { LOCALES, type Locale } from '../../../src/conversation/message.ts';
import { createWords } from '../../../src/i18n.ts';
import { commands, understand } from '../../support/conversation.ts';

const run = promisify(execFile);
const APP_ID = '00000000-0000-4000-8000-000000004242';
const website = 'https://shop.example';
const words = createWords({ timeZone: 'Asia/Ho_Chi_Minh' });
const starters = commands.flatMap(({ name, starter }) => (starter ? [name] : []));
const developer = {
  name: 'Shop',
  websiteUrl: website,
  privacyUrl: `${website}/privacy`,
  termsOfUseUrl: `${website}/terms`,
};

const manifestSchema = z.looseObject({
  bots: z.array(
    z.looseObject({
      commandLists: z.array(
        z.object({
          scopes: z.array(z.string()),
          commands: z.array(
            z.object({ title: z.string(), description: z.string(), type: z.string(), prompt: z.string() }),
          ),
        }),
      ),
    }),
  ),
});

const make = (defaultLocale: Locale, appId = APP_ID) =>
  createPackage({ appId, version: '1.2.3', developer, defaultLocale, words, starters });

async function open(defaultLocale: Locale) {
  const files = unzipSync(await make(defaultLocale));
  const read = (name: string): unknown => JSON.parse(strFromU8(files[name] ?? new Uint8Array()));
  return { files, read, manifest: manifestSchema.parse(read('manifest.json')) };
}

/** Width and height as the file itself says, and its colour type (6: with opacity). */
function pngOf(file: Uint8Array | undefined): readonly number[] {
  const bytes = Buffer.from(file ?? []);
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes.readUInt8(25)];
}

describe.each(LOCALES)('the package whose first language is %s', (locale) => {
  const other = locale === 'vi' ? 'en' : 'vi';

  it('has a manifest that Teams takes, both icons and the other language, all at its root', async () => {
    const { files, read, manifest } = await open(locale);
    expect(Object.keys(files).sort()).toEqual(
      ['color.png', `${other}.json`, 'manifest.json', 'outline.png'].sort(),
    );
    expect(
      await AppManifestUtils.validateAgainstSchema(JSON.parse(JSON.stringify(read('manifest.json')))),
    ).toEqual([]);
    expect(manifest).toMatchObject({
      manifestVersion: MANIFEST_VERSION,
      version: '1.2.3',
      id: APP_ID,
      bots: [{ botId: APP_ID, scopes: ['personal'] }],
      localizationInfo: { defaultLanguageTag: locale, additionalLanguages: [{ languageTag: other }] },
    });
    expect([pngOf(files['color.png']), pngOf(files['outline.png'])]).toEqual([
      [192, 192, 6],
      [32, 32, 6],
    ]);
  });

  it('has a language file by the schema, for every text of the manifest', async () => {
    const { read } = await open(locale);
    const language = read(`${other}.json`);
    const path = `@microsoft/app-manifest/build/json-schemas/teams/v${MANIFEST_VERSION}/MicrosoftTeams.Localization.schema.json`;
    const schema: object = createRequire(import.meta.url)(path);
    const ajv = new Ajv.default({ strict: false, unicodeRegExp: false, validateFormats: false });
    const validate = ajv.compile(schema);
    expect([validate(language), validate.errors]).toEqual([true, null]);
  });

  it('offers conversation starters, each of which the bot understands', async () => {
    const { manifest } = await open(locale);
    const [list] = manifest.bots[0]?.commandLists ?? [];
    expect(new Set(list?.commands.map(({ type }) => type))).toEqual(new Set(['prompt']));
    for (const says of ['title', 'prompt'] as const)
      expect(list?.commands.map((command) => understand(command[says]).act)).toEqual([
        ...flows.map(({ name }) => `start ${name}`),
        'show languages',
        'show help',
      ]);
  });
});

it('is not made of a manifest that Teams would refuse', async () => {
  await expect(make('vi', 'no guid')).rejects.toThrow('not valid');
});

describe('npm run teams:package', () => {
  const cli = ['--import', './src/node-version.mjs', 'src/channels/teams/cli.ts'];
  const env = { PATH: process.env.PATH, MICROSOFT_APP_ID: APP_ID };

  it.each([
    ['an option that there is not', ['--web', website], APP_ID, /^Unknown option '--web'/],
    ['a file that cannot be written', ['--out', 'package.json/app.zip'], APP_ID, /^ENOTDIR|^EEXIST/],
    ['an id that Teams would refuse', [], 'no-guid', /^The manifest is not valid/],
  ])('says what is wrong with %s, without a stack', async (_what, options, appId, says) => {
    const own = { env: { ...env, PUBLIC_URL: website, MICROSOFT_APP_ID: appId } };
    const failed = await run(process.execPath, [...cli, ...options], own).catch((error) => error);
    expect(failed).toMatchObject({ code: 78, stderr: expect.stringMatching(says) });
    expect(failed.stderr).not.toMatch(/^ +at /m);
  });

  it('writes it where told', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'teams-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const out = join(folder, 'new', 'app.zip');
    const { stdout } = await run(process.execPath, [...cli, '--out', out, '--website', website], { env });
    expect(stdout).toContain(out);
    expect(Object.keys(unzipSync(readFileSync(out)))).toContain('manifest.json');
  });
});
