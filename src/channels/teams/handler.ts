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

/** Carries an invoke's response to the end of its turn. Nothing is sent within a turn. */
const ADAPTER = new CloudAdapter();

/** What a customer says with an activity (null: nothing), and the body of the answer. */
export type HandledActivity = { readonly incoming: Incoming | null; readonly body: unknown };

/**
 * Runs an activity through the SDK's handler. Rejects only by a fault of ours.
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
 * Overrides methods instead of registering handlers (`onMembersAdded`), so that the SDK fetches no profiles.
 * Other activities say nothing to us: edits and reactions (the message was answered when it was new), typing.
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

  /** Teams reports an installation in two ways; neither is reliable. */
  protected override async onInstallationUpdateActivity(): Promise<void> {
    if (this.#activity.action === 'add') this.#install();
  }

  /** Our cards send no invokes, but those of clients (feedback, link previews) must succeed. */
  protected override async onInvokeActivity(): Promise<InvokeResponse> {
    const shown = { statusCode: 200, type: 'application/vnd.microsoft.activity.message', value: '' };
    return { status: 200, body: this.#activity.name === 'adaptiveCard/action' ? shown : {} };
  }

  /** The SDK would parse the events of meetings, and fail if their shape is unexpected. */
  protected override async onEventActivity(): Promise<void> {}

  #install(): void {
    this.incoming = readInstall(this.#activity);
  }
}
