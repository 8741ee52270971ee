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

export const MANIFEST_VERSION = '1.28';
const SCHEMAS = `https://developer.microsoft.com/json-schemas/teams/v${MANIFEST_VERSION}`;
const ICONS = { color: 'color.png', outline: 'outline.png' } as const;

type AppOptions = {
  readonly appId: string;
  readonly version: string;
  /** Whom Teams shows as the app's maker; all three pages are https. */
  readonly developer: Readonly<Record<'name' | 'website' | 'privacy' | 'terms', string>>;
  /** The language of the manifest itself; the others have files beside it. */
  readonly defaultLocale: Locale;
  readonly words: Words;
  /**
   * Conversation starters: what Teams offers above the box for writing, and puts into it when picked. Older clients put
   * the title there, so the bot understands both.
   */
  readonly starters: readonly string[];
};

/** The package, a zip. Rejects where the manifest is not what Teams takes. */
export async function createPackage(options: AppOptions): Promise<Uint8Array> {
  const others = LOCALES.filter((locale) => locale !== options.defaultLocale);
  const manifest = createManifest(options, others);
  const faults = await AppManifestUtils.validateAgainstSchema(manifest);
  if (faults.length > 0) throw new Error(`The manifest is not valid:\n${faults.join('\n')}`);
  const json = (value: unknown) => strToU8(`${JSON.stringify(value, undefined, 2)}\n`);
  const icons = Object.values(ICONS).map((name) => [
    name,
    readFileSync(new URL(`icons/${name}`, import.meta.url)),
  ]);
  const files = {
    'manifest.json': json(manifest),
    ...Object.fromEntries(icons),
    ...Object.fromEntries(others.map((locale) => [`${locale}.json`, json(createLanguage(locale, options))])),
  };
  return zipSync(files, { mtime: MADE });
}

/** What Teams shows of the app, in a language. */
function textsOf(locale: Locale, { words, starters }: AppOptions) {
  const line = (key: string) => words.line({ key }, locale);
  return {
    name: { short: line('teams.app.name'), full: line('teams.app.fullName') },
    description: { short: line('teams.app.short'), full: line('teams.app.full') },
    commands: starters.map((name) => ({
      title: line(`teams.command.${name}.title`),
      description: line(`teams.command.${name}.description`),
      prompt: line(`teams.command.${name}.title`),
    })),
  };
}

/** The app's manifest. Its one bot is for private chats: in groups it would only send people away. */
function createManifest(options: AppOptions, others: readonly Locale[]) {
  const { appId, version, developer, defaultLocale } = options;
  const { commands, ...texts } = textsOf(defaultLocale, options);
  return {
    $schema: `${SCHEMAS}/MicrosoftTeams.schema.json`,
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
      additionalLanguages: others.map((locale) => ({ languageTag: locale, file: `${locale}.json` })),
    },
    ...texts,
    icons: ICONS,
    accentColor: '#0F6B5C',
    bots: [
      {
        botId: appId,
        scopes: ['personal'],
        isNotificationOnly: false,
        supportsFiles: false,
        commandLists: [
          { scopes: ['personal'], commands: commands.map((command) => ({ type: 'prompt', ...command })) },
        ],
      },
    ],
  } satisfies TeamsManifestV1D28.TeamsManifestV1D28;
}

/** The same in another language: by the path of each text. */
function createLanguage(locale: Locale, options: AppOptions): Readonly<Record<string, string>> {
  const { commands, ...texts } = textsOf(locale, options);
  const pathsOf = (at: string, named: Readonly<Record<string, string>>) =>
    Object.entries(named).map(([name, text]) => [`${at}.${name}`, text]);
  return {
    $schema: `${SCHEMAS}/MicrosoftTeams.Localization.schema.json`,
    ...Object.fromEntries([
      ...Object.entries(texts).flatMap(([at, named]) => pathsOf(at, named)),
      ...commands.flatMap((command, n) => pathsOf(`bots[0].commandLists[0].commands[${n}]`, command)),
    ]),
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
  const { commands } = createConversation({ flows, wording: WORDING, sayings: SAYINGS });
  const content = await createPackage({
    appId,
    version: packageJson.version,
    developer: { name, website, privacy, terms },
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
