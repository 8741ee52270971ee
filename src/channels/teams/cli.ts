import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { AppManifestUtils, type TeamsManifestV1D28 } from '@microsoft/app-manifest';
import { strToU8, zipSync } from 'fflate';
import packageJson from '../../../package.json' with { type: 'json' };
import { EXIT_CONFIG, environment, readConfig } from '../../config.ts';
import { createConversation } from '../../conversation/conversation.ts';
import { flows } from '../../conversation/flows/index.ts';
import { LOCALES, type Locale } from '../../conversation/message.ts';
import { createWords, LANGUAGE_TEXTS, WORDING } from '../../i18n.ts';

const USAGE = `npm run teams:package -- [--developer "AntCRM"] [--privacy https://…] [--terms https://…]
Writes the Teams app package. Wants MICROSOFT_APP_ID and PUBLIC_URL.`;

const EXIT_USAGE = 2;
const ICONS = { color: 'color.png', outline: 'outline.png' } as const;

const { commands } = createConversation({ flows, wording: WORDING, languageTexts: LANGUAGE_TEXTS });
const WORDS = createWords({ timeZone: 'UTC' });

type Manifest = TeamsManifestV1D28.TeamsManifestV1D28;

/** The package, a zip, for private chats. Rejects if the manifest is not valid for Teams. */
export async function createPackage(
  { id, developer }: Pick<Manifest, 'id' | 'developer'>,
  defaultLocale: Locale,
): Promise<Uint8Array> {
  const others = LOCALES.filter((locale) => locale !== defaultLocale);
  const { starters, ...texts } = textsIn(defaultLocale);
  const prompts = starters.map((starter) => ({ ...starter, type: 'prompt' as const }));
  const manifest = {
    $schema: 'https://developer.microsoft.com/json-schemas/teams/v1.28/MicrosoftTeams.schema.json',
    manifestVersion: '1.28',
    version: packageJson.version,
    id,
    developer,
    localizationInfo: {
      defaultLanguageTag: defaultLocale,
      additionalLanguages: others.map((locale) => ({ languageTag: locale, file: `${locale}.json` })),
    },
    ...texts,
    icons: ICONS,
    accentColor: '#0F6B5C',
    bots: [{ botId: id, scopes: ['personal'], commandLists: [{ scopes: ['personal'], commands: prompts }] }],
  } satisfies Manifest;
  const faults = await AppManifestUtils.validateAgainstSchema(manifest);
  if (faults.length > 0) throw new Error(`The manifest is not valid:\n${faults.join('\n')}`);
  const files: Record<string, Uint8Array> = { 'manifest.json': toJson(manifest) };
  for (const locale of others) files[`${locale}.json`] = toJson(toLanguageFile(locale));
  for (const icon of Object.values(ICONS)) {
    files[icon] = readFileSync(new URL(`icons/${icon}`, import.meta.url));
  }
  return zipSync(files);
}

const toJson = (value: object): Uint8Array => strToU8(JSON.stringify(value, undefined, 2));

/** Teams puts a starter's prompt into the input box, older clients its title. */
function textsIn(locale: Locale) {
  const line = (key: string) => WORDS.line({ key }, locale);
  const starters = commands.filter(({ starter }) => starter);
  return {
    name: { short: line('teams.app.name'), full: line('teams.app.fullName') },
    description: { short: line('teams.app.short'), full: line('teams.app.full') },
    starters: starters.map(({ name }) => {
      const title = line(`teams.command.${name}.title`);
      return { title, description: line(`teams.command.${name}.description`), prompt: title };
    }),
  };
}

/** The texts in another language, by the path of each in the manifest. */
function toLanguageFile(locale: Locale): object {
  const { name, description, starters } = textsIn(locale);
  const commands = starters.map((starter, at) => toPaths(`bots[0].commandLists[0].commands[${at}]`, starter));
  return Object.assign(toPaths('name', name), toPaths('description', description), ...commands);
}

function toPaths(path: string, texts: Readonly<Record<string, string>>): object {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [`${path}.${key}`, text]));
}

const OPTIONS = {
  developer: { type: 'string', default: 'AntCRM' },
  privacy: { type: 'string' },
  terms: { type: 'string' },
} as const;

async function main(): Promise<void> {
  const { developer: name, privacy, terms } = parseArgs({ options: OPTIONS }).values;
  const read = readConfig(environment(), ['MICROSOFT_APP_ID', 'PUBLIC_URL', 'DEFAULT_LOCALE']);
  if (!read.ok) throw new Error(read.faults.join('\n'));
  const { teams, publicUrl: websiteUrl, settings } = read.config;
  const id = teams?.registration?.appId;
  if (!id || !websiteUrl) throw new Error('MICROSOFT_APP_ID or PUBLIC_URL is unset');
  const pages = { websiteUrl, privacyUrl: privacy ?? websiteUrl, termsOfUseUrl: terms ?? websiteUrl };
  const content = await createPackage({ id, developer: { name, ...pages } }, settings.defaultLocale);
  mkdirSync('artifacts', { recursive: true });
  writeFileSync('artifacts/teams-app.zip', content);
  console.log('Wrote artifacts/teams-app.zip');
}

if (import.meta.main) {
  await main().catch((error: Error & { readonly code?: string }) => {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exitCode = error.code?.startsWith('ERR_PARSE_ARGS') ? EXIT_USAGE : EXIT_CONFIG;
  });
}
