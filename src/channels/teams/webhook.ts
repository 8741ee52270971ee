import {
  type Activity,
  ActivityTypes,
  CloudAdapter,
  INVOKE_RESPONSE_KEY,
  type InvokeResponse,
  TeamsActivityHandler,
  TurnContext,
} from 'botbuilder';
import type { FastifyPluginAsync } from 'fastify';
import type { Incoming } from '../../engine/outlet.ts';
import { callerOf, isLocal, type Limit } from '../../http/limits.ts';
import { problem } from '../../http/problem.ts';
import type { Accept } from '../channel.ts';
import { sendAgain, takePlatformRequests } from '../platform-request.ts';
import type { Cloud } from './authentication.ts';
import type { Hosts } from './connector.ts';
import { fromInstall, fromMessage, parseActivity } from './incoming.ts';

/** An activity has a few kilobytes; the longest messages of Teams have about 100. */
const BODY_LIMIT = 256 * 1024;

export type WebhookOptions = {
  readonly cloud: Pick<Cloud, 'verify'>;
  readonly hosts: Hosts;
  readonly accept: Accept;
  /** Without authentication: only programs and pages of this machine are heard. */
  readonly localOnly: boolean;
  /** For requests without a valid token; the service's own are never limited. */
  readonly limit: Limit;
  /** A request was turned away; `host`: its connector is not one of those we trust. */
  readonly onRefused: (host?: string) => void;
};

/** The route that the Bot Framework service calls (docs/how-it-works.md, "A message"). Bodies never say what an error was. */
export function createWebhook({
  cloud,
  hosts,
  accept,
  localOnly,
  limit,
  onRefused,
}: WebhookOptions): FastifyPluginAsync {
  const handler = new CustomerHandler(accept);

  return async (app) => {
    takePlatformRequests(app);

    if (localOnly) {
      app.addHook('onRequest', async (request, reply) => {
        if (isLocal(callerOf(request))) return;
        onRefused();
        const why = 'Without authentication only this machine is heard.';
        return (await limit(request, reply)) ?? problem(reply, 403, 'Forbidden', why);
      });
    }

    app.post('/webhooks/teams', { bodyLimit: BODY_LIMIT }, async (request, reply) => {
      const { body, headers } = request;
      const activity = parseActivity(body);
      if (!activity) {
        onRefused();
        return problem(reply, 400, 'Bad Request', 'The body is no JSON object with a type.');
      }
      const verdict = await cloud.verify(activity, headers.authorization ?? '');
      if (verdict === 'unavailable') return sendAgain(reply, 'The token cannot be verified now.');
      if (verdict === 'refused') {
        onRefused();
        const why = 'The token is missing or wrong.';
        return (await limit(request, reply)) ?? problem(reply, 401, 'Unauthorized', why);
      }
      if (!hosts.trusted(activity.serviceUrl)) {
        onRefused(URL.parse(activity.serviceUrl)?.host ?? '');
        return problem(reply, 403, 'Forbidden', 'This connector is not trusted.');
      }
      return reply.code(200).send(await handler.take(activity));
    });
  };
}

/**
 * Hands on what was said. Messages, by far the most, go straight there; every other kind of activity takes the SDK's way,
 * whose methods are overridden instead of registered for (`onMembersAdded`): so it asks the connector for nobody's profile.
 * What has no method here says nothing to us, which is no fault: edits and reactions
 * (answered when the message was new), typing.
 */
class CustomerHandler extends TeamsActivityHandler {
  readonly #accept: Accept;

  constructor(accept: Accept) {
    super();
    this.#accept = accept;
  }

  /** Resolves once the message is stored, to what an invoke is answered with; rejects as `accept` does. */
  async take(activity: Activity): Promise<unknown> {
    if (activity.type === ActivityTypes.Message) return this.#handOn(fromMessage(activity));
    const context = new TurnContext(ADAPTER, activity);
    await this.run(context);
    return context.turnState.get<Partial<Activity> | undefined>(INVOKE_RESPONSE_KEY)?.value?.body;
  }

  protected override async onConversationUpdateActivity({ activity }: TurnContext): Promise<void> {
    const { membersAdded = [], recipient } = activity;
    if (membersAdded.some(({ id }) => id === recipient.id)) await this.#handOn(fromInstall(activity));
  }

  /** Teams reports one installation in two ways, neither of them reliably. */
  protected override async onInstallationUpdateActivity({ activity }: TurnContext): Promise<void> {
    if (activity.action === 'add') await this.#handOn(fromInstall(activity));
  }

  /**
   * Nothing of ours sends invokes, and a second, synchronous way through the bot is not worth its code; but what clients
   * send by themselves (feedback, link previews) must not look like an error to them.
   */
  protected override async onInvokeActivity({ activity }: TurnContext): Promise<InvokeResponse> {
    const shown = { statusCode: 200, type: 'application/vnd.microsoft.activity.message', value: '' };
    return { status: 200, body: activity.name === 'adaptiveCard/action' ? shown : {} };
  }

  /** The SDK would parse a meeting's events, and fail where one is not as it expects. */
  protected override async onEventActivity(): Promise<void> {}

  async #handOn(incoming: Incoming | null): Promise<void> {
    if (incoming) await this.#accept(incoming);
  }
}

/** It only carries an invoke's response to the end of its turn: nothing is sent from within one, nor could be. */
const ADAPTER = new CloudAdapter();
