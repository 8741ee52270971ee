import {
  type Activity,
  ActivityTypes,
  type InvokeResponse,
  TeamsActivityHandler,
  type TurnContext,
} from 'botbuilder';
import type { Incoming } from '../../engine/outlet.ts';
import { fromInstall, fromMessage } from './incoming.ts';

/**
 * Routes the service's activities: a handler for each kind that customers cause turns its context into what was said, and
 * hands that on. Nothing here is slow, for the service waits. What has no handler says nothing to us, which is no fault:
 * edits and reactions (answered when the message was new), typing.
 *
 * The kinds' methods are overridden instead of registered for (`onMessage`): that costs less, and the SDK asks the connector
 * for nobody's profile (docs/decisions/botbuilder.md).
 */
export class CustomerHandler extends TeamsActivityHandler {
  readonly #receive: (incoming: Incoming) => Promise<unknown>;

  /** `receive` resolves once the message is stored; what it rejects with, `run` rejects with. */
  constructor(receive: (incoming: Incoming) => Promise<unknown>) {
    super();
    this.#receive = receive;
  }

  /** Messages, by far the most, take the short way: the SDK's dispatch has five more layers, four times its cost. */
  protected override async onTurnActivity(context: TurnContext): Promise<void> {
    if (context.activity.type === ActivityTypes.Message) await this.onMessageActivity(context);
    else await super.onTurnActivity(context);
  }

  protected override async onMessageActivity({ activity }: TurnContext): Promise<void> {
    await this.#handOn(fromMessage(activity));
  }

  protected override async onConversationUpdateActivity({ activity }: TurnContext): Promise<void> {
    const { membersAdded = [], recipient } = activity;
    const isUs = membersAdded.some(({ id }) => id === recipient.id);
    if (isUs) await this.#handOn(fromInstall(activity));
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
    return { status: 200, body: acknowledged(activity) };
  }

  /** The SDK would parse a meeting's events, and fail where one is not as it expects. */
  protected override async onEventActivity(): Promise<void> {}

  async #handOn(incoming: Incoming | null): Promise<void> {
    if (incoming) await this.#receive(incoming);
  }
}

function acknowledged({ name }: Activity): object {
  return name === 'adaptiveCard/action'
    ? { statusCode: 200, type: 'application/vnd.microsoft.activity.message', value: '' }
    : {};
}
