import { Channels } from 'botbuilder';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { callerOf, isLocal } from '../../http/guard.ts';
import { problem } from '../../http/problem.ts';
import type { Channel } from '../channel.ts';
import { BODY_LIMIT, createRefusal, takePlatformRequests } from '../platforms.ts';
import { Watch } from '../watch.ts';
import { TEAMS } from './address.ts';
import type { Cloud } from './authentication.ts';
import { parseActivity, readActivity } from './incoming.ts';
import { type TeamsOptions, TeamsPlatform } from './platform.ts';

const WRONG_TOKEN = 'The token is missing or wrong.';

/** Microsoft Teams, through the Bot Framework service. */
export class TeamsChannel extends TeamsPlatform implements Channel {
  readonly #options: TeamsOptions;
  readonly #watch: Watch;
  readonly #refuse: ReturnType<typeof createRefusal>;

  constructor(options: TeamsOptions) {
    super(options);
    const { observe, watchMs: everyMs } = options;
    this.#options = options;
    this.#refuse = createRefusal(TEAMS.name, options);
    const check = () => this.#look();
    this.#watch = new Watch({ channel: TEAMS.name, check, observe, everyMs });
  }

  readonly plugin: FastifyPluginAsync = async (app: FastifyInstance) => {
    takePlatformRequests(app);
    app.decorateRequest('vouchedUrl', undefined);
    // Runs before the body is read.
    app.addHook('onRequest', (request, reply) => this.#verify(request, reply));
    app.post('/webhooks/teams', { bodyLimit: BODY_LIMIT }, (request, reply) => this.#receive(request, reply));
  };

  readonly start = () => this.#watch.start();
  readonly stop = async () => this.#watch.stop();

  /** Without keys nothing is accepted, whether readiness was asked or not. */
  faults(): readonly string[] {
    return [...this.#keyFaults(), ...this.#watch.faults().filter((fault) => !fault.startsWith(KEYS))];
  }

  /** Since when the keys cannot be read, and why. */
  #keyFaults(): readonly string[] {
    const { state, failure } = this.cloud?.keys ?? {};
    const since = failure ? ` since ${new Date(failure.sinceMs).toISOString()} (${failure.why})` : '';
    if (state === 'none') return [`${KEYS} cannot be read${since}, ${NO_KEYS}`];
    return state === 'old' ? [`${KEYS} cannot be read again${since}; ${OLD_KEYS}`] : [];
  }

  /** Answers a request without a valid token; undefined: go on. */
  async #verify(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    if (!this.cloud) {
      if (isLocal(callerOf(request))) return undefined;
      return this.#refuse(reply, 403, 'Only this machine is heard.');
    }
    const verdict = await this.cloud.verify(request.headers.authorization);
    // Not 401: Teams would not send the message again. Forged tokens get here, too.
    if (verdict === 'unavailable') {
      const { limit } = this.#options;
      return (await limit(request, reply)) ?? problem(reply, 503, 'The token cannot be verified now.');
    }
    if (verdict === 'refused') return this.#refuse(reply, 401, WRONG_TOKEN);
    request.setDecorator('vouchedUrl', verdict.serviceurl);
    return undefined;
  }

  async #receive(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { accept, observe } = this.#options;
    const activity = parseActivity(request.body);
    if (!activity) return this.#refuse(reply, 400, 'This is no activity.');
    const { type, channelId, serviceUrl, timestamp } = activity;
    // Clients of other channels could claim to be anybody.
    const vouchedUrl = request.getDecorator('vouchedUrl');
    const isVouchedFor = channelId === Channels.Msteams && serviceUrl === vouchedUrl;
    if (this.cloud && !isVouchedFor) return this.#refuse(reply, 401, WRONG_TOKEN);
    if (!this.trust(serviceUrl)) {
      const host = URL.parse(serviceUrl)?.host ?? '';
      observe.log.warn({ channel: TEAMS.name, host }, 'a connector is not among TEAMS_SERVICE_HOSTS');
      return this.#refuse(reply, 403, 'This connector is not trusted.');
    }
    // Those of clients (feedback, link previews) must succeed.
    if (type === 'invoke') return reply.send({});
    const incoming = readActivity(activity);
    if (incoming) await accept(incoming, timestamp.getTime());
    return reply.code(200).send();
  }

  /** Reads the signing keys if they are due. Resolves to the faults of both directions. */
  async #look(): Promise<readonly string[]> {
    const { cloud } = this;
    if (!cloud) return [];
    const [fault] = await Promise.all([this.#lookForToken(cloud), cloud.keys.refresh()]);
    return [...this.#keyFaults(), ...(fault === undefined ? [] : [fault])];
  }

  async #lookForToken(cloud: Pick<Cloud, 'token'>): Promise<string | undefined> {
    try {
      await cloud.token();
      return this.isRefused ? REFUSED : undefined;
    } catch (error) {
      const code = error instanceof Error && 'errorCode' in error ? ` (${error.errorCode})` : '';
      return `the login service gives no token${code}, ${NO_TOKEN}`;
    }
  }
}

const OUT = 'is https to login.botframework.com let out?';
const KEYS = 'the signing keys';
const NO_KEYS = `so no message is accepted: ${OUT}`;
const OLD_KEYS = `those of the last read serve for seven days: ${OUT}`;
const NO_TOKEN =
  'so no reply is sent: has MICROSOFT_APP_PASSWORD expired, ' +
  'are MICROSOFT_APP_ID and MICROSOFT_APP_TENANT_ID right, ' +
  'has this machine the identity of UserAssignedMSI, ' +
  'is https to login.microsoftonline.com let out?';
const REFUSED =
  'the connector refuses our token or our bot: ' +
  'is MICROSOFT_APP_PASSWORD that of MICROSOFT_APP_ID, ' +
  "is the Azure bot's Teams channel on?";
