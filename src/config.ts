import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readAnswers } from './config/answers.ts';
import { readGifts } from './config/gifts.ts';
import type { ListRead } from './config/list-file.ts';
import { misspelt } from './config/misspelt.ts';
import { teams, teamsConflicts } from './config/teams.ts';
import { documentation, type VariableName, type Variables, variables } from './config/variables.ts';
import type { Gift, Settings } from './conversation/context.ts';
import type { Answer } from './conversation/language/answers.ts';

/** What a process that cannot start for its configuration exits with (sysexits.h: EX_CONFIG). */
export const EXIT_CONFIG = 78;

/** The configuration, arranged by who needs it. */
export type Config = ReturnType<typeof arrange>;

export type ConfigRead =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly faults: readonly string[]; readonly warnings: readonly string[] };

/** Variables as the process has them. Blank ones count as unset. */
export type Environment = Readonly<Record<string, string | undefined>>;

type Written = Readonly<Partial<Record<VariableName, string>>>;

/** The process's environment, `.env` of the working directory filling in what is unset. */
export function environment(): Environment {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}

/**
 * Reads the whole configuration. Never throws: every fault there is comes back at once, one line each, naming the
 * variable, what it got (secrets masked) and what it wants. Warnings are one line each, too; beside faults they are
 * about misspelt names only, which may be what is behind a variable that got nothing.
 */
export function readConfig(env: Environment): ConfigRead {
  const written = writtenIn(env);
  const read = variables.safeParse(written);
  // A value that is wrong in several ways is one fault.
  const names = new Set(read.error?.issues.map(({ path }) => String(path[0])));
  const wrong = [...names].map((name) => wrongValue(name, written));
  const gifts = written.GIFTS_FILE === undefined ? undefined : readGifts(written.GIFTS_FILE);
  const answers = written.ANSWERS_FILE === undefined ? undefined : readAnswers(written.ANSWERS_FILE);
  const unreadable = [...faultsIn('GIFTS_FILE', gifts), ...faultsIn('ANSWERS_FILE', answers)];
  const faults = [...wrong, ...unreadable, ...conflicts(written)];
  const unknown = misspelt(env);
  if (!read.success || faults.length > 0) return { ok: false, faults, warnings: unknown };
  const config = arrange(read.data, {
    gifts: gifts?.ok ? gifts.items : undefined,
    answers: answers?.ok ? answers.items : [],
  });
  return { ok: true, config, warnings: [...unknown, ...warnings(written, config)] };
}

function faultsIn(name: VariableName, file: ListRead<unknown> | undefined): string[] {
  return file?.ok === false ? file.faults.map((fault) => `${name}: ${fault}`) : [];
}

function writtenIn(env: Environment): Written {
  return Object.fromEntries(
    documentation.flatMap(({ name }) => {
      const value = env[name]?.trim();
      return value ? [[name, value]] : [];
    }),
  );
}

function wrongValue(name: string, written: Environment): string {
  const about = documentation.find((one) => one.name === name);
  const value = written[name] ?? '';
  const shown = about?.secret ? `a secret of ${value.length} characters` : JSON.stringify(masked(value));
  return `${name}: got ${shown}, wants ${about?.wants}`;
}

/** A URL's user and password are secrets wherever they turn up. */
function masked(value: string): string {
  const short = value.length > 100 ? `${value.slice(0, 99)}…` : value;
  return short.replace(/\/\/[^/@]*@/, '//***@');
}

/** Values that are right by themselves and wrong, or dangerous, together. */
function conflicts(written: Written): string[] {
  const production = written.NODE_ENV === 'production';
  const polling = written.TELEGRAM_MODE === 'polling';
  const replicas = Number(written.REDIS_WAIT_REPLICAS) > 0;
  const needed: readonly [name: VariableName, needed: boolean, wants: string][] = [
    ['REDIS_URL', production, 'a Redis while NODE_ENV=production: the embedded store forgets everything'],
    ['REDIS_URL', !production && replicas, 'the Redis whose replicas REDIS_WAIT_REPLICAS waits for'],
    ['ANTCRM_BASE_URL', production, 'the real AntCRM while NODE_ENV=production: the sandbox is a toy'],
    ['ANTCRM_API_KEY', written.ANTCRM_BASE_URL !== undefined, 'the key of ANTCRM_BASE_URL'],
    [
      'TELEGRAM_WEBHOOK_SECRET',
      written.TELEGRAM_BOT_TOKEN !== undefined && !polling,
      'a secret while TELEGRAM_BOT_TOKEN is set (or TELEGRAM_MODE=polling): anybody could post updates',
    ],
    ['STATE_KEY', production, 'base64 of 32 bytes while NODE_ENV=production'],
    [
      'STATE_KEY',
      !production && written.STATE_KEY_PREVIOUS !== undefined,
      'the key after STATE_KEY_PREVIOUS',
    ],
    ['HASH_KEY', production, 'base64 of 32 bytes while NODE_ENV=production'],
    [
      'SUPPORT_CONTACT',
      production,
      'the hotline or link for whoever asks for a person, while NODE_ENV=production',
    ],
  ];
  const missing = needed.flatMap(([name, isNeeded, wants]) =>
    isNeeded && written[name] === undefined ? [`${name}: got nothing, wants ${wants}`] : [],
  );
  return [...missing, ...clashes(written), ...teamsConflicts(written)];
}

/** Values that must differ. */
function clashes({ PORT = '3000', ADMIN_PORT, STAFF_TOKEN, OPERATOR_TOKEN }: Written): string[] {
  const equal: readonly [boolean, string][] = [
    [
      ADMIN_PORT !== undefined && Number(ADMIN_PORT) !== 0 && Number(ADMIN_PORT) === Number(PORT),
      "ADMIN_PORT: got PORT's, wants a port of its own (or none at all)",
    ],
    [
      OPERATOR_TOKEN !== undefined && OPERATOR_TOKEN === STAFF_TOKEN,
      'OPERATOR_TOKEN: got STAFF_TOKEN, wants another one: who tests the bot must not settle operations',
    ],
  ];
  return equal.flatMap(([applies, fault]) => (applies ? [fault] : []));
}

function arrange(
  values: Variables,
  { gifts, answers }: { readonly gifts: readonly Gift[] | undefined; readonly answers: readonly Answer[] },
) {
  return {
    production: values.NODE_ENV === 'production',
    listen: { host: values.HOST, port: values.PORT },
    /** Undefined: staff and operators are served on the same port as everybody. */
    adminPort: values.ADMIN_PORT,
    publicUrl: values.PUBLIC_URL,
    trustProxy: values.TRUST_PROXY,
    logLevel: values.LOG_LEVEL,
    /** Where traces go; undefined: nowhere. */
    tracesEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    redis: redis(values),
    antcrm: {
      real: realAntcrm(values),
      timeoutMs: values.ANTCRM_TIMEOUT_MS,
      maxCalls: values.ANTCRM_MAX_CALLS,
      contacts: values.ANTCRM_CONTACTS,
    },
    telegram: telegram(values),
    teams: teams(values),
    keys: {
      state: values.STATE_KEY ?? developmentKey('state'),
      statePrevious: values.STATE_KEY_PREVIOUS,
      hash: values.HASH_KEY ?? developmentKey('hash'),
    },
    staffToken: values.STAFF_TOKEN,
    operatorToken: values.OPERATOR_TOKEN,
    /** Undefined: no file; the sandbox has gifts of its own. */
    gifts,
    /** Undefined: unset; the sandbox has some of its own. */
    codePrefixes: values.CODE_PREFIXES,
    /** The operator's, beside the built-in ones or in place of them. */
    answers,
    settings: {
      defaultLocale: values.DEFAULT_LOCALE,
      timeZone: values.TIME_ZONE,
      supportContact: values.SUPPORT_CONTACT,
      identityProof: values.IDENTITY_PROOF,
      operationChecksMs: values.OPERATION_CHECKS,
    } satisfies Omit<Settings, 'gifts' | 'codePrefixes'>,
  };
}

/** Undefined: the embedded memory store. */
function redis({ REDIS_URL: address, REDIS_WAIT_REPLICAS: waitReplicas }: Variables) {
  return address === undefined ? undefined : { address, waitReplicas };
}

/** Undefined: the sandbox is the backend. */
function realAntcrm({ ANTCRM_BASE_URL: baseUrl, ANTCRM_API_KEY: apiKey }: Variables) {
  return baseUrl === undefined ? undefined : { baseUrl, apiKey: known('ANTCRM_API_KEY', apiKey) };
}

/** Undefined: the channel is off. */
function telegram(values: Variables) {
  const token = values.TELEGRAM_BOT_TOKEN;
  if (token === undefined) return undefined;
  const apiRoot = values.TELEGRAM_API_ROOT;
  const rates = {
    perSecond: values.TELEGRAM_MESSAGES_PER_SECOND,
    chatBurst: values.TELEGRAM_CHAT_BURST,
  };
  if (values.TELEGRAM_MODE === 'polling') return { token, apiRoot, rates, mode: 'polling' as const };
  const secret = known('TELEGRAM_WEBHOOK_SECRET', values.TELEGRAM_WEBHOOK_SECRET);
  return { token, apiRoot, rates, mode: 'webhook' as const, secret };
}

/** A value that `conflicts` has asked for. */
function known(name: VariableName, value: string | undefined): string {
  if (value === undefined) throw new Error(`${name} is missing and was not reported`);
  return value;
}

/** Known to everybody who reads this: so that a restart of a developer's bot can read what it stored. */
function developmentKey(purpose: string): Buffer {
  return createHash('sha256').update(`antcrm-chatbot development key: ${purpose}`).digest();
}

function warnings(written: Written, config: Config): string[] {
  const said: readonly [boolean, string][] = [
    [
      config.settings.identityProof === 'off',
      'IDENTITY_PROOF=off: whoever types a phone or e-mail can read its history and spend its points',
    ],
    [
      config.antcrm.contacts === 'off',
      "ANTCRM_CONTACTS=off: no linking check, so an accumulation can tie an e-mail to somebody else's phone",
    ],
    [
      written.TEAMS_AUTH === 'off',
      'TEAMS_AUTH=off: every program on this machine can speak for anybody on Teams',
    ],
    [
      config.redis !== undefined && (written.STATE_KEY === undefined || written.HASH_KEY === undefined),
      'STATE_KEY or HASH_KEY is unset: what is stored in Redis is sealed with a key that everybody knows',
    ],
    [
      config.antcrm.real?.baseUrl.startsWith('http:') === true && !isLoopback(config.antcrm.real.baseUrl),
      'ANTCRM_BASE_URL is http: the API key and personal data travel unencrypted',
    ],
    [
      written.ANTCRM_API_KEY !== undefined && config.antcrm.real === undefined,
      'ANTCRM_API_KEY is set and ANTCRM_BASE_URL is not: the sandbox is the backend',
    ],
    [
      config.publicUrl !== undefined && config.trustProxy === undefined,
      "TRUST_PROXY is unset with PUBLIC_URL: to the limits per address all strangers are one, the proxy's",
    ],
    [
      config.staffToken !== undefined && config.antcrm.real !== undefined,
      'STAFF_TOKEN with a real AntCRM: what staff earn and spend is real, and audited',
    ],
  ];
  return said.flatMap(([applies, warning]) => (applies ? [warning] : []));
}

function isLoopback(url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
}
