import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { findClosestName } from './closest-name.ts';
import type { Settings } from './conversation/context.ts';
import { LOCALES } from './conversation/message.ts';
import { isVaried, readPeople, TOKEN_WANTS, weaknessOf } from './http/people.ts';
import { answersFile, giftsFile } from './operator-files.ts';
import { parseRedisUrl } from './store/redis/address.ts';

/** Exit code of a process with a wrong configuration (sysexits.h: EX_CONFIG). */
export const EXIT_CONFIG = 78;

/** Variables by their names. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The process's environment, with what `.env` adds. Ends the process if that file cannot be read. */
export function environment(): Environment {
  if (!existsSync('.env')) return process.env;
  try {
    // Some editors begin a file with a mark.
    const text = readFileSync('.env', 'utf8').replace(/^\uFEFF/, '');
    const fileVariables = parseEnv(text);
    return Object.assign(process.env, { ...fileVariables, ...process.env });
  } catch (error) {
    console.error(`.env cannot be read: ${error}`);
    process.exit(EXIT_CONFIG);
  }
}

/**
 * Reads the configuration. Never throws: returns all faults at once, each with the variable, what it got
 * (secrets masked) and what it wants. `only`: the variables that a tool uses; all others count as unset.
 */
export function readConfig(env: Environment, only?: readonly VariableName[]) {
  const names: readonly string[] = only ?? Object.keys(variables.shape);
  const textValues: Written = pickSet(withTeamsCli(pickSet(env, Object.keys(env))), names);
  const read = variables.safeParse(textValues);
  const wrong = (read.error?.issues ?? []).map((issue) => faultOf(issue, textValues));
  const isAbout = (fault: string): boolean => names.includes(fault.slice(0, fault.indexOf(':')));
  const faults = [...new Set(wrong), ...conflictsOf(textValues).filter(isAbout)];
  const warnings = unknownNames(Object.keys(env));
  if (!read.success || faults.length > 0) return { ok: false as const, faults, warnings };
  const config = toConfig(read.data);
  return { ok: true as const, config, warnings: [...warnings, ...warningsOf(textValues, config)] };
}

/** Values as text; blank ones count as unset. */
type Written = Readonly<Partial<Record<VariableName, string>>>;

/** How the names of variables that only this bot reads begin. */
const OURS = new RegExp(
  '^(ANSWERS?_|ANTCRM_|CODE_PRE|CONSOLE_DEV|GIFTS?_|HANDOVER_|HASH_KEY|IDENTITY_PRO|MICROSOFT_APP_|' +
    'OPERAT(ION|OR)S?_|PROOF_|REDIS_|STAFF_|STATE_KEY|SUPPORT_|TEAMS_|TELEGRAM_|TRUST_)',
);
/** What Kubernetes sets for a service: `REDIS_PORT`, `REDIS_SERVICE_HOST` and others. */
const OF_SERVICE = /_SERVICE_HOST|_SERVICE_PORT|_PORT_\d|_PORT$/;

/** A warning for each name that is ours and unknown, or nearly one of ours. */
function unknownNames(names: readonly string[]): string[] {
  const known = Object.keys(variables.shape);
  return names.flatMap((name) => {
    if (known.includes(name) || OF_SERVICE.test(name)) return [];
    const closest = findClosestName(name, known);
    if (closest !== undefined) return `unknown variable ${name}: did you mean ${closest}?`;
    return OURS.test(name) ? `unknown variable ${name}` : [];
  });
}

const pickSet = (env: Environment, names: readonly string[]): Environment =>
  Object.fromEntries(names.map((name) => [name, env[name]?.trim()]).filter(([, value]) => value));

/** The Teams CLI's names, for what is unset. Other tools use them, too: it writes two. */
function withTeamsCli(env: Environment): Environment {
  const { CLIENT_ID: id, CLIENT_SECRET: secret, TENANT_ID: tenant } = env;
  if (id === undefined || secret === undefined) return env;
  return { MICROSOFT_APP_ID: id, MICROSOFT_APP_PASSWORD: secret, MICROSOFT_APP_TENANT_ID: tenant, ...env };
}

function faultOf(issue: z.core.$ZodIssue, textValues: Environment): string {
  const name = String(issue.path[0]);
  // A file has one fault for each wrong entry.
  if (name.endsWith('_FILE')) return `${name}: ${issue.message}`;
  const value = textValues[name] ?? '';
  const few = issue.message === FEW ? `, ${FEW}` : '';
  return `${name}: got ${describeValue(name, value)}${few}, wants ${documentation.get(name)?.wants}`;
}

/** What a fault shows of a value: it may be a secret, or one in the wrong place. */
function describeValue(name: string, value: string): string {
  const { isSecret, holds } = documentation.get(name) ?? {};
  const length = `${value.length} characters`;
  if (isSecret) return `a secret of ${length}`;
  if (holds === 'an id') return `an id of ${length}`;
  if (holds === 'an address') return describeAddress(value) ?? `an address of ${length}`;
  return value.length > MOST_SHOWN ? `a value of ${length}` : JSON.stringify(value);
}

/** The longest name of a time zone. A longer value may be a secret. */
const MOST_SHOWN = 32;

/** Scheme and host of a URL; undefined: it is none, or its parts are in doubt. */
function describeAddress(text: string): string | undefined {
  const { protocol, host, username, password, pathname, search, hash } = URL.parse(text) ?? {};
  const path = `${pathname ?? ''}${search}${hash}`;
  if (!host || path.includes('@')) return undefined;
  return JSON.stringify(
    `${protocol}//${username || password ? '***@' : ''}${host}${path.length > 1 ? '/…' : ''}`,
  );
}

/* Kinds of values: schemas of a text. The description completes "wants …". */

type ValueSchema<T> = z.ZodType<T, string>;

const like = (pattern: RegExp, wants: string) => z.string().regex(pattern).describe(wants);
const oneOf = <const T extends string>(...words: readonly T[]) => z.enum(words).describe(words.join(' or '));

/** Values that `parse` can read. For other values it throws or returns null. `FEW`: who asks can guess it. */
function parsed<T>(wants: string, parse: (text: string) => T | typeof FEW | null): ValueSchema<T> {
  const transform = (text: string, context: z.RefinementCtx<string>): T => {
    let value: T | typeof FEW | null = null;
    try {
      value = parse(text);
    } catch {}
    if (value !== null && value !== FEW) return value;
    context.addIssue({ code: 'custom', ...(value === FEW && { message: FEW }) });
    return z.NEVER;
  };
  return z.string().transform(transform).describe(wants);
}

/** What is wrong with a secret that everybody can guess. */
const FEW = 'few of them different';

/** Kinds of which a fault does not show every value. */
type Holding = 'an id' | 'an address';
const holdings = new Map<z.ZodType, Holding>();

function holding<Kind extends z.ZodType>(what: Holding, kind: Kind): Kind {
  holdings.set(kind, what);
  return kind;
}

/** Values separated by commas. */
const list = <T>(item: ValueSchema<T>, wants: string): ValueSchema<readonly T[]> =>
  parsed(wants, (text) => text.split(',').map((part) => item.parse(part.trim())));

/** Digits only: `Number` would also take blanks, `3e3` and `0x1F`. */
const integer = (from: number, to: number) =>
  parsed(`a whole number from ${from} to ${to}`, (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return number >= from && number <= to ? number : null;
  });

/** Without a slash at its end: paths are appended. */
function url(...protocols: readonly string[]): ValueSchema<string> {
  const wants = `a URL beginning with ${protocols.join(' or ')}, without user, query and fragment`;
  const parse = (text: string): string | null => {
    const { href, username, password, search, hash } = new URL(text);
    const isBase = protocols.some((protocol) => href.startsWith(protocol));
    // With an `@` somewhere else, a password that has a slash or a number in it was misread.
    return isBase && !(username || password || search || hash || href.includes('@'))
      ? href.replace(/(?<!\/)\/+$/, '')
      : null;
  };
  return holding('an address', parsed(wants, parse));
}

const isLoopback = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/.test(host);

const hook = parsed('a URL beginning with https://, or http:// on this machine, without user', (text) => {
  const { protocol, hostname, username, password } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
  return isSafe && !username && !password ? text : null;
});

const host = holding('an address', like(/^[\w.:-]+$/, 'a host name or address'));

/** Exact names: a suffix would trust everybody who can have a name under it. */
const hostWithPort = like(/^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i, '').refine((host) =>
  URL.canParse(`https://${host}`),
);
const hosts = holding('an address', list(hostWithPort, 'hosts without scheme and path, separated by commas'));

const proxies = holding(
  'an address',
  z
    .union([integer(1, 20), list(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]), '')])
    .describe(
      'addresses or ranges such as 10.0.0.0/8, separated by commas, or a number of hops from 1 to 20',
    ),
);

/** Whether the range is larger than any private network: 10.0.0.0/8, fc00::/7. */
function coversStrangers(range: string): boolean {
  const [address = '', bits = '128'] = range.trim().split('/');
  if (!address.includes(':')) return range.includes('/') && Number(bits) < 8;
  const isMapped = URL.parse(`http://[${address}]`)?.hostname.startsWith('[::ffff:');
  return Number(bits) < (isMapped ? 96 + 8 : 7);
}

const redisUrl = parsed('redis[s]://host:port,… or redis[s]+sentinel://host:port,…/master', parseRedisUrl);
const UNIT_MS = new Map(Object.entries({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 }));

/** `5s,20s` → [5000, 20000]. A customer's lock expires 2 h after a check: hence the bounds. */
const delays = parsed('two or more rising delays such as 5s,20s, at most 90m apart, at most 12h', (text) => {
  const delaysMs = text.split(',').map((part) => {
    const [, count, unit = ''] = /^(\d{1,6})([a-z]+)$/.exec(part.trim()) ?? [];
    return Number(count) * (UNIT_MS.get(unit) ?? Number.NaN);
  });
  const gapsMs = delaysMs.map((ms, index) => ms - (delaysMs[index - 1] ?? 0));
  const isGood = gapsMs.every((ms) => ms > 0 && ms <= 5_400_000) && Math.max(...delaysMs) <= 43_200_000;
  return isGood && delaysMs.length > 1 ? delaysMs : null;
});

/** `0`, `24h`: at most a week. */
const cooldown = parsed('0, or a time such as 30m or 24h, at most 168h', (text) => {
  const [, count, unit = ''] = /^(\d{1,6})([a-z]+)$/.exec(text) ?? [];
  const ms = text === '0' ? 0 : Number(count) * (UNIT_MS.get(unit) ?? Number.NaN);
  return ms <= 604_800_000 ? ms : null;
});

const timeZone = parsed('an IANA time zone', (text) => Intl.DateTimeFormat('en', { timeZone: text }) && text);
const key = parsed('base64 of 32 random bytes (openssl rand -base64 32)', (text) => {
  const bytes = Buffer.from(text, 'base64');
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(text)) return null;
  return isVaried(bytes) ? bytes : FEW;
});
const port = integer(0, 65_535);
const rate = integer(1, 10_000);
const onOff = oneOf('on', 'off');
const levels = oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent');
const bearerToken = parsed(TOKEN_WANTS, (text) => {
  const weakness = weaknessOf(text);
  if (weakness === undefined) return text;
  return weakness === 'few' ? FEW : null;
});
const groupId = holding(
  'an id',
  parsed('the id of a Telegram group, such as -1001234567890', (text) =>
    /^-\d{5,15}$/.test(text) ? Number(text) : null,
  ),
);
const path = like(/^.{1,1000}$/u, 'the path of a file');
const visible = like(/^[!-~]+$/, 'visible ASCII characters');
const webhookSecret = like(/^[\w-]{1,256}$/, '1–256 of A–Z a–z 0–9 _ -');
const azureId = holding('an id', like(/^[\w.-]{1,100}$/, 'an id as Azure shows it'));
const azureIds = holding('an id', list(azureId, 'ids of directories, separated by commas'));
const appType = oneOf('SingleTenant', 'UserAssignedMSI', 'MultiTenant');
const httpUrl = url('https://', 'http://');
const contact = like(/^.{1,200}$/u, 'at most 200 characters');
const prefixes = list(like(/^[\w.-]{2,20}$/, ''), 'beginnings of codes such as TIVI,TULANH');

/** What is said about a variable. `absent`: what the bot does without it. */
type VariableInfo = Readonly<Record<'meaning' | 'wants', string>> & {
  readonly default?: string | undefined;
  readonly absent?: string | undefined;
  readonly isSecret?: true;
  readonly holds?: Holding | undefined;
};
const registry = z.registry<VariableInfo>();
const infoOf = <T>(kind: ValueSchema<T>, meaning: string) => {
  return { meaning, wants: kind.description ?? '', holds: holdings.get(kind) };
};

/** A variable with a default. */
const set = <T>(kind: ValueSchema<T>, fallback: string, meaning: string) =>
  kind.prefault(fallback).register(registry, { ...infoOf(kind, meaning), default: fallback });

/** A variable that may be absent. */
const may = <T>(kind: ValueSchema<T>, absent: string | undefined, meaning: string) =>
  kind.optional().register(registry, { ...infoOf(kind, meaning), absent });

/** A variable that may be absent and whose value is never shown. */
const secret = <T>(kind: ValueSchema<T>, absent: string | undefined, meaning: string) =>
  kind.optional().register(registry, { ...infoOf(kind, meaning), absent, isSecret: true });

/** The Bot Framework SDK's own names. With one of them, it forgets all its defaults. */
const anyUrl = holding('an address', like(/^https?:\/\/\S+$/, 'a URL'));
const endpoint = may(anyUrl, 'public cloud', 'all six or none, for another cloud');
const endpoints = z.object({
  ToBotFromChannelOpenIdMetadataUrl: endpoint,
  ToBotFromEmulatorOpenIdMetadataUrl: endpoint,
  ToBotFromChannelTokenIssuer: endpoint,
  ToChannelFromBotLoginUrl: endpoint,
  ToChannelFromBotOAuthScope: endpoint,
  OAuthUrl: endpoint,
});
const ENDPOINTS = endpoints.keyof().options;

/** All variables. `npm run docs` writes the documents from it. */
const variables = z.object({
  NODE_ENV: set(oneOf('production', 'development', 'test'), 'development', '`production`: no embedded parts'),
  HOST: set(host, '127.0.0.1', 'where to listen'),
  PORT: set(port, '3000', 'where to listen; 0 = any free port'),
  ADMIN_PORT: may(port, 'the same port', 'for staff, operators and metrics, which need no token there'),
  PUBLIC_URL: may(url('https://'), 'no webhook', 'the public https base, where Telegram finds the webhook'),
  TRUST_PROXY: may(proxies, 'nobody', 'whose `X-Forwarded-For` is believed, for limits per address alone'),
  LOG_LEVEL: set(levels, 'info', "pino's levels"),
  OTEL_EXPORTER_OTLP_ENDPOINT: may(httpUrl, 'no traces', 'an OpenTelemetry collector (OTLP over HTTP)'),
  REDIS_URL: secret(redisUrl, 'embedded memory store', 'a server, a Redis Cluster or Redis Sentinel'),
  REDIS_WAIT_REPLICAS: set(integer(0, 10), '0', 'replicas that must have an intent before points are spent'),
  MAX_BACKLOG: set(integer(1, 100_000_000), '20000', 'messages of a channel that may wait; above it: 503'),
  ANTCRM_BASE_URL: may(httpUrl, 'a sandbox', 'e.g. `https://apiring.antbuddy.com`'),
  ANTCRM_API_KEY: secret(visible, undefined, 'sent as header `apikey`; required with `ANTCRM_BASE_URL`'),
  ANTCRM_TIMEOUT_MS: set(integer(1, 120_000), '8000', 'deadline of one call'),
  ANTCRM_MAX_CALLS: set(integer(1, 1000), '32', 'calls to AntCRM at once, in each process'),
  ANTCRM_CONTACTS: set(onOff, 'on', '`off` where the backend has no `/contacts` (warned about)'),
  OPERATION_CHECKS: set(delays, '5s,20s,1m,5m,30m', 'when a call without an outcome is looked up'),
  GIFTS_FILE: may(giftsFile, 'sandbox: its own', 'JSON list of gifts to pick from'),
  CODE_PREFIXES: may(prefixes, 'sandbox: its own', 'how codes begin: one that nearly does is asked about'),
  ANSWERS_FILE: may(answersFile, 'built-in answers', 'JSON list of answers to questions'),
  TELEGRAM_BOT_TOKEN: secret(like(/^\d+:[\w-]+$/, '<number>:<letters>'), 'channel off', 'from BotFather'),
  TELEGRAM_WEBHOOK_SECRET: secret(webhookSecret, undefined, 'required with the token in webhook mode'),
  TELEGRAM_API_ROOT: set(httpUrl, 'https://api.telegram.org', 'also a local Bot API server'),
  TELEGRAM_MODE: set(oneOf('webhook', 'polling'), 'webhook', '`polling`: development without a public URL'),
  TELEGRAM_MESSAGES_PER_SECOND: set(rate, '30', 'of this process: divide between several; more where bought'),
  TELEGRAM_CHAT_BURST: set(rate, '3', 'messages a second to one chat, for three seconds; then one a second'),
  MICROSOFT_APP_ID: may(azureId, 'channel off', 'the id of the Azure Bot; `CLIENT_ID`, where it is unset'),
  MICROSOFT_APP_PASSWORD: secret(visible, undefined, 'its client secret; `CLIENT_SECRET`, where it is unset'),
  MICROSOFT_APP_TYPE: may(appType, 'by the tenant', 'how it is registered; without a tenant: `MultiTenant`'),
  MICROSOFT_APP_TENANT_ID: may(azureId, undefined, 'its directory; `TENANT_ID`, where it is unset'),
  ...endpoints.shape,
  TEAMS_SERVICE_HOSTS: may(hosts, "Microsoft's Teams connectors", 'who may receive our replies and token'),
  TEAMS_TENANTS: may(azureIds, '`MICROSOFT_APP_TENANT_ID`', 'whose profile e-mail counts as proved'),
  TEAMS_AUTH: set(onOff, 'on', '`off`: no authentication, for a playground on a loopback `HOST`'),
  STATE_KEY: secret(key, 'a development key', 'seals personal data in Redis; required in production'),
  STATE_KEY_PREVIOUS: secret(key, undefined, 'the key before `STATE_KEY`: what it sealed can still be read'),
  HASH_KEY: secret(key, 'a development key', 'names keys and logs; never rotated; required in production'),
  STAFF_TOKEN: secret(bearerToken, 'sandbox: open to this machine, else absent', 'opens the staff routes'),
  STAFF_TELEGRAM_CHAT: may(
    groupId,
    'none',
    'a Telegram group of staff: one message a ticket, nothing personal',
  ),
  STAFF_PEOPLE: may(
    path,
    'nobody',
    'a file of lines `name: token`: each signs in as that person, to the inbox',
  ),
  CONSOLE_DEVELOPERS: may(
    onOff,
    '`on` outside production',
    '`off`: no test chat, no look inside at `/console`',
  ),
  OPERATOR_TOKEN: secret(bearerToken, 'routes absent', 'opens `/operations`: settling, replaying'),
  DEFAULT_LOCALE: set(oneOf(...LOCALES), 'vi', "until the customer's client or choice says otherwise"),
  TIME_ZONE: set(timeZone, 'Asia/Ho_Chi_Minh', 'dates shown and typed'),
  SUPPORT_CONTACT: may(contact, undefined, 'hotline or link to reach a person; required in production'),
  HANDOVER: may(onOff, '`on` where staff routes are', '`off`: only `SUPPORT_CONTACT` is given'),
  HANDOVER_WEBHOOK: secret(hook, undefined, 'gets a JSON object, nothing personal, when a ticket opens'),
  PROOF_GATEWAY_URL: secret(
    hook,
    'no one-time codes',
    'sends a one-time code to a phone (docs/operators.md)',
  ),
  PROOF_GATEWAY_TOKEN: secret(visible, 'no token', 'sent to `PROOF_GATEWAY_URL` as a bearer token'),
  PROOF_COOLDOWN: set(cooldown, '0', 'how long a phone that a code proved cannot spend points, e.g. `24h`'),
  IDENTITY_PROOF: set(oneOf('required', 'off'), 'required', '`off`: a typed contact is believed (kiosk use)'),
});
type Variables = z.output<typeof variables>;
type VariableName = keyof Variables;

/** What is known of each variable by its name, in the order of the documents. */
export const documentation: ReadonlyMap<string, VariableInfo | undefined> = new Map(
  Object.entries(variables.shape).map(([name, schema]) => [name, registry.get(schema)]),
);

/** Each of them opens something else, or is known to others. */
const TOKENS = ['STAFF_TOKEN', 'OPERATOR_TOKEN', 'TELEGRAM_WEBHOOK_SECRET'] as const;

/** Faults of values that are each valid, but not together. */
function conflictsOf(env: Written): string[] {
  const { NODE_ENV, HOST = '127.0.0.1', PORT = '3000', ADMIN_PORT = '0' } = env;
  const has = (name: VariableName): boolean => env[name] !== undefined;
  const isProduction = NODE_ENV === 'production';
  const isOpen = env.TEAMS_AUTH === 'off';
  const isPublic = !isLoopback(HOST) || has('PUBLIC_URL') || isProduction;
  const hasApp = has('MICROSOFT_APP_ID') && !isOpen;
  const isOfApp = (has('MICROSOFT_APP_PASSWORD') || has('MICROSOFT_APP_TYPE')) && !isOpen;
  const type = appTypeOf(env.MICROSOFT_APP_TYPE, env.MICROSOFT_APP_TENANT_ID);
  const isMsi = type === 'UserAssignedMSI';
  const isWebhook = has('TELEGRAM_BOT_TOKEN') && env.TELEGRAM_MODE !== 'polling';
  const needs: readonly (readonly [isNeeded: boolean, where: string, ...names: VariableName[]])[] = [
    [isProduction, 'in production', 'REDIS_URL', 'ANTCRM_BASE_URL', 'SUPPORT_CONTACT'],
    [isProduction, 'in production', 'STATE_KEY', 'HASH_KEY'],
    [Number(env.REDIS_WAIT_REPLICAS) > 0 && !isProduction, 'with REDIS_WAIT_REPLICAS', 'REDIS_URL'],
    [has('ANTCRM_BASE_URL'), 'with ANTCRM_BASE_URL', 'ANTCRM_API_KEY'],
    [isWebhook, 'in webhook mode: anybody could post updates', 'TELEGRAM_WEBHOOK_SECRET'],
    [has('STAFF_PEOPLE'), 'with STAFF_PEOPLE', 'STAFF_TOKEN'],
    [has('STAFF_TELEGRAM_CHAT'), 'with STAFF_TELEGRAM_CHAT', 'TELEGRAM_BOT_TOKEN'],
    [has('STATE_KEY_PREVIOUS') && !isProduction, 'with STATE_KEY_PREVIOUS', 'STATE_KEY'],
    [isOfApp, 'with MICROSOFT_APP_PASSWORD or MICROSOFT_APP_TYPE', 'MICROSOFT_APP_ID'],
    [hasApp && !isMsi, 'with MICROSOFT_APP_ID', 'MICROSOFT_APP_PASSWORD'],
    [hasApp && type !== 'MultiTenant', `for a ${type} app`, 'MICROSOFT_APP_TENANT_ID'],
    [ENDPOINTS.some(has), 'for all six settings of the SDK or none', ...ENDPOINTS],
  ];
  const equals = TOKENS.flatMap((name, at) =>
    TOKENS.slice(0, at).flatMap((other) =>
      has(name) && env[name] === env[other] ? `${name}: got ${other}'s, wants another` : [],
    ),
  );
  const people = peopleOf(env);
  return [
    ...equals,
    ...(people ? readPeople(people).faults.map((fault) => `STAFF_PEOPLE: ${fault}`) : []),
    ...needs.flatMap(([isNeeded, where, ...names]) => {
      const missing = names.filter((name) => isNeeded && !has(name));
      return missing.map((name) => `${name}: got nothing, wants ${documentation.get(name)?.wants} ${where}`);
    }),
    ...applicable([
      [
        Number(ADMIN_PORT) > 0 && Number(ADMIN_PORT) === Number(PORT),
        "ADMIN_PORT: got PORT's, wants another",
      ],
      [hasApp && isMsi && env.MICROSOFT_APP_PASSWORD, 'MICROSOFT_APP_PASSWORD: got a secret, wants none'],
      [isOpen && isPublic, 'TEAMS_AUTH: got "off", wants "on" where others than this machine can ask'],
    ]),
  ];
}

/** Where staff are listed, and the tokens that none of them may have. */
function peopleOf(
  env: Readonly<Partial<Record<'STAFF_PEOPLE' | (typeof TOKENS)[number], string | undefined>>>,
) {
  const { STAFF_PEOPLE: path } = env;
  if (path === undefined) return undefined;
  const tokens = TOKENS.flatMap((name) => {
    const token = env[name];
    return token === undefined ? [] : [[token, name] as const];
  });
  return { path, reserved: new Map<string, string>(tokens) };
}

function warningsOf(env: Written, config: Config): string[] {
  const { publicUrl, trustProxy, antcrm, telegram, settings } = config;
  const isBare = (url = ''): boolean => url.startsWith('http:') && !isLoopback(new URL(url).hostname);
  const secret = telegram?.mode === 'webhook' ? telegram.secret : undefined;
  const isGuessable = secret !== undefined && !(secret.length >= 16 && isVaried(secret));
  const isKeyless = config.redis && !(env.STATE_KEY && env.HASH_KEY);
  const isHasty = (settings.operationChecksMs.at(-2) ?? 0) < 60_000;
  const isEverybody = (env.TRUST_PROXY ?? '').split(',').some(coversStrangers);
  const lacking = LOCALES.flatMap((locale) => {
    const ids = config.answers.flatMap(({ id, lacks }) => (lacks.includes(locale) ? id : []));
    const lack = `ANSWERS_FILE: without "${locale}", whose customers get the other language`;
    return ids.length > 0 ? `${lack}: ${ids.join(', ')}` : [];
  });
  return lacking.concat(
    equalSecrets(env),
    oddValues(env, config),
    applicable([
      [settings.identityProof === 'off', 'IDENTITY_PROOF=off: a typed contact is enough to read and spend'],
      [
        antcrm.contacts === 'off',
        "ANTCRM_CONTACTS=off: points can tie an e-mail to another customer's phone",
      ],
      [env.TEAMS_AUTH === 'off', 'TEAMS_AUTH=off: every program on this machine can speak for anybody'],
      [isKeyless, 'STATE_KEY or HASH_KEY is unset: everybody knows the key of the store'],
      [
        isBare(antcrm.real?.baseUrl),
        'ANTCRM_BASE_URL is http: the API key and personal data travel unencrypted',
      ],
      [
        isBare(telegram?.apiRoot),
        'TELEGRAM_API_ROOT is http: the token and personal data travel unencrypted',
      ],
      [
        isGuessable,
        'TELEGRAM_WEBHOOK_SECRET is easily guessed: who does can speak for anybody (npm run keys)',
      ],
      [isHasty, 'OPERATION_CHECKS: "not applied" is told within a minute, and a record may come later'],
      [env.HANDOVER === 'on' && !settings.handover, 'HANDOVER=on has no effect without STAFF_TOKEN'],
      [isEverybody, 'TRUST_PROXY covers addresses of strangers: they can name any address as theirs'],
      [
        publicUrl && !trustProxy,
        'TRUST_PROXY is unset with PUBLIC_URL: all strangers share the limits of one',
      ],
    ]),
  );
}

/** Values that are each valid, and hardly meant. */
function oddValues(env: Written, config: Config): string[] {
  const directories = [...(env.TEAMS_TENANTS ?? '').split(','), env.MICROSOFT_APP_TENANT_ID ?? ''].map((id) =>
    id.trim(),
  );
  return applicable([
    [
      (env.PROOF_COOLDOWN ?? '0') !== '0' && !env.PROOF_GATEWAY_URL,
      'PROOF_COOLDOWN has no effect without PROOF_GATEWAY_URL: nothing proves a phone by a code',
    ],
    [
      env.PROOF_GATEWAY_TOKEN && !env.PROOF_GATEWAY_URL,
      'PROOF_GATEWAY_TOKEN has no effect without PROOF_GATEWAY_URL',
    ],
    [
      directories.some((id) => SHARED_DIRECTORIES.test(id)),
      'TEAMS_TENANTS has a directory of everybody (common, organizations, consumers): it proves nothing, ' +
        'and no profile e-mail counts as proved by it',
    ],
    [
      config.teams?.serviceHosts?.some((name) => RENTED.test(name)),
      'TEAMS_SERVICE_HOSTS has a host under a domain where anybody can rent one: it gets our replies and token',
    ],
    [
      env.NODE_ENV === 'production' && /^(silent|fatal|error)$/.test(config.logLevel),
      `LOG_LEVEL=${config.logLevel}: alarms are not logged`,
    ],
    [
      config.antcrm.timeoutMs < 500,
      'ANTCRM_TIMEOUT_MS is below 500: most calls end without an outcome, and each is looked up',
    ],
  ]);
}

/** Azure's names for all directories. */
const SHARED_DIRECTORIES = /^(common|organizations|consumers)$/i;
/** Domains under which anybody can have a host, but for Microsoft's own connector. */
const RENTED =
  /^(?!smba\.trafficmanager\.net(?::|$))(?:[\w-]+\.)*(?:trafficmanager|azurewebsites|azurefd|azureedge|cloudapp|windows)\.(?:net|com)(?::|$)/i;

/** A warning for each secret that several variables have: who learns one of them has them all. */
function equalSecrets(env: Written): string[] {
  const names = Map.groupBy(
    Object.entries(env).filter(([name]) => documentation.get(name)?.isSecret),
    // The end of a key may be written or not.
    ([, value]) => value.replace(/=$/, ''),
  );
  return [...names.values()].flatMap((equals) =>
    equals.length > 1
      ? `${equals.map(([name]) => name).join(' and ')} are equal: each wants a secret of its own`
      : [],
  );
}

const applicable = (lines: readonly (readonly [condition: unknown, line: string])[]): string[] =>
  lines.flatMap(([condition, line]) => (condition ? [line] : []));

/** The configuration by the parts that need it; a part that is off is undefined. */
export type Config = ReturnType<typeof toConfig>;

function toConfig(env: Variables) {
  const { ANTCRM_BASE_URL: baseUrl, STAFF_TOKEN: staffToken, PUBLIC_URL: publicUrl } = env;
  const hasStaff = staffToken !== undefined || (baseUrl === undefined && publicUrl === undefined);
  return {
    listen: { host: env.HOST, port: env.PORT },
    adminPort: env.ADMIN_PORT,
    publicUrl,
    trustProxy: env.TRUST_PROXY,
    maxBacklog: env.MAX_BACKLOG,
    logLevel: env.LOG_LEVEL,
    tracesEndpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
    redis: env.REDIS_URL && { address: env.REDIS_URL, waitReplicas: env.REDIS_WAIT_REPLICAS },
    antcrm: {
      /** Undefined: the sandbox is the backend. */
      real: baseUrl === undefined ? undefined : { baseUrl, apiKey: required(env, 'ANTCRM_API_KEY') },
      timeoutMs: env.ANTCRM_TIMEOUT_MS,
      maxCalls: env.ANTCRM_MAX_CALLS,
      contacts: env.ANTCRM_CONTACTS,
    },
    telegram: telegramOf(env),
    teams: teamsOf(env),
    keys: {
      state: env.STATE_KEY ?? developmentKey('state'),
      statePrevious: env.STATE_KEY_PREVIOUS,
      hash: env.HASH_KEY ?? developmentKey('hash'),
    },
    staffToken,
    staffPeople: peopleOf(env),
    operatorToken: env.OPERATOR_TOKEN,
    gifts: env.GIFTS_FILE,
    codePrefixes: env.CODE_PREFIXES,
    answers: env.ANSWERS_FILE ?? [],
    handoverWebhook: env.HANDOVER_WEBHOOK,
    /** The console also shows what developers use: the chat to try, the look inside, the sandbox. */
    showsDevelopers: (env.CONSOLE_DEVELOPERS ?? (env.NODE_ENV === 'production' ? 'off' : 'on')) === 'on',
    proofGateway: gatewayOf(env),
    settings: {
      defaultLocale: env.DEFAULT_LOCALE,
      timeZone: env.TIME_ZONE,
      supportContact: env.SUPPORT_CONTACT,
      identityProof: env.IDENTITY_PROOF,
      proof: env.PROOF_GATEWAY_URL === undefined ? undefined : { cooldownMs: env.PROOF_COOLDOWN },
      handover: env.HANDOVER !== 'off' && hasStaff,
      counter: hasStaff,
      operationChecksMs: env.OPERATION_CHECKS,
    } satisfies Omit<Settings, 'gifts' | 'codePrefixes'>,
  };
}

function gatewayOf({ PROOF_GATEWAY_URL: url, PROOF_GATEWAY_TOKEN: token }: Variables) {
  return url === undefined ? undefined : { url, token };
}

function telegramOf(env: Variables) {
  const { TELEGRAM_BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot, TELEGRAM_MODE: mode } = env;
  if (token === undefined) return undefined;
  const rates = { perSecond: env.TELEGRAM_MESSAGES_PER_SECOND, chatBurst: env.TELEGRAM_CHAT_BURST };
  const shared = { token, apiRoot, rates, staffChat: env.STAFF_TELEGRAM_CHAT };
  if (mode === 'polling') return { ...shared, mode };
  return { ...shared, mode, secret: required(env, 'TELEGRAM_WEBHOOK_SECRET') };
}

function teamsOf(env: Variables) {
  const { MICROSOFT_APP_ID: appId, MICROSOFT_APP_PASSWORD: password, MICROSOFT_APP_TENANT_ID: tenant } = env;
  const isOpen = env.TEAMS_AUTH === 'off';
  if (appId === undefined && !isOpen) return undefined;
  const type = appTypeOf(env.MICROSOFT_APP_TYPE, tenant);
  /** `endpoints`: undefined for the public cloud. */
  const app = { password, tenant, type, endpoints: endpoints.required().safeParse(env).data };
  return {
    /** Undefined: no authentication. */
    registration: appId === undefined || isOpen ? undefined : { appId, ...app },
    serviceHosts: env.TEAMS_SERVICE_HOSTS,
    trustedTenants: env.TEAMS_TENANTS ?? (tenant === undefined ? [] : [tenant]),
  };
}

const appTypeOf = <Type extends string>(type: Type | undefined, tenant: string | undefined) =>
  type ?? (tenant === undefined ? 'MultiTenant' : 'SingleTenant');

/** A value whose absence is a fault (`conflictsOf`). */
function required(env: Variables, name: 'ANTCRM_API_KEY' | 'TELEGRAM_WEBHOOK_SECRET'): string {
  const value = env[name];
  if (value === undefined) throw new Error(`${name} is missing and was not reported`);
  return value;
}

/** Public, and the same at every start: a developer's bot reads what it stored before. */
const developmentKey = (purpose: string): Buffer =>
  createHash('sha256').update(`antcrm-chatbot development key: ${purpose}`).digest();
