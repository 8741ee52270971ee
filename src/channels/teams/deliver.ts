import { ActivityTypes } from 'botbuilder';
import { z } from 'zod';
import { MAX_PHOTO_BYTES } from '../../conversation/photo.ts';
import type { Delivery, FetchedPhoto, Incoming, Outgoing } from '../../engine/outlet.ts';
import type { Words } from '../../i18n.ts';
import { type Place, type Press, placeOf, pressSchema } from './address.ts';
import { type Connector, conversationPath } from './connector.ts';
import { type Rendered, render, renderUsed } from './render.ts';

/** How long a call that only makes the chat nicer may hold up a reply. */
const NICETY_MS = 3_000;
/** For fetching a picture, ms. */
const FETCH_MS = 5_000;

/** Most turns answer no press, and zod takes long to say that something is wrong. */
const maybePress = pressSchema.optional();
const pictureSchema = z.object({ url: z.string() });

/**
 * Sends replies; every failure is a case of `Delivery`. Keeps nothing between calls. Each goes by one call, which is never
 * repeated here: the engine decides on repeats (docs/how-it-works.md, "A message").
 */
export function createTeamsOutlet(
  connector: Pick<Connector, 'call' | 'file'>,
  words: Words,
  fetchMs = FETCH_MS,
) {
  /** Sends an activity to a conversation or, by its `id`, in place of an earlier one. */
  async function put(place: Place, activity: Rendered, timeoutMs?: number): Promise<Delivery> {
    const { service, conversation, bot, user } = place;
    const { id } = activity;
    const answer = await connector.call(service, {
      method: id === undefined ? 'POST' : 'PUT',
      path: conversationPath(conversation, 'activities', id),
      body: { ...activity, from: { id: bot }, recipient: { id: user }, conversation: { id: conversation } },
      timeoutMs,
    });
    if (answer.ok) return { kind: 'delivered' };
    const { ok: _, ...failure } = answer;
    return failure;
  }

  /** Takes the buttons off a card whose question is over. Best effort: they are dead anyway. */
  async function retire(place: Place, press: Press, locale: Outgoing['locale']): Promise<void> {
    await put(place, { ...renderUsed(press, locale, words), id: press.activity }, NICETY_MS);
  }

  /** Null: that card cannot be edited any more (deleted, too old); a new one is needed. */
  async function edit(place: Place, id: string, rendered: Rendered): Promise<Delivery | null> {
    const delivery = await put(place, { ...rendered, id });
    const isGone = delivery.kind === 'rejected' || delivery.kind === 'unreachable';
    return isGone ? null : delivery;
  }

  return {
    async deliver({ reply, locale, first, ...outgoing }: Outgoing): Promise<Delivery> {
      const place = placeOf(outgoing);
      if (!place) return { kind: 'rejected' };
      const press = maybePress.safeParse(outgoing.press).data;
      const rendered = render(reply, locale, words);
      if (press && reply.inPlace) {
        const edited = await edit(place, press.activity, rendered);
        if (edited) return edited;
      }
      // A reply under the pressed question's own view means that the question goes on, with its buttons.
      const finished = press && first && (press.view === undefined || press.view !== reply.view);
      const [delivery] = await Promise.all([put(place, rendered), finished && retire(place, press, locale)]);
      return delivery;
    },

    /** Shows that the bot is at work. */
    async working(incoming: Pick<Incoming, 'address' | 'conversation'>): Promise<void> {
      const place = placeOf(incoming);
      if (place) await put(place, { type: ActivityTypes.Typing }, NICETY_MS);
    },

    /** `Outlet.fetchPhoto`. The address is the writer's: the connector fetches from its own hosts alone. */
    async fetchPhoto(_: unknown, at: unknown): Promise<FetchedPhoto> {
      const picture = pictureSchema.safeParse(at).data;
      if (!picture) return { kind: 'refused' };
      return connector.file(picture.url, { maxBytes: MAX_PHOTO_BYTES, timeoutMs: fetchMs });
    },
  };
}
