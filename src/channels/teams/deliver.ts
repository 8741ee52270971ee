import type { Words } from '../../i18n.ts';
import type { Delivery, Incoming, Outgoing } from '../../turns/delivery.ts';
import { type Place, type Press, placeOf, pressSchema } from './address.ts';
import type { Answer, Connector } from './connector.ts';
import { type Rendered, render, renderUsed } from './render.ts';

/** What only makes the chat nicer may hold up a reply this long. */
const NICETY_MS = 3_000;

/** Sends replies; every failure is a case of `Delivery`. Keeps nothing between calls. */
export function createDelivery(connector: Connector, words: Words) {
  /** Takes the buttons off a card whose question is over. Best effort: they are dead anyway. */
  async function retire(place: Place, press: Press, locale: Outgoing['locale']): Promise<void> {
    const used = addressed(renderUsed(press, locale, words), place);
    await connector.call(place.service, 'PUT', activityPath(place, press.activity), used, NICETY_MS);
  }

  async function send(place: Place, rendered: Rendered): Promise<Delivery> {
    const sent = addressed(rendered, place);
    return deliveryOf(await connector.call(place.service, 'POST', activitiesPath(place), sent));
  }

  /** Null: that card cannot be edited any more (deleted, too old); a new one is needed. */
  async function edit(place: Place, activity: string, rendered: Rendered): Promise<Delivery | null> {
    const edited = addressed(rendered, place);
    const answer = await connector.call(place.service, 'PUT', activityPath(place, activity), edited);
    const isGone = !answer.ok && (answer.kind === 'rejected' || answer.kind === 'unreachable');
    return isGone ? null : deliveryOf(answer);
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
    const typing = addressed({ type: 'typing' }, place);
    await connector.call(place.service, 'POST', activitiesPath(place), typing, NICETY_MS);
  }

  return { deliver, working };
}

function activitiesPath({ conversation }: Place): string {
  return `v3/conversations/${encodeURIComponent(conversation)}/activities`;
}

function activityPath(place: Place, activity: string): string {
  return `${activitiesPath(place)}/${encodeURIComponent(activity)}`;
}

function addressed(rendered: Rendered, { conversation, bot, user }: Place): Rendered {
  return { ...rendered, from: { id: bot }, recipient: { id: user }, conversation: { id: conversation } };
}

function deliveryOf(answer: Answer): Delivery {
  if (answer.ok) return { kind: 'delivered' };
  const { ok: _ok, ...delivery } = answer;
  return delivery;
}
