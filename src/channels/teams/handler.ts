import {
  type Activity,
  CloudAdapter,
  INVOKE_RESPONSE_KEY,
  type InvokeResponse,
  TeamsActivityHandler,
  TurnContext,
} from 'botbuilder';
import type { Incoming } from '../../engine/messages.ts';
import { fromInstall } from './incoming.ts';

/** How often this process heard that the bot was removed, by conversation: it may be added again within the minute. */
const removals = new Map<string, number>();
const MAX_REMOVALS = 1000;

/**
 * Every activity but messages. Methods of the SDK's handler are overridden instead of registered for (`onMembersAdded`): so
 * it asks the connector for nobody's profile. What has no method here says nothing to us, which is no fault: edits and
 * reactions (answered when the message was new), typing.
 */
class Handler extends TeamsActivityHandler {
  installed: Incoming | null = null;

  protected override async onConversationUpdateActivity({ activity }: TurnContext): Promise<void> {
    const { membersAdded = [], recipient } = activity;
    if (membersAdded.some(({ id }) => id === recipient.id)) this.#install(activity);
  }

  /** Teams reports one installation in two ways, neither of them reliably. */
  protected override async onInstallationUpdateActivity({ activity }: TurnContext): Promise<void> {
    const { id } = activity.conversation;
    if (activity.action === 'add') this.#install(activity);
    if (activity.action !== 'remove') return;
    if (removals.size >= MAX_REMOVALS) removals.clear();
    removals.set(id, (removals.get(id) ?? 0) + 1);
  }

  #install(activity: Activity): void {
    this.installed = fromInstall(activity, removals.get(activity.conversation.id));
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
}

/** It only carries an invoke's response to the end of its turn: nothing is sent from within one, nor could be. */
const ADAPTER = new CloudAdapter();

/** What an activity says to us that is no message, and what it is answered with. */
export async function readOther(activity: Activity): Promise<{ incoming: Incoming | null; body: unknown }> {
  const context = new TurnContext(ADAPTER, activity);
  const handler = new Handler();
  await handler.run(context);
  const response = context.turnState.get<Partial<Activity> | undefined>(INVOKE_RESPONSE_KEY);
  return { incoming: handler.installed, body: response?.value?.body };
}
