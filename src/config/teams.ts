import type { Variables } from './variables.ts';
import { applying, isLoopback, missing, type Written } from './written.ts';

/** The SDK forgets the defaults of all as soon as one of them is set. */
const ENDPOINTS = [
  'ToBotFromChannelOpenIdMetadataUrl',
  'ToBotFromEmulatorOpenIdMetadataUrl',
  'ToBotFromChannelTokenIssuer',
  'ToChannelFromBotLoginUrl',
  'ToChannelFromBotOAuthScope',
  'OAuthUrl',
] as const;

/** What is missing for Teams to work, and what must not be set. */
export function teamsConflicts(written: Written): string[] {
  const { MICROSOFT_APP_ID: appId, MICROSOFT_APP_PASSWORD: password, HOST: host = '127.0.0.1' } = written;
  const off = written.TEAMS_AUTH === 'off';
  const isPublic = written.PUBLIC_URL !== undefined || written.NODE_ENV === 'production';
  const type = appType(written);
  const isMsi = type === 'UserAssignedMSI';
  const unset = missing(
    [
      [
        'MICROSOFT_APP_ID',
        !off && (password !== undefined || written.MICROSOFT_APP_TYPE !== undefined),
        'the id that MICROSOFT_APP_PASSWORD or MICROSOFT_APP_TYPE belongs to',
      ],
      [
        'MICROSOFT_APP_PASSWORD',
        !off && appId !== undefined && !isMsi,
        'the client secret of MICROSOFT_APP_ID (or MICROSOFT_APP_TYPE=UserAssignedMSI)',
      ],
      [
        'MICROSOFT_APP_TENANT_ID',
        !off && appId !== undefined && type !== 'MultiTenant',
        `the directory of MICROSOFT_APP_ID while MICROSOFT_APP_TYPE=${type}`,
      ],
    ],
    written,
  );
  const dangers = applying([
    [
      !off && isMsi && password !== undefined,
      'MICROSOFT_APP_PASSWORD: got a secret, wants none while MICROSOFT_APP_TYPE=UserAssignedMSI',
    ],
    [
      off && !isLoopback(host),
      `TEAMS_AUTH: got "off", wants "on" while HOST=${host} is not loopback: anybody could speak for anybody`,
    ],
    [
      off && isPublic,
      'TEAMS_AUTH: got "off", wants "on" while PUBLIC_URL is set or NODE_ENV=production: anybody could speak for anybody',
    ],
  ]);
  return [...unset, ...dangers, ...halfSet(written)];
}

function halfSet(written: Written): string[] {
  const unset = ENDPOINTS.filter((name) => written[name] === undefined);
  if (unset.length === ENDPOINTS.length) return [];
  return unset.map(
    (name) => `${name}: got nothing, wants a URL: all six settings of the SDK are set, or none`,
  );
}

/** Undefined: the channel is off. Without a registration, it is on without any authentication. */
export function teams(values: Variables) {
  const { MICROSOFT_APP_ID: appId, MICROSOFT_APP_TENANT_ID: tenant, TEAMS_AUTH: auth } = values;
  if (appId === undefined && auth === 'on') return undefined;
  const registration = appId === undefined || auth === 'off' ? undefined : registrationOf(appId, values);
  const trustedTenants = values.TEAMS_TENANTS ?? (tenant === undefined ? [] : [tenant]);
  return { registration, serviceHosts: values.TEAMS_SERVICE_HOSTS, trustedTenants };
}

function registrationOf(appId: string, values: Variables) {
  const { MICROSOFT_APP_PASSWORD: password, MICROSOFT_APP_TENANT_ID: tenant } = values;
  return { appId, password, tenant, type: appType(values), endpoints: endpointsOf(values) };
}

function appType<T extends string>({
  MICROSOFT_APP_TYPE: type,
  MICROSOFT_APP_TENANT_ID: tenant,
}: {
  readonly MICROSOFT_APP_TYPE?: T | undefined;
  readonly MICROSOFT_APP_TENANT_ID?: string | undefined;
}) {
  return type ?? (tenant === undefined ? 'MultiTenant' : 'SingleTenant');
}

/** Undefined: the public cloud. */
function endpointsOf(values: Variables) {
  if (values.OAuthUrl === undefined) return undefined;
  const known = (name: (typeof ENDPOINTS)[number]): string => {
    const value = values[name];
    if (value === undefined) throw new Error(`${name} is missing and was not reported`);
    return value;
  };
  return {
    ToBotFromChannelOpenIdMetadataUrl: known('ToBotFromChannelOpenIdMetadataUrl'),
    ToBotFromEmulatorOpenIdMetadataUrl: known('ToBotFromEmulatorOpenIdMetadataUrl'),
    ToBotFromChannelTokenIssuer: known('ToBotFromChannelTokenIssuer'),
    ToChannelFromBotLoginUrl: known('ToChannelFromBotLoginUrl'),
    ToChannelFromBotOAuthScope: known('ToChannelFromBotOAuthScope'),
    OAuthUrl: known('OAuthUrl'),
  };
}
