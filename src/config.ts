import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  allEndpoints,
  documentation,
  ENDPOINTS,
  isHere,
  type VariableName,
  type Variables,
  variables,
} from './config/variables.ts';
import type { Settings } from './conversation/context.ts';

/** What a process that cannot start for its configuration exits with (sysexits.h: EX_CONFIG). */
export const EXIT_CONFIG = 78;

/** Variables as the process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Those of ours that are set, as they are written. Blank ones count as unset. */
type Written = Readonly<Partial<Record<VariableName, string>>>;

export type ConfigRead =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly faults: readonly string[]; readonly warnings: readonly string[] };

/** The process's environment, `.env` of the working directory filling in what is unset. Ends a process that cannot read it. */
export function environment(): Environment {
  try {
    if (existsSync('.env')) process.loadEnvFile('.env');
  } catch (error) {
    console.error(
      `.env: got what cannot be read (${error instanceof Error ? error.message : error}), wants a file`,
    );
    process.exit(EXIT_CONFIG);
  }
  return process.env;
}

/**
 * Reads the configuration, all of it or of `only` these variables: a tool wants no more than it uses. Never throws: every
 * fault there is comes back at once, one line each, naming the variable, what it got (secrets masked) and what it wants.
 * Warnings are one line each, too; beside faults they are about misspelt names only, which may be what is behind a
 * variable that got nothing.
 */
export function readConfig(env: Environment, only?: readonly VariableName[]): ConfigRead {
  const names: readonly string[] = only ?? documentation.map(({ name }) => name);
  const written: Written = Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name]?.trim() || ofTeamsCli(env, name)?.trim();
      return value ? [[name, value]] : [];
    }),
  );
  const read = variables.safeParse(written);
  const wrong = (read.error?.issues ?? []).map(({ path: [name], message }) =>
    faultOf(String(name), message, written),
  );
  const isAsked = (fault: string): boolean => names.some((name) => fault.startsWith(`${name}:`));
  // A value that is wrong in several ways is one fault.
  const faults = [...new Set(wrong), ...conflicts(written).filter(isAsked)];
  const unknown = misspelt(env);
  if (!read.success || faults.length > 0) return { ok: false, faults, warnings: unknown };
  const config = arrange(read.data);
  return { ok: true, config, warnings: [...unknown, ...warnings(written, config)] };
}

/** What the Teams CLI calls it, where it has written both an id and a secret: others have variables of these names, too. */
function ofTeamsCli({ CLIENT_ID, CLIENT_SECRET, TENANT_ID }: Environment, name: string): string | undefined {
  if (!CLIENT_ID || !CLIENT_SECRET) return undefined;
  const known = new Map([
    ['MICROSOFT_APP_ID', CLIENT_ID],
    ['MICROSOFT_APP_PASSWORD', CLIENT_SECRET],
    ['MICROSOFT_APP_TENANT_ID', TENANT_ID],
  ]);
  return known.get(name);
}

/** `message` counts for files alone, of which each fault is told. */
function faultOf(name: string, message: string, written: Environment): string {
  if (name.endsWith('_FILE')) return `${name}: ${message}`;
  const about = documentation.find((one) => one.name === name);
  const value = written[name] ?? '';
  // A URL's user and password are secrets wherever they turn up.
  const shown = value.replace(/\/\/[^/@]*@/, '//***@');
  const short = shown.length > 100 ? `${shown.slice(0, 99)}…` : shown;
  const got = about?.secret ? `a secret of ${value.length} characters` : JSON.stringify(short);
  return `${name}: got ${got}, wants ${about?.wants}`;
}

/** The lines that apply. */
const applying = (lines: readonly (readonly [applies: boolean, line: string])[]): string[] =>
  lines.flatMap(([applies, line]) => (applies ? [line] : []));

/** Values that are right by themselves and wrong, or dangerous, together. */
function conflicts(written: Written): string[] {
  const isSet = (name: VariableName): boolean => written[name] !== undefined;
  const { HOST: host = '127.0.0.1', PORT = '3000', ADMIN_PORT, STAFF_TOKEN, OPERATOR_TOKEN } = written;
  const production = written.NODE_ENV === 'production';
  const off = written.TEAMS_AUTH === 'off';
  const type = appType(written.MICROSOFT_APP_TYPE, written.MICROSOFT_APP_TENANT_ID);
  const isMsi = type === 'UserAssignedMSI';
  const hasApp = !off && isSet('MICROSOFT_APP_ID');
  const waits = !production && Number(written.REDIS_WAIT_REPLICAS) > 0;
  const hasWebhook = isSet('TELEGRAM_BOT_TOKEN') && written.TELEGRAM_MODE !== 'polling';
  const isOfApp = !off && (isSet('MICROSOFT_APP_PASSWORD') || isSet('MICROSOFT_APP_TYPE'));
  const previous = !production && isSet('STATE_KEY_PREVIOUS');
  const needed: readonly (readonly [name: VariableName, isNeeded: boolean, wants: string])[] = [
    ['REDIS_URL', production, 'a Redis while NODE_ENV=production: the embedded store forgets everything'],
    ['REDIS_URL', waits, 'the Redis whose replicas REDIS_WAIT_REPLICAS waits for'],
    ['ANTCRM_BASE_URL', production, 'the real AntCRM while NODE_ENV=production: the sandbox is a toy'],
    ['ANTCRM_API_KEY', isSet('ANTCRM_BASE_URL'), 'the key of ANTCRM_BASE_URL'],
    [
      'TELEGRAM_WEBHOOK_SECRET',
      hasWebhook,
      'a secret (or TELEGRAM_MODE=polling): anybody could post updates',
    ],
    ['STATE_KEY', production, 'base64 of 32 bytes while NODE_ENV=production'],
    ['STATE_KEY', previous, 'the key after STATE_KEY_PREVIOUS'],
    ['HASH_KEY', production, 'base64 of 32 bytes while NODE_ENV=production'],
    ['SUPPORT_CONTACT', production, 'the hotline or link for customers, while NODE_ENV=production'],
    ['MICROSOFT_APP_ID', isOfApp, 'the id that MICROSOFT_APP_PASSWORD or MICROSOFT_APP_TYPE belongs to'],
    [
      'MICROSOFT_APP_PASSWORD',
      hasApp && !isMsi,
      'the secret of MICROSOFT_APP_ID (none with UserAssignedMSI)',
    ],
    ['MICROSOFT_APP_TENANT_ID', hasApp && type !== 'MultiTenant', `the directory of a ${type} app`],
    ...ENDPOINTS.map((name) => {
      return [name, ENDPOINTS.some(isSet), 'a URL: all six settings of the SDK are set, or none'] as const;
    }),
  ];
  const samePort = ADMIN_PORT !== undefined && Number(ADMIN_PORT) === Number(PORT) && Number(PORT) !== 0;
  const sameToken = OPERATOR_TOKEN !== undefined && OPERATOR_TOKEN === STAFF_TOKEN;
  const open = 'TEAMS_AUTH: got "off", wants "on": anybody could speak for anybody';
  return [
    ...needed.flatMap(([name, isNeeded, wants]) =>
      isNeeded && !isSet(name) ? [`${name}: got nothing, wants ${wants}`] : [],
    ),
    ...applying([
      [samePort, "ADMIN_PORT: got PORT's, wants a port of its own (or none at all)"],
      [sameToken, 'OPERATOR_TOKEN: got STAFF_TOKEN, wants another one: who tests must not settle operations'],
      [
        hasApp && isMsi && isSet('MICROSOFT_APP_PASSWORD'),
        'MICROSOFT_APP_PASSWORD: got a secret, wants none',
      ],
      [off && !isHere(host), `${open} while HOST=${host} is not loopback`],
      [off && (isSet('PUBLIC_URL') || production), `${open} with PUBLIC_URL or NODE_ENV=production`],
    ]),
  ];
}

/** What is right and dangerous all the same, one line each. */
function warnings(written: Written, { settings, antcrm, redis, ...config }: Config): string[] {
  const { real } = antcrm;
  const hasOurKeys = written.STATE_KEY !== undefined && written.HASH_KEY !== undefined;
  const isBare = real?.baseUrl.startsWith('http:') === true && !isHere(new URL(real.baseUrl).hostname);
  const isToy = written.ANTCRM_API_KEY !== undefined && real === undefined;
  const isOneProxy = config.publicUrl !== undefined && config.trustProxy === undefined;
  return applying([
    [
      settings.identityProof === 'off',
      'IDENTITY_PROOF=off: whoever types a phone or e-mail can read and spend',
    ],
    [antcrm.contacts === 'off', "ANTCRM_CONTACTS=off: points can tie an e-mail to somebody else's phone"],
    [written.TEAMS_AUTH === 'off', 'TEAMS_AUTH=off: every program on this machine can speak for anybody'],
    [
      redis !== undefined && !hasOurKeys,
      'STATE_KEY or HASH_KEY is unset: everybody knows the key of the store',
    ],
    [isBare, 'ANTCRM_BASE_URL is http: the API key and personal data travel unencrypted'],
    [isToy, 'ANTCRM_API_KEY is set and ANTCRM_BASE_URL is not: the sandbox is the backend'],
    [isOneProxy, "TRUST_PROXY is unset with PUBLIC_URL: all strangers are one, the proxy's, to the limits"],
    [
      config.staffToken !== undefined && real !== undefined,
      'STAFF_TOKEN with a real AntCRM: what staff earn and spend is real, and audited',
    ],
  ]);
}

/** What begins so is meant for us, but for what Kubernetes and Docker set for a service that is called `redis`. */
const OURS =
  /^(TELEGRAM|ANTCRM|REDIS|STAFF|TEAMS|MICROSOFT_APP|TRUST)_(?!.*SERVICE_(HOST|PORT)|PORT(_\d+_|$))/;

/** One warning for each variable that looks like ours and is none. */
function misspelt(env: Environment): string[] {
  const unknown = Object.keys(env).filter((name) => OURS.test(name) && !(name in variables.shape));
  return unknown.map((name) => `${name} is no variable of the bot and does nothing (docs/configuration.md)`);
}

/** The configuration, arranged by who needs it. */
export type Config = ReturnType<typeof arrange>;

function arrange(values: Variables) {
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
    /** Undefined: the embedded memory store. */
    redis: given(values.REDIS_URL, (address) => ({ address, waitReplicas: values.REDIS_WAIT_REPLICAS })),
    antcrm: {
      /** Undefined: the sandbox is the backend. */
      real: given(values.ANTCRM_BASE_URL, (baseUrl) => ({
        baseUrl,
        apiKey: known('ANTCRM_API_KEY', values),
      })),
      timeoutMs: values.ANTCRM_TIMEOUT_MS,
      maxCalls: values.ANTCRM_MAX_CALLS,
      contacts: values.ANTCRM_CONTACTS,
    },
    /** Undefined: the channel is off. */
    telegram: given(values.TELEGRAM_BOT_TOKEN, (token) => ({
      token,
      apiRoot: values.TELEGRAM_API_ROOT,
      rates: { perSecond: values.TELEGRAM_MESSAGES_PER_SECOND, chatBurst: values.TELEGRAM_CHAT_BURST },
      ...(values.TELEGRAM_MODE === 'polling'
        ? { mode: 'polling' as const }
        : { mode: 'webhook' as const, secret: known('TELEGRAM_WEBHOOK_SECRET', values) }),
    })),
    teams: teams(values),
    keys: {
      state: values.STATE_KEY ?? developmentKey('state'),
      statePrevious: values.STATE_KEY_PREVIOUS,
      hash: values.HASH_KEY ?? developmentKey('hash'),
    },
    staffToken: values.STAFF_TOKEN,
    operatorToken: values.OPERATOR_TOKEN,
    /** Undefined: no file; the sandbox has gifts of its own. */
    gifts: values.GIFTS_FILE,
    /** Undefined: unset; the sandbox has some of its own. */
    codePrefixes: values.CODE_PREFIXES,
    /** The operator's, beside the built-in ones or in place of them. */
    answers: values.ANSWERS_FILE ?? [],
    handoverWebhook: values.HANDOVER_WEBHOOK,
    settings: {
      defaultLocale: values.DEFAULT_LOCALE,
      timeZone: values.TIME_ZONE,
      supportContact: values.SUPPORT_CONTACT,
      identityProof: values.IDENTITY_PROOF,
      handover: values.HANDOVER !== 'off' && hasStaffRoutes(values),
      operationChecksMs: values.OPERATION_CHECKS,
    } satisfies Omit<Settings, 'gifts' | 'codePrefixes'>,
  };
}

const given = <Value, Made>(value: Value | undefined, make: (value: Value) => Made): Made | undefined =>
  value === undefined ? undefined : make(value);

/** Whether there is anybody who may use the staff routes (`src/http/guard.ts`). */
function hasStaffRoutes({ STAFF_TOKEN, ANTCRM_BASE_URL, PUBLIC_URL }: Variables): boolean {
  return STAFF_TOKEN !== undefined || (ANTCRM_BASE_URL === undefined && PUBLIC_URL === undefined);
}

/** Undefined: the channel is off. Without a registration, it is on without any authentication. */
function teams(values: Variables) {
  const { MICROSOFT_APP_ID: appId, MICROSOFT_APP_TENANT_ID: tenant, TEAMS_AUTH: auth } = values;
  if (appId === undefined && auth === 'on') return undefined;
  /** Undefined: the public cloud. */
  const endpoints = allEndpoints.safeParse(values).data;
  const type = appType(values.MICROSOFT_APP_TYPE, tenant);
  const app = { password: values.MICROSOFT_APP_PASSWORD, tenant, type, endpoints };
  const registration = given(auth === 'off' ? undefined : appId, (appId) => ({ appId, ...app }));
  const trustedTenants = values.TEAMS_TENANTS ?? (tenant === undefined ? [] : [tenant]);
  return { registration, serviceHosts: values.TEAMS_SERVICE_HOSTS, trustedTenants };
}

/** Where it is not told, the directory tells. */
function appType<Type extends string>(type: Type | undefined, tenant: string | undefined) {
  return type ?? (tenant === undefined ? 'MultiTenant' : 'SingleTenant');
}

/** A value that `conflicts` has asked for. */
function known(name: 'ANTCRM_API_KEY' | 'TELEGRAM_WEBHOOK_SECRET', values: Variables): string {
  const value = values[name];
  if (value === undefined) throw new Error(`${name} is missing and was not reported`);
  return value;
}

/** Known to every reader of this code, so that a developer's bot can read after a restart what it stored before. */
function developmentKey(purpose: string): Buffer {
  return createHash('sha256').update(`antcrm-chatbot development key: ${purpose}`).digest();
}
