import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import type { Gift } from '../conversation/context.ts';
import type { Answer } from '../conversation/language/similarity.ts';
import { fold } from '../conversation/language/tokenizer.ts';
import { LOCALES, perLocale } from '../conversation/message.ts';
import { parseRedisUrl, type RedisAddress } from '../store/redis/address.ts';

/*
 * The variables of the environment: what each may be, first the kinds of values, then the list. Documents and faults are made
 * of it.
 */

/** A schema from a written value to a `T`; its description says what such a value looks like, completing "wants …". */
type Kind<T> = z.ZodType<T, string>;

const like = (pattern: RegExp, wants: string) => z.string().regex(pattern).describe(wants);

const bearerToken = like(/^[!-~]{16,}$/, 'at least 16 visible ASCII characters (openssl rand -hex 32)');

const oneOf = <const T extends string>(...words: readonly T[]) => z.enum(words).describe(words.join(' or '));

/** Several values separated by commas. */
const parts = z.string().transform((written) => written.split(',').map((one) => one.trim()));

/** Several texts separated by commas. */
function list(pattern: RegExp, wants: string) {
  return parts
    .pipe(z.array(z.string().regex(pattern)))
    .readonly()
    .describe(wants);
}

/** Exact names, no patterns: a suffix would trust everybody who can have a name under it. */
const hosts = list(
  /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i,
  'hosts without scheme and path, separated by commas',
);

/** Strict in what it takes: a coerced text alone could also be blank, `3e3` or `0x1F`. */
function integer(from: number, to: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/)
    .pipe(z.coerce.number<string>().min(from).max(to))
    .describe(`a whole number from ${from} to ${to}`);
}

const range = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);

/** Who may say for whom a request was forwarded: addresses or ranges, or how many hops before us. */
const proxies = z
  .union([integer(1, 20), parts.pipe(z.array(range)).readonly()])
  .describe('addresses or ranges such as 10.0.0.0/8, separated by commas, or a number of hops from 1 to 20');

/** A base that paths are appended to, hence without a slash at its end. */
function url(...protocols: readonly string[]) {
  const beginnings = protocols.map((one) => `${one}://`).join(' or ');
  return z
    .url({ protocol: new RegExp(`^(${protocols.join('|')})$`) })
    .transform((written) => new URL(written))
    .refine(({ username, password, search, hash }) => !(username || password || search || hash))
    .transform(({ href }) => href.replace(/(?<!\/)\/+$/, ''))
    .describe(`a URL beginning with ${beginnings}, without user, query and fragment`);
}

const redisUrl = z
  .string()
  .transform((written, context): RedisAddress => {
    const address = parseRedisUrl(written);
    if (address !== null) return address;
    context.addIssue({ code: 'custom' });
    return z.NEVER;
  })
  .describe(
    'redis://host:port or rediss://host:port, several separated by commas, or redis+sentinel://host:port,…/master',
  );

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `20s` -> 20000. */
const durationMs = z
  .string()
  .transform((written) => /^(?<count>\d{1,6})(?<unit>\D+)$/.exec(written)?.groups)
  .pipe(z.object({ count: z.coerce.number<string>(), unit: z.enum(['ms', 's', 'm', 'h']) }))
  .transform(({ count, unit }) => count * UNIT_MS[unit]);

/** No longer than `gapHours` after the one before it, the first after 0, and no longer than `hours` in all. */
function durations(gapHours: number, hours: number) {
  return parts
    .pipe(z.array(durationMs).min(2))
    .readonly()
    .refine((values) => {
      const gaps = values.map((value, index) => value - (values[index - 1] ?? 0));
      const rising = gaps.every((gap) => gap > 0 && gap <= gapHours * UNIT_MS.h);
      return rising && (values.at(-1) ?? 0) <= hours * UNIT_MS.h;
    })
    .describe(
      `at least two rising durations such as 5s,20s,1m, at most ${gapHours} h apart and the last at most ${hours} h`,
    );
}

const key = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=?$/)
  .transform((written) => Buffer.from(written, 'base64'))
  .describe('base64 of 32 bytes (openssl rand -base64 32)');

const timeZone = z
  .string()
  .refine((written) => {
    try {
      return Boolean(new Intl.DateTimeFormat('en', { timeZone: written }));
    } catch {
      return false;
    }
  })
  .describe('an IANA time zone such as Asia/Ho_Chi_Minh');

/** A JSON file with a list of which no two have the same `name`. Each of its issues is a fault with its place in the file. */
function file<Name extends string, Item extends { readonly [key in Name]: string }>(
  schema: z.ZodType<Item>,
  name: Name,
  most = 1000,
) {
  const read = (path: string, context: z.RefinementCtx<string>): readonly Item[] => {
    const fail = (faults: readonly string[]) => {
      for (const message of faults) context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    let content: unknown;
    try {
      content = JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      return fail([`${path} cannot be read: ${error instanceof Error ? error.message : error}`]);
    }
    const list = z.array(schema).max(most, `at most ${most} entries`).safeParse(content);
    if (!list.success)
      return fail(list.error.issues.map((one) => `${place(path, one.path)}: ${one.message}`));
    const names = list.data.map((item) => item[name]);
    const twice = names.flatMap((one, at) => (names.indexOf(one) < at ? [{ one, at }] : []));
    if (twice.length === 0) return list.data;
    return fail(twice.map(({ one, at }) => `${place(path, [at, name])}: ${one} is there already`));
  };
  return z.string().transform(read).describe('a text');
}

/** `gifts.json[2].name.vi` */
function place(path: string, at: readonly PropertyKey[]): string {
  return path + at.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
}

const line = (most: number, wants = 'a text') =>
  z.string().trim().min(1, wants).max(most, `at most ${most} characters`);
/** Longer lines are cut (`src/i18n.ts`). */
const each = (most: number, wants?: string) => z.strictObject(perLocale(() => line(most, wants)));

const gift: z.ZodType<Gift> = z.strictObject({
  // `~` ends a choice id on a button, and 40 characters leave room for the rest of Telegram's 64 bytes.
  code: z.string().regex(/^[!-}]{1,40}$/, '1–40 visible ASCII characters, none of them ~'),
  name: each(100, 'a name'),
  score: z.number().min(0, 'a number from 0'),
  description: each(200).optional(),
  // Platforms fetch it: over http, or with a password in it, they would not, or everybody could read that.
  image: z
    .string()
    .max(1000, 'at most 1000 characters')
    .refine((text) => {
      const url = URL.parse(text);
      return url?.protocol === 'https:' && url.username === '' && url.password === '';
    }, 'an https URL without a password')
    .optional(),
  pickUp: each(200).optional(),
});

const ask = z
  .string()
  .max(200, 'at most 200 characters')
  .refine((asked) => fold(asked) !== '', 'a question');
const answer: z.ZodType<Answer> = z.strictObject({
  // A label of a metric (`bot_questions_total`), in which `none` counts the questions that nothing answered.
  id: z.string().regex(/^(?!none$)[a-z][a-z\d.-]{0,39}$/, '1–40 of a–z 0–9 . -, a letter first, not "none"'),
  asks: z
    .strictObject(perLocale(() => z.array(ask).max(50, 'at most 50 questions').readonly()))
    .refine((asks) => Object.values(asks).some((all) => all.length > 0), 'a question at least'),
  answer: each(1000),
});

/** A host's name or address that is this machine's own. */
export const isHere = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/.test(host);

const hook = z
  .string()
  .refine((written) => {
    const url = URL.parse(written);
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isHere(url.hostname));
    return isSafe && url.username === '' && url.password === '';
  })
  .describe('a URL beginning with https://, or http:// on this machine, without user');

/** A port beside it would be one more word of an IPv6 address, or of a name that nobody has. */
const host = z
  .string()
  .refine((written) => isIP(written) > 0 || /^(?=.*[a-z])[\w.-]+$/i.test(written))
  .describe('a host name or address');

const visible = like(/^[!-~]+$/, 'visible ASCII characters');
const webhookSecret = like(/^[\w-]{1,256}$/, '1–256 of A–Z a–z 0–9 _ -');
const directory = like(/^[\w.-]{1,100}$/, 'an id as Azure shows it');
const contact = like(/^.{1,200}$/u, 'at most 200 characters');

/** What the documents and the faults say about one variable. */
type About = {
  readonly meaning: string;
  /** What a value looks like, completing "wants …". */
  readonly wants: string;
  /** The default as it could be written; where there is none, `absent` says what its absence means. */
  readonly default?: string | undefined;
  readonly absent?: string | undefined;
  readonly secret: boolean;
};

const registry = z.registry<About>();

/** The Bot Framework SDK's own settings, by its own names. It forgets the defaults of all as soon as one of them is set. */
const endpoints = {
  ToBotFromChannelOpenIdMetadataUrl: endpoint('where the service publishes its keys'),
  ToBotFromEmulatorOpenIdMetadataUrl: endpoint('the same for the emulator, which is never believed'),
  ToBotFromChannelTokenIssuer: endpoint('who signs what the service sends'),
  ToChannelFromBotLoginUrl: endpoint('where our own tokens come from'),
  ToChannelFromBotOAuthScope: endpoint('what they are for'),
  OAuthUrl: endpoint('where people would sign in'),
};
/** All six of them. */
export const allEndpoints = z.object(endpoints).required();
export const ENDPOINTS = allEndpoints.keyof().options;

/** The environment as text -> typed values: the one place that lists the variables (docs/configuration.md). */
export const variables = z.object({
  NODE_ENV: set(oneOf('production', 'development', 'test'), 'development', '`production`: no embedded parts'),
  HOST: set(host, '127.0.0.1', 'where to listen'),
  PORT: set(integer(0, 65_535), '3000', 'where to listen; 0 = any free port'),
  ADMIN_PORT: may(
    integer(0, 65_535),
    'the same port',
    'metrics (without a token there), staff and operator routes, console and API page on a port of their own, on `HOST`; `PORT` keeps the webhooks and the health routes',
  ),
  PUBLIC_URL: may(url('https'), 'no webhook', 'the public https base, where Telegram finds the webhook'),
  TRUST_PROXY: may(proxies, 'nobody', 'whose `X-Forwarded-For` is believed, for limits per address alone'),
  LOG_LEVEL: set(
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    "pino's levels",
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: may(
    url('https', 'http'),
    'no traces',
    "an OpenTelemetry collector (OTLP over HTTP): traces are sent there; OpenTelemetry's other variables hold, too",
  ),
  REDIS_URL: secret(
    redisUrl,
    'embedded memory store',
    '`redis://…`, `rediss://…`; several nodes separated by commas = Redis Cluster; `redis+sentinel://host:26379,…/<master>` (or `rediss+sentinel`) = Redis Sentinel',
  ),
  REDIS_WAIT_REPLICAS: set(integer(0, 10), '0', 'replicas that must have an intent before points are spent'),
  ANTCRM_BASE_URL: may(url('https', 'http'), 'a sandbox', 'e.g. `https://apiring.antbuddy.com`'),
  ANTCRM_API_KEY: secret(visible, undefined, 'sent as header `apikey`; required with `ANTCRM_BASE_URL`'),
  ANTCRM_TIMEOUT_MS: set(integer(1, 120_000), '8000', 'deadline of one call'),
  ANTCRM_MAX_CALLS: set(integer(1, 1000), '32', 'calls to AntCRM at once, in each process'),
  ANTCRM_CONTACTS: set(oneOf('on', 'off'), 'on', '`off` where the backend has no `/contacts` (warned about)'),
  // Between two checks the customer's lock lives on (2 h), until the last one what settled other operations (24 h).
  OPERATION_CHECKS: set(
    durations(1.5, 12),
    '5s,20s,1m,5m,30m',
    'when an operation without an outcome is looked up, from when its call can reach AntCRM no more (`ANTCRM_TIMEOUT_MS`); not applied is told at the last but one',
  ),
  GIFTS_FILE: may(
    file(gift, 'code'),
    'sandbox: its own gifts',
    'JSON list of gifts `{ "code", "name": { "vi", "en" }, "score", "description"?: { "vi", "en" }, "image"?: https URL, "pickUp"?: { "vi", "en" } }`: lets customers pick a gift, see its price and, once redeemed, where to get it',
  ),
  CODE_PREFIXES: may(
    list(/^[A-Za-z0-9._-]{2,20}$/, 'beginnings of codes such as TIVI,TULANH, separated by commas'),
    'sandbox: its own',
    'how the codes on products begin: one that nearly does (`tivi0…`, `TlVI0…`, the letter O for 0) is asked about before it is sent',
  ),
  ANSWERS_FILE: may(
    // Each is compared with every question, and has a series of the metric.
    file(answer, 'id', 100),
    'built-in answers',
    'JSON list of `{ "id", "asks": { "vi": […], "en": […] }, "answer": { "vi", "en" } }`: the operator\'s answers to customers\' questions; one with the id of a built-in answer replaces it',
  ),
  TELEGRAM_BOT_TOKEN: secret(like(/^\d+:[\w-]+$/, '<number>:<letters>'), 'channel off', 'from BotFather'),
  TELEGRAM_WEBHOOK_SECRET: secret(webhookSecret, undefined, 'required with the token in webhook mode'),
  TELEGRAM_API_ROOT: set(url('https', 'http'), 'https://api.telegram.org', 'also a local Bot API server'),
  TELEGRAM_MODE: set(oneOf('webhook', 'polling'), 'webhook', '`polling`: development without a public URL'),
  TELEGRAM_MESSAGES_PER_SECOND: set(
    integer(1, 10_000),
    '30',
    'of this process: divide between several; more where bought',
  ),
  TELEGRAM_CHAT_BURST: set(integer(1, 10_000), '3', 'messages a second to one chat'),
  MICROSOFT_APP_ID: may(directory, 'channel off', 'the id of the Azure Bot; `CLIENT_ID`, where it is unset'),
  MICROSOFT_APP_PASSWORD: secret(visible, undefined, 'its client secret; `CLIENT_SECRET`, where it is unset'),
  MICROSOFT_APP_TYPE: may(
    oneOf('SingleTenant', 'UserAssignedMSI', 'MultiTenant'),
    '`SingleTenant` with a tenant, else `MultiTenant`',
    'how the bot is registered; `UserAssignedMSI` has no client secret',
  ),
  MICROSOFT_APP_TENANT_ID: may(directory, undefined, 'its directory; `TENANT_ID`, where it is unset'),
  ...endpoints,
  TEAMS_SERVICE_HOSTS: may(hosts, "Microsoft's Teams connectors", 'who may receive our replies and token'),
  TEAMS_TENANTS: may(
    list(/^[\w.-]{1,100}$/, 'ids of directories, separated by commas'),
    '`MICROSOFT_APP_TENANT_ID`',
    'directories whose profile e-mail counts as proved',
  ),
  TEAMS_AUTH: set(
    oneOf('on', 'off'),
    'on',
    '`off` only while `HOST` is loopback, without `PUBLIC_URL` and not in production: for a local playground; also switches the channel on without an app id',
  ),
  STATE_KEY: secret(key, 'a development key', 'seals personal data in Redis; required in production'),
  STATE_KEY_PREVIOUS: secret(key, undefined, 'the key before `STATE_KEY`: what it sealed can still be read'),
  HASH_KEY: secret(key, 'a development key', 'names keys and logs; never rotated; required in production'),
  STAFF_TOKEN: secret(
    bearerToken,
    'open to loopback callers while the sandbox is the backend, else absent',
    'bearer token of the staff webhook, the console, `/docs`, `/sandbox/*` and, without `ADMIN_PORT`, `/metrics`',
  ),
  OPERATOR_TOKEN: secret(bearerToken, 'routes absent', 'bearer token of `/operations`: settling, replaying'),
  DEFAULT_LOCALE: set(oneOf(...LOCALES), 'vi', "until the customer's client or choice says otherwise"),
  TIME_ZONE: set(timeZone, 'Asia/Ho_Chi_Minh', 'dates shown and typed'),
  SUPPORT_CONTACT: may(contact, undefined, 'hotline or link to reach a person; required in production'),
  HANDOVER: may(oneOf('on', 'off'), '`on` where staff routes are', '`off`: only `SUPPORT_CONTACT` is given'),
  HANDOVER_WEBHOOK: secret(
    hook,
    undefined,
    'URL that gets `{ "ticket", "channel", "reason", "openedAt" }` when somebody asks for a person: nothing personal',
  ),
  IDENTITY_PROOF: set(oneOf('required', 'off'), 'required', '`off`: a typed contact is believed (kiosk use)'),
});

export type Variables = z.output<typeof variables>;
export type VariableName = keyof Variables;

/** Every variable in the order of the documents: docs/configuration.md and `.env.example` are made of it. */
export const documentation: readonly (About & { readonly name: string })[] = Object.entries(
  variables.shape,
).flatMap(([name, schema]) => {
  const about = registry.get(schema);
  return about ? [{ name, ...about }] : [];
});

/** A variable with a default. */
function set<T>(kind: Kind<T>, fallback: string, meaning: string) {
  const about = { meaning, wants: kind.description ?? '', default: fallback, secret: false };
  return kind.prefault(fallback).register(registry, about);
}

/** A variable that may be absent. */
function may<T>(kind: Kind<T>, absent: string | undefined, meaning: string) {
  return kind
    .optional()
    .register(registry, { meaning, wants: kind.description ?? '', absent, secret: false });
}

/** A variable that may be absent, and whose value is shown nowhere. */
function secret<T>(kind: Kind<T>, absent: string | undefined, meaning: string) {
  return kind.optional().register(registry, { meaning, wants: kind.description ?? '', absent, secret: true });
}

function endpoint(what: string) {
  const meaning = `for sovereign clouds and local tests, all six or none: ${what}`;
  return may(like(/^https?:\/\/\S+$/, 'a URL'), 'public cloud', meaning);
}
