import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { AppManifestUtils } from '@microsoft/app-manifest';
import { strToU8, zipSync } from 'fflate';
import packageJson from '../../../package.json' with { type: 'json' };
import { EXIT_CONFIG, environment, readConfig } from '../../config.ts';
import { createConversation } from '../../conversation/conversation.ts';
import { flows } from '../../conversation/flows/index.ts';
import { createWords, SAYINGS, WORDING } from '../../i18n.ts';
import {
  type AppOptions,
  createLanguage,
  createManifest,
  ICONS,
  languageFile,
  otherLocales,
} from './manifest.ts';

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
