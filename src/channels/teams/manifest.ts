import type { TeamsManifestV1D28 } from '@microsoft/app-manifest';
import { LOCALES, type Locale } from '../../conversation/message.ts';
import type { Words } from '../../i18n.ts';

/** Whom Teams shows as the app's maker; all three pages are https. */
export type Developer = {
  readonly name: string;
  readonly website: string;
  readonly privacy: string;
  readonly terms: string;
};

export type AppOptions = {
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
export const ICONS = { color: 'color.png', outline: 'outline.png' } as const;
const ACCENT = '#0F6B5C';

/** The app's manifest. Its one bot is for private chats: in groups it would only send people away. */
export function createManifest(options: AppOptions): TeamsManifestV1D28.TeamsManifestV1D28 {
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
export function createLanguage(
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

export function otherLocales(locale: Locale): Locale[] {
  return LOCALES.filter((one) => one !== locale);
}

export function languageFile(locale: Locale): string {
  return `${locale}.json`;
}
