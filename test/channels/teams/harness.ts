import { randomUUID } from 'node:crypto';
import type { Accept, Channel } from '../../../src/channels/channel.ts';
import type { Registration } from '../../../src/channels/teams/authentication.ts';
import type { TeamsOptions } from '../../../src/channels/teams/platform.ts';
import { TeamsChannel } from '../../../src/channels/teams/teams.ts';
import type { Reply } from '../../../src/conversation/reply.ts';
import type { Incoming, Outgoing } from '../../../src/engine/messages.ts';
import { recordingObserve } from '../../support/observe.ts';
import { BOT, PERSON, TENANT, type TeamsActivity, USER } from '../../support/teams-activities.ts';
import { startTeamsDouble } from '../../support/teams-double.ts';
import type { TokenOptions } from '../../support/teams-tokens.ts';
import { outgoingOf, serveChannel, words } from '../harness.ts';

export const CHAT = 'a:personal';

export type BotOptions = Partial<
  Pick<TeamsOptions, 'accept' | 'limit' | 'words' | 'observe' | 'timeoutMs' | 'watchMs'>
> & {
  /** `on`: tokens are wanted, in both directions. */
  readonly auth?: 'on' | 'off';
  readonly registration?: Partial<Registration>;
  readonly serviceHosts?: readonly string[];
  readonly trustedTenants?: readonly string[];
};

/** A Teams channel before a double of the Bot Framework service; `accepted` is what it handed on. Ends with the test. */
export async function createBot(options: BotOptions = {}) {
  const double = await startTeamsDouble();
  const { observe, said } = recordingObserve();
  const accepted: Incoming[] = [];
  // The SDK keeps tokens by app id, for the whole process.
  const appId = randomUUID();
  const { endpoints } = double;
  const registration = {
    appId,
    type: 'UserAssignedMSI',
    tenant: TENANT,
    endpoints,
    ...options.registration,
  } as const;
  const channel: Channel = new TeamsChannel({
    config: {
      registration: options.auth === 'on' ? registration : undefined,
      serviceHosts: options.serviceHosts ?? [double.host],
      trustedTenants: options.trustedTenants ?? [TENANT],
    },
    async accept(incoming): ReturnType<Accept> {
      accepted.push(incoming);
      return options.accept?.(incoming) ?? 'accepted';
    },
    limit: options.limit ?? (async () => undefined),
    words: options.words ?? words,
    observe: options.observe ?? observe,
    timeoutMs: options.timeoutMs,
    watchMs: options.watchMs,
  });
  const app = await serveChannel(channel, double);

  /** Posts as the service does; `authorization` undefined: with a valid token. */
  async function post(activity: TeamsActivity | object | string, authorization?: string | null) {
    const header = authorization === undefined ? `Bearer ${double.mint(appId)}` : authorization;
    const payload =
      typeof activity === 'string'
        ? activity
        : JSON.stringify({ serviceUrl: double.serviceUrl, ...activity });
    const headers = { 'content-type': 'application/json', ...(header !== null && { authorization: header }) };
    return app.inject({ method: 'POST', url: '/webhooks/teams', headers, payload });
  }

  const bearer = (token?: TokenOptions, serviceUrl?: string) =>
    `Bearer ${double.mint(appId, token, serviceUrl)}`;

  const address = { service: double.serviceUrl, bot: BOT, user: USER, tenant: TENANT, person: PERSON };
  const outgoing = (reply: Reply, more: Partial<Outgoing> = {}) =>
    outgoingOf({ channel: 'teams', conversation: CHAT, address }, reply, more);
  return { double, channel, app, appId, accepted, said, post, bearer, outgoing };
}
