import { AsyncLocalStorage } from 'node:async_hooks';
import { LRUCache } from 'lru-cache';
import type { Log } from '../../observability/log.ts';
import { parseJson } from '../platforms.ts';
import { TEAMS } from './address.ts';

/** The Azure Bot registration, and how its cloud is reached. */
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

/** Microsoft's public cloud, as in the SDK's `AuthenticationConstants`, which botbuilder does not export. */
export const PUBLIC_CLOUD = {
  ToBotFromChannelOpenIdMetadataUrl: 'https://login.botframework.com/v1/.well-known/openidconfiguration',
  ToBotFromChannelTokenIssuer: 'https://api.botframework.com',
  ToChannelFromBotLoginUrl: 'https://login.microsoftonline.com/botframework.com',
  ToChannelFromBotOAuthScope: 'https://api.botframework.com',
} as const;

/** The Bot Framework SDK's own settings, by its own names: all or none, or it forgets the defaults of the others. */
export type Endpoints = Readonly<
  Record<keyof typeof PUBLIC_CLOUD | 'ToBotFromEmulatorOpenIdMetadataUrl' | 'OAuthUrl', string>
>;

/**
 * What a token turned out to be. `valid`: the service signed it for us; `serviceUrl`: the connector whose activities it
 * vouches for, undefined where any will do. `unavailable`: the service's keys cannot be fetched now, which says nothing
 * about the token.
 */
export type Verdict =
  | { readonly kind: 'valid'; readonly serviceUrl: string | undefined }
  | { readonly kind: 'refused' | 'unavailable' };

/** The trust between the Bot Framework service and us, in both directions. */
export type Cloud = {
  /** Looks at a request's `Authorization` alone, so that no body is read for a stranger. Never throws. */
  verify(authorization: string): Promise<Verdict>;
  /** Our token for its connector, null where none is wanted. `renewed`: not the one at hand. Rejects if there is none to be had. */
  token(renewed?: boolean): Promise<string | null>;
};

/** No authentication at all, for a playground on this machine (`TEAMS_AUTH=off`). */
export const NO_CLOUD: Cloud = {
  verify: async () => ({ kind: 'valid', serviceUrl: undefined }),
  token: async () => null,
};

const REFUSED: Verdict = { kind: 'refused' };

/**
 * The service uses a token for thousands of requests: for so long, one that was verified is not verified again, which takes
 * as much of the processor as half a turn (SECURITY.md, "What does not protect"). So many are remembered.
 */
const VERIFIED_MS = 5 * 60_000;
const MAX_VERIFIED = 100;

const ALGORITHMS: readonly unknown[] = ['RS256', 'RS384', 'RS512'];

/** What Teams is called in activities, and in the endorsements of the keys that may sign for it. */
export const CHANNEL = 'msteams';

/** The SDK itself would wait forever. */
const PATIENCE_MS = 5_000;

/** Tokens by the Bot Framework SDK, in both directions. It takes 17 MB, so that only a bot with a registration loads it. */
export async function createCloud(registration: Registration, log: Pick<Log, 'debug'>): Promise<Cloud> {
  const { ConfigurationBotFrameworkAuthentication, ConfigurationServiceClientCredentialFactory } =
    await import('botbuilder');
  const { EmulatorValidation } = await import('botframework-connector');
  const { appId, password, type, tenant, endpoints } = registration;
  const settings = {
    MicrosoftAppId: appId,
    MicrosoftAppType: type,
    ...(password !== undefined && { MicrosoftAppPassword: password }),
    ...(tenant !== undefined && { MicrosoftAppTenantId: tenant }),
    ...endpoints,
  };
  const factory = new ConfigurationServiceClientCredentialFactory(settings);
  const authentication = new ConfigurationBotFrameworkAuthentication(settings, factory);
  const {
    ToBotFromChannelTokenIssuer: issuer,
    ToChannelFromBotOAuthScope: scope,
    ToChannelFromBotLoginUrl: login,
  } = endpoints ?? PUBLIC_CLOUD;
  const credentials = factory.createCredentials(appId, scope, login, true).then(withToken);
  // A failure shows where a token is asked for; unhandled here, it would end the process.
  credentials.catch(() => {});
  const quietly = withSdkConsole(log);
  /**
   * Issuers that the SDK takes for its emulator's. It adds those of every directory that any token names, for good, and
   * before it looks at the signature: so they are taken out again.
   */
  const { issuer: issuers } = EmulatorValidation.ToBotFromEmulatorTokenValidationParameters;
  const count = issuers?.length ?? 0;
  /** By token: until when it counts as verified, epoch ms, and for which connector. */
  const verified = new LRUCache<string, { readonly untilMs: number; readonly verdict: Verdict }>({
    max: MAX_VERIFIED,
  });
  let asking: Promise<string> | undefined;

  return {
    async verify(authorization) {
      const cached = verified.get(authorization);
      if (cached && cached.untilMs > Date.now()) return cached.verdict;
      const { alg, iss, aud, exp, serviceurl: serviceUrl } = claimsOf(authorization);
      // What the SDK lets through or answers with 500: another issuer goes down a path that does not check the audience, a
      // token need not expire, an unknown algorithm throws (research: teams.md, section 2).
      const isOurs = ALGORITHMS.includes(alg) && iss === issuer && aud === appId;
      if (!isOurs || typeof exp !== 'number' || typeof serviceUrl !== 'string') return REFUSED;
      try {
        // By the header alone; the channel's name chooses among the service's keys.
        await inTime(quietly(() => authentication.authenticateStreamingRequest(authorization, CHANNEL)));
      } catch (error) {
        return isOutage(error) ? { kind: 'unavailable' } : REFUSED;
      } finally {
        if (Array.isArray(issuers)) issuers.splice(count);
      }
      const verdict: Verdict = { kind: 'valid', serviceUrl };
      verified.set(authorization, { untilMs: Math.min(exp * 1000, Date.now() + VERIFIED_MS), verdict });
      return verdict;
    },

    /** One request at a time; callers that ask meanwhile wait for it. */
    token(renewed = false) {
      asking ??= credentials
        .then((ours) => inTime(quietly(() => ours.getToken(renewed))))
        .finally(() => {
          asking = undefined;
        });
      return asking;
    },
  };
}

/** What a token says of itself, and by what algorithm it is signed; nothing of what is no token. */
type Claims = Readonly<Record<string, unknown>>;

function claimsOf(authorization: string): Claims {
  const [, head, claims] = /^Bearer ([\w-]+)\.([\w-]+)\.[\w-]+$/.exec(authorization) ?? [];
  return { ...decode(claims), alg: decode(head).alg };
}

function decode(part = ''): Claims {
  const value = parseJson(Buffer.from(part, 'base64url').toString());
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** What is thrown because the service's keys could not be fetched; everything else is because of the token. */
const OUTAGES = new Set(['FetchError', 'TimeoutError']);

function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return OUTAGES.has(error.name) || ('statusCode' in error && error.statusCode === 500);
}

/** All of the SDK's credentials have it; the type that it gives them does not say so. */
function withToken(credentials: object): { getToken(renewed: boolean): Promise<string> } {
  if (!('getToken' in credentials) || typeof credentials.getToken !== 'function') {
    throw new Error('The credentials of the Bot Framework SDK have no getToken');
  }
  const getToken: (renewed: boolean) => unknown = credentials.getToken.bind(credentials);
  return { getToken: async (renewed) => String(await getToken(renewed)) };
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const giveUp = () => late.reject(new DOMException('The Bot Framework SDK took too long', 'TimeoutError'));
  const timer = setTimeout(giveUp, PATIENCE_MS);
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}

/** The logger of the SDK's call that is under way, if one is. */
const calling = new AsyncLocalStorage<Pick<Log, 'debug'>>();
let isRedirected = false;

/**
 * Runs calls of the SDK with their `console.error` sent to our log, at debug. The SDK writes a stack or a key there for
 * every bad token: any stranger could fill the disk. Other code's console stays as it is.
 */
function withSdkConsole(log: Pick<Log, 'debug'>): <T>(call: () => T) => T {
  if (!isRedirected) {
    isRedirected = true;
    const { error } = console;
    console.error = (...lines: unknown[]) => {
      const logger = calling.getStore();
      if (!logger) return error(...lines);
      // Without what it says, which may quote the token.
      const [what] = lines;
      const kind = { channel: TEAMS.name, error: what instanceof Error ? what.name : typeof what };
      logger.debug(kind, 'the Bot Framework SDK complained');
    };
  }
  return (call) => calling.run(log, call);
}
