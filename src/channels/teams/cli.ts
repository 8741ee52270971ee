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
    [--website https://…] [--privacy https://…] [--terms https://…]
Writes the Teams app package. Wants MICROSOFT_APP_ID.
The website is PUBLIC_URL unless given, the other pages are the website.`;

const WANTED = ['MICROSOFT_APP_ID', 'PUBLIC_URL', 'DEFAULT_LOCALE', 'TIME_ZONE'] as const;

/** A fixed date, so that the same package has the same bytes. */
const MADE = new Date(2000, 0, 1);

/** The version of the manifest's schema. */
export const MANIFEST_VERSION = '1.28';
const SCHEMAS = `https://developer.microsoft.com/json-schemas/teams/v${MANIFEST_VERSION}`;
const ICONS = { color: 'color.png', outline: 'outline.png' } as const;

type PackageOptions = {
  readonly appId: string;
  readonly version: string;
  /** The maker of the app, as Teams shows it; all three pages are https. */
  readonly developer: TeamsManifestV1D28.TeamsManifestV1D28['developer'];
  /** The language of the manifest itself; each other language is a file. */
  readonly defaultLocale: Locale;
  readonly words: Words;
  /**
   * Conversation starters: Teams offers them above the input box, and puts the picked one into it. Older
   * clients put the title there, so the bot understands both.
   */
  readonly starters: readonly string[];
};

/** The package, a zip. Rejects if the manifest is not valid for Teams. */
export async function createPackage(options: PackageOptions): Promise<Uint8Array> {
  const others = LOCALES.filter((locale) => locale !== options.defaultLocale);
  const manifest = createManifest(options, others);
  const faults = await AppManifestUtils.validateAgainstSchema(manifest);
  if (faults.length > 0) throw new Error(`The manifest is not valid:\n${faults.join('\n')}`);
  const icons = Object.values(ICONS).map((name): [string, Uint8Array] => [
    name,
    readFileSync(new URL(`icons/${name}`, import.meta.url)),
  ]);
  const texts = others.map((locale): [string, Uint8Array] => [
    `${locale}.json`,
    toJson(createLanguage(locale, options)),
  ]);
  const files = Object.fromEntries([['manifest.json', toJson(manifest)], ...icons, ...texts]);
  return zipSync(files, { mtime: MADE });
}

function toJson(value: unknown): Uint8Array {
  return strToU8(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** The app's manifest. Its one bot is for private chats: in groups it would only send people away. */
function createManifest(
  { appId, version, developer, defaultLocale, words, starters }: PackageOptions,
  others: readonly Locale[],
) {
  const line = (key: string) => words.line({ key }, defaultLocale);
  const commands = starters.map((name) => {
    const title = line(`teams.command.${name}.title`);
    const description = line(`teams.command.${name}.description`);
    return { type: 'prompt', title, description, prompt: title } as const;
  });
  return {
    $schema: `${SCHEMAS}/MicrosoftTeams.schema.json`,
    manifestVersion: MANIFEST_VERSION,
    version,
    id: appId,
    developer,
    localizationInfo: {
      defaultLanguageTag: defaultLocale,
      additionalLanguages: others.map((locale) => ({ languageTag: locale, file: `${locale}.json` })),
    },
    name: { short: line('teams.app.name'), full: line('teams.app.fullName') },
    description: { short: line('teams.app.short'), full: line('teams.app.full') },
    icons: ICONS,
    accentColor: '#0F6B5C',
    bots: [{ botId: appId, scopes: ['personal'], commandLists: [{ scopes: ['personal'], commands }] }],
  } satisfies TeamsManifestV1D28.TeamsManifestV1D28;
}

/** The manifest's texts in another language, by the path of each. */
function createLanguage(locale: Locale, { words, starters }: PackageOptions): object {
  const line = (key: string) => words.line({ key }, locale);
  const commands = starters.flatMap((name, index) => {
    const path = `bots[0].commandLists[0].commands[${index}]`;
    const title = line(`teams.command.${name}.title`);
    return [
      [`${path}.title`, title],
      [`${path}.description`, line(`teams.command.${name}.description`)],
      [`${path}.prompt`, title],
    ];
  });
  return {
    $schema: `${SCHEMAS}/MicrosoftTeams.Localization.schema.json`,
    'name.short': line('teams.app.name'),
    'name.full': line('teams.app.fullName'),
    'description.short': line('teams.app.short'),
    'description.full': line('teams.app.full'),
    ...Object.fromEntries(commands),
  };
}

async function main(): Promise<number> {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      out: { ...option, default: 'artifacts/teams-app.zip' },
      developer: { ...option, default: 'AntCRM' },
      website: option,
      privacy: option,
      terms: option,
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const read = readConfig(environment(), WANTED);
  const { teams, publicUrl, settings } = read.ok ? read.config : {};
  const appId = teams?.registration?.appId;
  const website = values.website ?? publicUrl;
  if (!settings || !appId || !website) {
    console.error([...(read.ok ? [] : read.faults), ...read.warnings, USAGE].join('\n'));
    return EXIT_CONFIG;
  }
  const { developer: name, privacy = website, terms = website, out } = values;
  const { commands } = createConversation({ flows, wording: WORDING, languageTexts: LANGUAGE_TEXTS });
  const content = await createPackage({
    appId,
    version: packageJson.version,
    developer: { name, websiteUrl: website, privacyUrl: privacy, termsOfUseUrl: terms },
    defaultLocale: settings.defaultLocale,
    words: createWords(settings),
    starters: commands.flatMap(({ name, starter }) => (starter ? [name] : [])),
  });
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, content);
  console.log(`Wrote ${out} (${content.length} bytes): upload it in Teams, Apps › Manage your apps.`);
  return 0;
}

if (import.meta.main) {
  process.exitCode = await main().catch((error: unknown) => {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return EXIT_CONFIG;
  });
}
