import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { AppManifestUtils, type TeamsManifestV1D28 } from '@microsoft/app-manifest';
import { strToU8, zipSync } from 'fflate';
import packageJson from '../../../package.json' with { type: 'json' };
import { EXIT_CONFIG, environment, readConfig } from '../../config.ts';
import { createConversation } from '../../conversation/conversation.ts';
import { flows } from '../../conversation/flows/index.ts';
import { LOCALES, type Locale } from '../../conversation/message.ts';
import { createWords, LANGUAGE_TEXTS, WORDING, type Words } from '../../i18n.ts';

const USAGE = `npm run teams:package -- [--out artifacts/teams-app.zip] [--developer "AntCRM"]
    [--privacy https://…] [--terms https://…]
Writes the Teams app package. Wants MICROSOFT_APP_ID and PUBLIC_URL, which the pages are unless given.`;

const WANTED = ['MICROSOFT_APP_ID', 'PUBLIC_URL', 'DEFAULT_LOCALE', 'TIME_ZONE'] as const;
const EXIT_USAGE = 2;

/** A fixed date, so that the same package has the same bytes. */
const MADE = new Date(2000, 0, 1);

/** The version of the manifest's schema. */
export const MANIFEST_VERSION = '1.28';
const SCHEMAS = `https://developer.microsoft.com/json-schemas/teams/v${MANIFEST_VERSION}`;
const ICONS = { color: 'color.png', outline: 'outline.png' } as const;

const { version } = packageJson;
const { commands } = createConversation({ flows, wording: WORDING, languageTexts: LANGUAGE_TEXTS });
const STARTERS = commands.filter(({ starter }) => starter);

type PackageOptions = {
  readonly appId: string;
  /** The maker of the app, as Teams shows it; all three pages are https. */
  readonly developer: TeamsManifestV1D28.TeamsManifestV1D28['developer'];
  /** The language of the manifest itself; each other language is a file. */
  readonly defaultLocale: Locale;
  readonly words: Words;
};

/**
 * The package, a zip. Its bot is for private chats: in groups it would only send people away. Rejects if the
 * manifest is not valid for Teams.
 */
export async function createPackage(options: PackageOptions): Promise<Uint8Array> {
  const { appId, developer, defaultLocale, words } = options;
  const others = LOCALES.filter((locale) => locale !== defaultLocale);
  const { starters, ...texts } = textsIn(defaultLocale, words);
  const commandLists = [
    {
      scopes: ['personal' as const],
      commands: starters.map((starter) => ({ ...starter, type: 'prompt' as const })),
    },
  ];
  const manifest = {
    $schema: `${SCHEMAS}/MicrosoftTeams.schema.json`,
    manifestVersion: MANIFEST_VERSION,
    version,
    id: appId,
    developer,
    localizationInfo: {
      defaultLanguageTag: defaultLocale,
      additionalLanguages: others.map((locale) => ({ languageTag: locale, file: `${locale}.json` })),
    },
    ...texts,
    icons: ICONS,
    accentColor: '#0F6B5C',
    bots: [{ botId: appId, scopes: ['personal'], commandLists }],
  } satisfies TeamsManifestV1D28.TeamsManifestV1D28;
  const faults = await AppManifestUtils.validateAgainstSchema(manifest);
  if (faults.length > 0) throw new Error(`The manifest is not valid:\n${faults.join('\n')}`);
  const files: Record<string, Uint8Array> = { 'manifest.json': toJson(manifest) };
  for (const icon of Object.values(ICONS)) {
    files[icon] = readFileSync(new URL(`icons/${icon}`, import.meta.url));
  }
  for (const locale of others) files[`${locale}.json`] = toJson(toLanguageFile(locale, words));
  return zipSync(files, { mtime: MADE });
}

function toJson(value: unknown): Uint8Array {
  return strToU8(`${JSON.stringify(value, undefined, 2)}\n`);
}

/**
 * The manifest's texts. `starters`: Teams offers them above the input box, and puts the picked one into it.
 * Older clients put the title there, so the bot understands both.
 */
function textsIn(locale: Locale, words: Words) {
  const line = (key: string) => words.line({ key }, locale);
  return {
    name: { short: line('teams.app.name'), full: line('teams.app.fullName') },
    description: { short: line('teams.app.short'), full: line('teams.app.full') },
    starters: STARTERS.map(({ name }) => {
      const title = line(`teams.command.${name}.title`);
      return { title, description: line(`teams.command.${name}.description`), prompt: title };
    }),
  };
}

/** The texts in another language, by the path of each in the manifest. */
function toLanguageFile(locale: Locale, words: Words): object {
  const { name, description, starters } = textsIn(locale, words);
  const file: Record<string, string> = {
    $schema: `${SCHEMAS}/MicrosoftTeams.Localization.schema.json`,
    'name.short': name.short,
    'name.full': name.full,
    'description.short': description.short,
    'description.full': description.full,
  };
  for (const [index, starter] of starters.entries()) {
    for (const [key, text] of Object.entries(starter)) {
      file[`bots[0].commandLists[0].commands[${index}].${key}`] = text;
    }
  }
  return file;
}

const OPTIONS = {
  out: { type: 'string', default: 'artifacts/teams-app.zip' },
  developer: { type: 'string', default: 'AntCRM' },
  privacy: { type: 'string' },
  terms: { type: 'string' },
} as const;

async function main(): Promise<number> {
  const { developer: name, privacy, terms, out } = parseArgs({ options: OPTIONS }).values;
  const read = readConfig(environment(), WANTED);
  const { teams, publicUrl: website, settings } = read.ok ? read.config : {};
  const appId = teams?.registration?.appId;
  if (!settings || !appId || !website) {
    console.error([...(read.ok ? [] : read.faults), ...read.warnings, USAGE].join('\n'));
    return EXIT_CONFIG;
  }
  const content = await createPackage({
    appId,
    developer: {
      name,
      websiteUrl: website,
      privacyUrl: privacy ?? website,
      termsOfUseUrl: terms ?? website,
    },
    defaultLocale: settings.defaultLocale,
    words: createWords(settings),
  });
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, content);
  console.log(`Wrote ${out} (${content.length} bytes): upload it in Teams, Apps › Manage your apps.`);
  return 0;
}

if (import.meta.main) {
  process.exitCode = await main().catch((error: Error & { readonly code?: string }) => {
    console.error(`${error.message}\n\n${USAGE}`);
    return error.code?.startsWith('ERR_PARSE_ARGS') ? EXIT_USAGE : EXIT_CONFIG;
  });
}
