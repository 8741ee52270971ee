import { createHash } from 'node:crypto';
import type { Gift, Settings } from '../conversation/context.ts';
import type { Answer } from '../conversation/language/answers.ts';
import { teams } from './teams.ts';
import type { VariableName, Variables } from './variables.ts';

/** The configuration, arranged by who needs it. */
export type Config = ReturnType<typeof arrange>;

export function arrange(
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

/** Known to every reader of this code, so that a developer's bot can read after a restart what it stored before. */
function developmentKey(purpose: string): Buffer {
  return createHash('sha256').update(`antcrm-chatbot development key: ${purpose}`).digest();
}
