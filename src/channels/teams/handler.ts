import {
  type Activity,
  CloudAdapter,
  INVOKE_RESPONSE_KEY,
  type InvokeResponse,
  TeamsActivityHandler,
  TurnContext,
} from 'botbuilder';
import type { Incoming } from '../../engine/messages.ts';
import { readInstall, readMessage, type TeamsActivity } from './incoming.ts';

/** It only carries an invoke's response to the end of its turn: nothing is sent from within one. */
const ADAPTER = new CloudAdapter();

/** How often this process heard that the bot was removed, by conversation: it may be added again within the minute. */
const removals = new Map<string, number>();
const MAX_REMOVALS = 1000;

/** What a customer says by an activity, if one does, and the body that it is answered with. */
export type HandledActivity = { readonly incoming: Incoming | null; readonly body: unknown };

/**
 * Runs an activity through the SDK's handler.
 *
 * @example
 * const { incoming, body } = await handleActivity(activity);
 * if (incoming) await accept(incoming);
 */
export async function handleActivity(activity: TeamsActivity): Promise<HandledActivity> {
  const context = new TurnContext(ADAPTER, activity);
  const handler = new TeamsHandler(activity);
  await handler.run(context);
  const response = context.turnState.get<Partial<Activity> | undefined>(INVOKE_RESPONSE_KEY);
  return { incoming: handler.incoming, body: response?.value?.body };
}

/**
 * Methods of the SDK's handler are overridden instead of registered for (`onMembersAdded`), so that it asks the connector
 * for no profile. An activity without a method here says nothing to us, which is no fault: edits and reactions (answered
 * when the message was new), typing.
 */
class TeamsHandler extends TeamsActivityHandler {
  incoming: Incoming | null = null;
  readonly #activity: TeamsActivity;

  constructor(activity: TeamsActivity) {
    super();
    this.#activity = activity;
  }

  protected override async onMessageActivity(): Promise<void> {
    this.incoming = readMessage(this.#activity);
  }

  protected override async onConversationUpdateActivity(): Promise<void> {
    const { membersAdded, recipient } = this.#activity;
    if (membersAdded.some(({ id }) => id === recipient.id)) this.#install();
  }

  /** Teams reports one installation in two ways, neither of them reliably. */
  protected override async onInstallationUpdateActivity(): Promise<void> {
    const { action, conversation } = this.#activity;
    if (action === 'add') this.#install();
    if (action !== 'remove') return;
    if (removals.size >= MAX_REMOVALS) removals.clear();
    removals.set(conversation.id, (removals.get(conversation.id) ?? 0) + 1);
  }

  /** Nothing of ours sends invokes, but those that clients send by themselves (feedback, link previews) must succeed. */
  protected override async onInvokeActivity(): Promise<InvokeResponse> {
    const shown = { statusCode: 200, type: 'application/vnd.microsoft.activity.message', value: '' };
    return { status: 200, body: this.#activity.name === 'adaptiveCard/action' ? shown : {} };
  }

  /** The SDK would parse a meeting's events, and fail where one is not as it expects. */
  protected override async onEventActivity(): Promise<void> {}

  #install(): void {
    this.incoming = readInstall(this.#activity, removals.get(this.#activity.conversation.id));
  }
}
