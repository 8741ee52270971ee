import { ActivityTypes, type ConversationReference, type TurnContext } from 'botbuilder';
import type { Delivery, Incoming, Outgoing } from '../../engine/outlet.ts';
import type { Words } from '../../i18n.ts';
import { type ConnectorAdapter, ConnectorError } from './adapter.ts';
import { type Place, type Press, placeOf, pressSchema } from './address.ts';
import { type Rendered, render, renderUsed } from './render.ts';

/** How long a call that only makes the chat nicer may hold up a reply. */
const NICETY_MS = 3_000;

/** What is done in a conversation, as the SDK does it. */
type Act = (context: TurnContext) => Promise<unknown>;

/** Sends replies; every failure is a case of `Delivery`. Keeps nothing between calls. */
export function createTeamsOutlet(adapter: ConnectorAdapter, words: Words) {
  /** Goes on with a conversation from its stored address. */
  async function attempt(place: Place, act: Act, timeoutMs?: number): Promise<Delivery> {
    try {
      await adapter.continueConversation(
        referenceOf(place),
        async (context) => void (await act(context)),
        timeoutMs,
      );
      return { kind: 'delivered' };
    } catch (error) {
      if (error instanceof ConnectorError) return error.failure;
      throw error;
    }
  }

  /** Takes the buttons off a card whose question is over. Best effort: they are dead anyway. */
  async function retire(place: Place, press: Press, locale: Outgoing['locale']): Promise<void> {
    const used = { ...renderUsed(press, locale, words), id: press.activity };
    await attempt(place, (context) => context.updateActivity(used), NICETY_MS);
  }

  function send(place: Place, rendered: Rendered): Promise<Delivery> {
    return attempt(place, (context) => context.sendActivities([rendered]));
  }

  /** Null: that card cannot be edited any more (deleted, too old); a new one is needed. */
  async function edit(place: Place, id: string, rendered: Rendered): Promise<Delivery | null> {
    const delivery = await attempt(place, (context) => context.updateActivity({ ...rendered, id }));
    const isGone = delivery.kind === 'rejected' || delivery.kind === 'unreachable';
    return isGone ? null : delivery;
  }

  async function deliver({ reply, locale, first, ...outgoing }: Outgoing): Promise<Delivery> {
    const place = placeOf(outgoing);
    if (!place) return { kind: 'rejected' };
    const press = pressSchema.safeParse(outgoing.press).data;
    const rendered = render(reply, locale, words);
    if (press && reply.inPlace) {
      const edited = await edit(place, press.activity, rendered);
      if (edited) return edited;
    }
    // A reply under the pressed question's own view means that the question goes on, with its buttons.
    const finished = press && first && (press.view === undefined || press.view !== reply.view);
    const [delivery] = await Promise.all([send(place, rendered), finished && retire(place, press, locale)]);
    return delivery;
  }

  /** Shows that the bot is at work. */
  async function working(incoming: Pick<Incoming, 'address' | 'conversation'>): Promise<void> {
    const place = placeOf(incoming);
    if (!place) return;
    await attempt(place, (context) => context.sendActivity({ type: ActivityTypes.Typing }), NICETY_MS);
  }

  return { deliver, working };
}

/** A stored address as the SDK takes it. Its type wants more than a reply needs: the connector knows names and kinds. */
function referenceOf({ service, conversation, bot, user }: Place): ConversationReference {
  return {
    serviceUrl: service,
    channelId: 'msteams',
    bot: { id: bot, name: '' },
    user: { id: user, name: '' },
    conversation: { id: conversation, name: '', isGroup: false, conversationType: '' },
  };
}
