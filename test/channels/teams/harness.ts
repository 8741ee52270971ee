import { randomUUID } from 'node:crypto';
import type { Accept, Channel } from '../../../src/channels/channel.ts';
import type { Registration } from '../../../src/channels/teams/authentication.ts';
import type { TeamsOptions } from '../../../src/channels/teams/platform.ts';
import { TeamsChannel } from '../../../src/channels/teams/teams.ts';
import type { Reply } from '../../../src/conversation/reply.ts';
import type { Incoming, Outgoing } from '../../../src/engine/messages.ts';
import { createQrWriter } from '../../../src/photos/qr.ts';
import { recordingObserve } from '../../support/observe.ts';
import { BOT, PERSON, TENANT, type TeamsActivity, USER } from '../../support/teams-activities.ts';
import { startTeamsDouble, type TokenOptions } from '../../support/teams-double.ts';
import { outgoingOf, serveChannel, words } from '../harness.ts';

export const CHAT = 'a:personal';

type BotOptions = Partial<Omit<TeamsOptions, 'config'>> & {
  /** `on`: tokens are wanted, in both directions. */
  readonly auth?: 'on' | 'off';
  readonly registration?: Partial<Omit<Registration, 'endpoints'>>;
  /** Whose login service gives our own tokens. */
  readonly login?: 'double' | 'microsoft';
  readonly serviceHosts?: readonly string[];
  readonly trustedTenants?: readonly string[];
};

/**
 * A Teams channel before a double of the Bot Framework service; `accepted` is what it handed on. Ends with
 * the test.
 */
export async function createBot({ auth, login, serviceHosts, trustedTenants, ...options }: BotOptions = {}) {
  const double = await startTeamsDouble();
  const { observe, observed } = recordingObserve();
  const accepted: Incoming[] = [];
  // The SDK keeps tokens by app id, for the whole process.
  const appId = randomUUID();
  const { ToChannelFromBotLoginUrl: _, ToChannelFromBotOAuthScope: __, ...inbound } = double.endpoints;
  const endpoints = login === 'microsoft' ? inbound : double.endpoints;
  const app = { appId, type: 'UserAssignedMSI', tenant: TENANT, endpoints } as const;
  const channel: Channel = new TeamsChannel({
    limit: async () => undefined,
    drawQr: createQrWriter(),
    words,
    observe,
    ...options,
    config: {
      registration: auth === 'on' ? { ...app, ...options.registration } : undefined,
      serviceHosts: serviceHosts ?? [double.host],
      trustedTenants: trustedTenants ?? [TENANT],
    },
    async accept(incoming): ReturnType<Accept> {
      accepted.push(incoming);
      return options.accept?.(incoming) ?? 'accepted';
    },
  });
  const server = await serveChannel(channel, double);
  const bearer = (token?: TokenOptions) => `Bearer ${double.mint(appId, token)}`;

  /** Posts as the service does; `authorization` undefined: with a valid token. */
  async function post(activity: TeamsActivity | object | string, authorization?: string | null) {
    const header = authorization === undefined ? bearer() : authorization;
    const { serviceUrl } = double;
    const payload = typeof activity === 'string' ? activity : JSON.stringify({ serviceUrl, ...activity });
    const headers = { 'content-type': 'application/json', ...(header !== null && { authorization: header }) };
    return server.inject({ method: 'POST', url: '/webhooks/teams', headers, payload });
  }

  const address = { service: double.serviceUrl, bot: BOT, user: USER, tenant: TENANT, person: PERSON };
  const outgoing = (reply: Reply, more: Partial<Outgoing> = {}) =>
    outgoingOf({ channel: 'teams', conversation: CHAT, address }, reply, more);
  return { double, channel, app: server, appId, accepted, observed, post, bearer, outgoing };
}

type Json = Readonly<Record<string, unknown>>;

/** Every part of a card of that type (of any, if none is given), wherever it stands. */
export function elements(value: unknown, type?: string): Json[] {
  if (typeof value !== 'object' || value === null) return [];
  const isWanted = 'type' in value && (type === undefined || value.type === type);
  const parts = Object.values(value).flatMap((part) => elements(part, type));
  return isWanted ? [{ ...value }, ...parts] : parts;
}
