import type { Activity } from 'botbuilder';

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

/** The Bot Framework SDK's own settings, by its own names: all or none, or it forgets the defaults of the others. */
export type Endpoints = {
  readonly ToBotFromChannelOpenIdMetadataUrl: string;
  readonly ToBotFromEmulatorOpenIdMetadataUrl: string;
  readonly ToBotFromChannelTokenIssuer: string;
  readonly ToChannelFromBotLoginUrl: string;
  readonly ToChannelFromBotOAuthScope: string;
  readonly OAuthUrl: string;
};

/** Microsoft's public cloud, as in the SDK's `AuthenticationConstants`, which botbuilder does not export. */
export const PUBLIC_CLOUD: Omit<Endpoints, 'ToBotFromEmulatorOpenIdMetadataUrl' | 'OAuthUrl'> = {
  ToBotFromChannelOpenIdMetadataUrl: 'https://login.botframework.com/v1/.well-known/openidconfiguration',
  ToBotFromChannelTokenIssuer: 'https://api.botframework.com',
  ToChannelFromBotLoginUrl: 'https://login.microsoftonline.com/botframework.com',
  ToChannelFromBotOAuthScope: 'https://api.botframework.com',
};

/** The trust between the Bot Framework service and us, in both directions. */
export type Cloud = {
  /**
   * Whether a request comes from the service and is meant for us. `unavailable`: its keys cannot be fetched now, which
   * says nothing about the request. Never throws.
   */
  verify(activity: Activity, authorization: string): Promise<'valid' | 'refused' | 'unavailable'>;
  /** Our token for its connector, null where none is wanted. `renewed`: not the one at hand. Rejects if there is none to be had. */
  token(renewed?: boolean): Promise<string | null>;
};

/** No authentication at all, for a playground on this machine (`TEAMS_AUTH=off`). */
export const NO_CLOUD: Cloud = {
  verify: async () => 'valid',
  token: async () => null,
};
