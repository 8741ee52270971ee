import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConfigurationBotFrameworkAuthentication,
  ConfigurationServiceClientCredentialFactory,
} from 'botbuilder';
import { AppCredentials, EmulatorValidation } from 'botframework-connector';
import { LRUCache } from 'lru-cache';
import type { Log } from '../../observability/log.ts';
import { readClaims } from './claims.ts';
import { runQuietly } from './quiet.ts';

/** The Azure Bot registration, and its cloud. */
export type Registration = {
  readonly appId: string;
  readonly type: 'SingleTenant' | 'UserAssignedMSI' | 'MultiTenant';
  /** Absent with `UserAssignedMSI` only. */
  readonly password?: string | undefined;
  /** Absent with `MultiTenant` only. */
  readonly tenant?: string | undefined;
  /** Undefined: Microsoft's public cloud. */
  readonly endpoints?: Endpoints | undefined;
};

/** The public cloud, as in the SDK's `AuthenticationConstants`, which it does not export. */
export const PUBLIC_CLOUD = {
  ToBotFromChannelOpenIdMetadataUrl: 'https://login.botframework.com/v1/.well-known/openidconfiguration',
  ToBotFromChannelTokenIssuer: 'https://api.botframework.com',
  ToChannelFromBotLoginUrl: 'https://login.microsoftonline.com/botframework.com',
  ToChannelFromBotOAuthScope: 'https://api.botframework.com',
} as const;

/** The SDK's settings, by its names. If some are given, the SDK has no defaults for the others. */
export type Endpoints = Readonly<
  Record<keyof typeof PUBLIC_CLOUD | 'ToBotFromEmulatorOpenIdMetadataUrl' | 'OAuthUrl', string>
>;

/**
 * - `valid`: the service signed the token for us. `serviceUrl`: the only connector whose activities it
 *   covers; undefined for any.
 * - `unavailable`: the service's keys cannot be fetched now, so the token is neither good nor bad.
 */
export type Verdict =
  | { readonly kind: 'valid'; readonly serviceUrl: string | undefined }
  | { readonly kind: 'refused' | 'unavailable' };

/** Tokens between the Bot Framework service and us, in both directions. */
export interface Cloud {
  /** Verifies a request's `Authorization` header, before the body is read. Never rejects. */
  verify(authorization: string): Promise<Verdict>;
  /** False if the service's keys could not be fetched for the last token. */
  hasKeys(): boolean;
  /** Our token for the connector, null if it needs none. `renewed`: no cached one. May reject. */
  token(renewed?: boolean): Promise<string | null>;
}

/** No authentication, for a playground on this machine (`TEAMS_AUTH=off`). */
export const NO_CLOUD: Cloud = {
  verify: async () => ({ kind: 'valid', serviceUrl: undefined }),
  hasKeys: () => true,
  token: async () => null,
};

/**
 * The service uses a token for thousands of requests. A verified token is trusted for this time, because the
 * verification takes as much of the processor as half a turn (SECURITY.md, "What does not protect").
 */
const VERIFIED_MS = 5 * 60_000;
const MAX_VERIFIED = 100;

/** The name of Teams in activities, and in the endorsements of the keys that may sign for it. */
export const CHANNEL = 'msteams';

/** Longest call of the SDK, which has no time limit. */
const PATIENCE_MS = 5_000;

const { issuer: EMULATOR_ISSUERS } = EmulatorValidation.ToBotFromEmulatorTokenValidationParameters;

/** Tokens by the Bot Framework SDK, in both directions. */
export class SdkCloud implements Cloud {
  readonly #log: Pick<Log, 'debug'>;
  readonly #authentication: ConfigurationBotFrameworkAuthentication;
  readonly #wanted: { readonly issuer: string; readonly audience: string };
  readonly #credentials: Promise<AppCredentials>;
  /** By token: until when it is trusted, epoch ms. */
  readonly #verified = new LRUCache<string, { readonly untilMs: number; readonly verdict: Verdict }>({
    max: MAX_VERIFIED,
  });
  #asking: Promise<string> | undefined;
  #hasKeys = true;

  /** Throws where the registration is not complete. */
  constructor({ appId, password, type, tenant, endpoints }: Registration, log: Pick<Log, 'debug'>) {
    const settings = {
      MicrosoftAppId: appId,
      MicrosoftAppType: type,
      ...(password !== undefined && { MicrosoftAppPassword: password }),
      ...(tenant !== undefined && { MicrosoftAppTenantId: tenant }),
      ...endpoints,
    };
    const factory = new ConfigurationServiceClientCredentialFactory(settings);
    const cloud = endpoints ?? PUBLIC_CLOUD;
    this.#log = log;
    this.#authentication = new ConfigurationBotFrameworkAuthentication(settings, factory);
    this.#wanted = { issuer: cloud.ToBotFromChannelTokenIssuer, audience: appId };
    const { ToChannelFromBotOAuthScope: scope, ToChannelFromBotLoginUrl: login } = cloud;
    this.#credentials = factory.createCredentials(appId, scope, login, true).then((credentials) => {
      if (credentials instanceof AppCredentials) return credentials;
      throw new Error('The Bot Framework SDK has no credentials');
    });
    // `token` rejects with the failure; here it must not end the process.
    this.#credentials.catch(() => {});
  }

  async verify(authorization: string): Promise<Verdict> {
    const cached = this.#verified.get(authorization);
    if (cached && cached.untilMs > Date.now()) return cached.verdict;
    const claims = readClaims(authorization, this.#wanted);
    if (!claims) return { kind: 'refused' };
    const issuers = EMULATOR_ISSUERS?.length ?? 0;
    try {
      // Needs only the header. The channel's name selects among the service's keys.
      const verifying = () => this.#authentication.authenticateStreamingRequest(authorization, CHANNEL);
      await inTime(runQuietly(this.#log, verifying));
      this.#hasKeys = true;
    } catch (error) {
      this.#hasKeys = !isOutage(error);
      return { kind: this.#hasKeys ? 'refused' : 'unavailable' };
    } finally {
      // The SDK keeps each directory that a token names, before it verifies the signature.
      if (Array.isArray(EMULATOR_ISSUERS)) EMULATOR_ISSUERS.splice(issuers);
    }
    const verdict: Verdict = { kind: 'valid', serviceUrl: claims.serviceUrl };
    const untilMs = Math.min(claims.expiresMs, Date.now() + VERIFIED_MS);
    this.#verified.set(authorization, { untilMs, verdict });
    return verdict;
  }

  hasKeys(): boolean {
    return this.#hasKeys;
  }

  /** Makes one request at a time. Further callers wait for it. */
  token(renewed = false): Promise<string> {
    this.#asking ??= this.#credentials
      .then((credentials) => inTime(runQuietly(this.#log, () => credentials.getToken(renewed))))
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }
}

/** The SDK's errors if it cannot fetch the service's keys. Others are about the token. */
const OUTAGES = new Set(['FetchError', 'TimeoutError']);

function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return OUTAGES.has(error.name) || ('statusCode' in error && error.statusCode === 500);
}

async function inTime<Result>(work: Promise<Result>): Promise<Result> {
  const late = sleep(PATIENCE_MS, undefined, { ref: false }).then(() => {
    throw new DOMException('The Bot Framework SDK took too long', 'TimeoutError');
  });
  return Promise.race([work, late]);
}
