import {
  type Activity,
  type ActivityHandlerBase,
  ActivityTypes,
  BotAdapter,
  type ConversationReference,
  INVOKE_RESPONSE_KEY,
  type InvokeResponse,
  type ResourceResponse,
  TurnContext,
} from 'botbuilder';
import { z } from 'zod';
import type { CallFailure } from '../platform-response.ts';
import type { Connector } from './connector.ts';

/** What the SDK's methods reject with where a call of the connector did not succeed. */
export class ConnectorError extends Error {
  readonly failure: CallFailure;

  constructor(failure: CallFailure) {
    super(`The connector's answer: ${failure.kind}`);
    this.name = 'ConnectorError';
    this.failure = failure;
  }
}

type Logic = (context: TurnContext) => Promise<void>;

/** What is known of the activity that the connector has made. */
const createdSchema = z.object({ id: z.string() }).catch({ id: '' });

/** How long the calls of a turn may take, ms, among its `turnState`. */
const TIMEOUT_KEY = Symbol('timeout');

/**
 * The Bot Framework SDK over our own transport. Each method makes one call and never repeats it: the engine decides on
 * repeats (docs/design.md, "A turn"). Where a call fails, a method rejects with `ConnectorError`.
 */
export class ConnectorAdapter extends BotAdapter {
  readonly #connector: Pick<Connector, 'call'>;

  constructor(connector: Pick<Connector, 'call'>) {
    super();
    this.#connector = connector;
  }

  /** Hands an activity of the service to its handler; resolves with what an invoke is answered with. */
  async process(activity: Activity, handler: ActivityHandlerBase): Promise<InvokeResponse | undefined> {
    const context = new TurnContext(this, activity);
    await this.runMiddleware(context, (turn) => handler.run(turn));
    return context.turnState.get<Partial<Activity> | undefined>(INVOKE_RESPONSE_KEY)?.value;
  }

  /** `timeoutMs`: how long each call within `logic` may take, where it is not the usual time. */
  async continueConversation(
    reference: Partial<ConversationReference>,
    logic: Logic,
    timeoutMs?: number,
  ): Promise<void> {
    const event = TurnContext.applyConversationReference({ type: ActivityTypes.Event }, reference, true);
    const context = new TurnContext(this, event);
    context.turnState.set(TIMEOUT_KEY, timeoutMs);
    await this.runMiddleware(context, logic);
  }

  async sendActivities(context: TurnContext, activities: Partial<Activity>[]): Promise<ResourceResponse[]> {
    const created: ResourceResponse[] = [];
    for (const activity of activities) {
      if (activity.type === ActivityTypes.InvokeResponse) {
        context.turnState.set(INVOKE_RESPONSE_KEY, activity);
        created.push({ id: '' });
      } else {
        const body = await this.#call(context, 'POST', activity, activitiesPath(activity));
        created.push(createdSchema.parse(body));
      }
    }
    return created;
  }

  async updateActivity(context: TurnContext, activity: Partial<Activity>): Promise<ResourceResponse> {
    const { id = '' } = activity;
    await this.#call(context, 'PUT', activity, activityPath(activity, id));
    return { id };
  }

  async deleteActivity(context: TurnContext, reference: Partial<ConversationReference>): Promise<void> {
    const { activityId = '', serviceUrl = '' } = reference;
    await this.#call(context, 'DELETE', { serviceUrl }, activityPath(reference, activityId));
  }

  async #call(
    context: TurnContext,
    method: 'POST' | 'PUT' | 'DELETE',
    activity: Partial<Activity>,
    path: string,
  ): Promise<unknown> {
    const timeoutMs = context.turnState.get<number | undefined>(TIMEOUT_KEY);
    const sent = method === 'DELETE' ? undefined : wire(activity);
    const answer = await this.#connector.call(activity.serviceUrl ?? '', method, path, sent, timeoutMs);
    if (answer.ok) return answer.body;
    const { ok: _, ...failure } = answer;
    throw new ConnectorError(failure);
  }
}

/** Without what the address says already, and what only clients that speak look at. */
function wire({ serviceUrl, channelId, inputHint, ...activity }: Partial<Activity>): object {
  const { from, recipient, conversation } = activity;
  return {
    ...activity,
    from: { id: from?.id },
    recipient: { id: recipient?.id },
    conversation: { id: conversation?.id },
  };
}

type Addressed = Pick<Partial<ConversationReference>, 'conversation'>;

function activitiesPath({ conversation }: Addressed): string {
  return `v3/conversations/${encodeURIComponent(conversation?.id ?? '')}/activities`;
}

function activityPath(addressed: Addressed, id: string): string {
  return `${activitiesPath(addressed)}/${encodeURIComponent(id)}`;
}
