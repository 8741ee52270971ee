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
import { createWords, SAYINGS, WORDING, type Words } from '../../i18n.ts';

const USAGE = `npm run teams:package -- [--out artifacts/teams-app.zip] [--developer "AntCRM"]
    [--website https://…] [--privacy https://…] [--terms https://…]
Writes the Teams app package. Wants MICROSOFT_APP_ID; the website is PUBLIC_URL unless given, the others are the website.`;

const WANTED = ['MICROSOFT_APP_ID', 'PUBLIC_URL', 'DEFAULT_LOCALE', 'TIME_ZONE'] as const;

/** The same package gives the same bytes, whenever it is made. */
const MADE = new Date(2000, 0, 1);

/** The package's files by name. Rejects where the manifest is not what Teams takes. */
export async function createPackage(options: AppOptions): Promise<Uint8Array> {
  const { defaultLocale } = options;
  const manifest = createManifest(options);
  const faults = await AppManifestUtils.validateAgainstSchema(manifest);
  if (faults.length > 0) throw new Error(`The manifest is not valid:\n${faults.join('\n')}`);
  const languages = otherLocales(defaultLocale).map((locale) => [
    languageFile(locale),
    json(createLanguage(locale, options)),
  ]);
  const files = {
    'manifest.json': json(manifest),
    [ICONS.color]: icon(ICONS.color),
    [ICONS.outline]: icon(ICONS.outline),
    ...Object.fromEntries(languages),
  };
  return zipSync(files, { mtime: MADE });
}

function icon(name: string): Uint8Array {
  return readFileSync(new URL(`icons/${name}`, import.meta.url));
}

function json(value: unknown): Uint8Array {
  return strToU8(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Whom Teams shows as the app's maker; all three pages are https. */
type Developer = {
  readonly name: string;
  readonly website: string;
  readonly privacy: string;
  readonly terms: string;
};

type AppOptions = {
  readonly appId: string;
  readonly version: string;
  readonly developer: Developer;
  /** The language of the manifest itself; the others have files beside it. */
  readonly defaultLocale: Locale;
  readonly words: Words;
  /**
   * Conversation starters: what Teams offers above the box for writing, and puts into it when picked. Older clients put
   * the title there, so the bot understands both.
   */
  readonly starters: readonly string[];
};

export const MANIFEST_VERSION = '1.28';
const ICONS = { color: 'color.png', outline: 'outline.png' } as const;
const ACCENT = '#0F6B5C';

/** The app's manifest. Its one bot is for private chats: in groups it would only send people away. */
function createManifest(options: AppOptions): TeamsManifestV1D28.TeamsManifestV1D28 {
  const { appId, version, developer, defaultLocale, words, starters } = options;
  const line = (key: string) => words.line({ key }, defaultLocale);
  return {
    $schema: `https://developer.microsoft.com/json-schemas/teams/v${MANIFEST_VERSION}/MicrosoftTeams.schema.json`,
    manifestVersion: MANIFEST_VERSION,
    version,
    id: appId,
    developer: {
      name: developer.name,
      websiteUrl: developer.website,
      privacyUrl: developer.privacy,
      termsOfUseUrl: developer.terms,
    },
    localizationInfo: {
      defaultLanguageTag: defaultLocale,
      additionalLanguages: otherLocales(defaultLocale).map((locale) => ({
        languageTag: locale,
        file: languageFile(locale),
      })),
    },
    name: { short: line('teams.app.name'), full: line('teams.app.fullName') },
    description: { short: line('teams.app.short'), full: line('teams.app.full') },
    icons: ICONS,
    accentColor: ACCENT,
    bots: [
      {
        botId: appId,
        scopes: ['personal'],
        isNotificationOnly: false,
        supportsFiles: false,
        commandLists: [
          {
            scopes: ['personal'],
            commands: starters.map((name) => ({
              type: 'prompt',
              title: line(`teams.command.${name}.title`),
              description: line(`teams.command.${name}.description`),
              prompt: line(`teams.command.${name}.title`),
            })),
          },
        ],
      },
    ],
  };
}

/** What the manifest says, in another language: by the path of each text. */
function createLanguage(
  locale: Locale,
  { words, starters }: Pick<AppOptions, 'words' | 'starters'>,
): Readonly<Record<string, string>> {
  const line = (key: string) => words.line({ key }, locale);
  const commands = starters.flatMap((name, index) => {
    const path = `bots[0].commandLists[0].commands[${index}]`;
    return [
      [`${path}.title`, line(`teams.command.${name}.title`)],
      [`${path}.description`, line(`teams.command.${name}.description`)],
      [`${path}.prompt`, line(`teams.command.${name}.title`)],
    ];
  });
  return {
    $schema: `https://developer.microsoft.com/json-schemas/teams/v${MANIFEST_VERSION}/MicrosoftTeams.Localization.schema.json`,
    'name.short': line('teams.app.name'),
    'name.full': line('teams.app.fullName'),
    'description.short': line('teams.app.short'),
    'description.full': line('teams.app.full'),
    ...Object.fromEntries(commands),
  };
}

function otherLocales(locale: Locale): Locale[] {
  return LOCALES.filter((one) => one !== locale);
}

function languageFile(locale: Locale): string {
  return `${locale}.json`;
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
  const faults = read.ok ? [] : read.faults;
  const { teams, publicUrl, settings } = read.ok ? read.config : {};
  const appId = teams?.registration?.appId;
  const website = values.website ?? publicUrl;
  if (!settings || !appId || !website) {
    console.error([...faults, ...read.warnings, USAGE].join('\n'));
    return EXIT_CONFIG;
  }
  const { commands } = createConversation({ flows, wording: WORDING, sayings: SAYINGS });
  const content = await createPackage({
    appId,
    version: packageJson.version,
    developer: {
      name: values.developer,
      website,
      privacy: values.privacy ?? website,
      terms: values.terms ?? website,
    },
    defaultLocale: settings.defaultLocale,
    words: createWords(settings),
    starters: commands.flatMap(({ name, starter }) => (starter ? [name] : [])),
  });
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, content);
  console.log(`Wrote ${values.out} (${content.length} bytes): upload it in Teams, Apps › Manage your apps.`);
  return 0;
}

if (import.meta.main) process.exitCode = await main();
