import type { z } from 'zod';
import type { Observe } from '../../observe.ts';
import type { Feed, FeedEvent } from '../../store/feed.ts';
import { conversationName } from '../../store/messages.ts';
import type { Delivery, Outgoing } from '../../turns/delivery.ts';
import type { Seal } from '../channel.ts';

/** The feed as a channel uses it: events in, events out, sealed in between. */
export type Events<Event> = {
  /** How the conversation is called in the feed and in logs. */
  name(conversation: string): string;
  /**
   * As a channel's `deliver`: appends a reply's event, after it dropped the earlier ones where the customer is to be
   * forgotten. `undelivered` where the store takes nothing.
   */
  deliver(outgoing: Pick<Outgoing, 'conversation' | 'forget'>, event: Event): Promise<Delivery>;
  /** As `Feed.follow`; each event is opened only when it is `read`. */
  follow(
    conversation: string,
    afterSeq: number,
    onEvent: (event: Unread<Event>) => void,
  ): Promise<() => void>;
};

/** An event still sealed. `read` gives null where it cannot be opened (a lost key), and raises the alarm. */
export type Unread<Event> = { readonly seq: number; read(): Event | null };

export type EventsOptions<Event> = {
  /** The channel's name. */
  readonly channel: string;
  readonly schema: z.ZodType<Event>;
  readonly feed: Feed;
  readonly seal: Seal;
  readonly observe: Pick<Observe, 'alarm' | 'log'>;
};

export function createEvents<Event extends { readonly seq: number }>(
  options: EventsOptions<Event>,
): Events<Event> {
  const { channel, schema, feed, seal, observe } = options;
  const nameOf = (conversation: string) => conversationName(seal, channel, conversation);
  const associated = (name: string) => `feed:${name}`;

  function read(name: string, event: FeedEvent): Event | null {
    try {
      return schema.parse(JSON.parse(seal.open(associated(name), event.body)));
    } catch {
      observe.alarm('seal_broken', { channel, conversation: name });
      return null;
    }
  }

  return {
    name: nameOf,
    async deliver({ conversation, forget }, event) {
      const name = nameOf(conversation);
      try {
        if (forget) await feed.forget(name);
        await feed.publish(name, {
          seq: event.seq,
          body: seal.seal(associated(name), JSON.stringify(event)),
        });
        return { kind: 'delivered' };
      } catch (error) {
        const kind = error instanceof Error ? error.name : typeof error;
        observe.log.warn({ channel, error: kind }, 'a reply could not be published');
        return { kind: 'undelivered' };
      }
    },
    async follow(conversation, afterSeq, onEvent) {
      const name = nameOf(conversation);
      return feed.follow(name, afterSeq, (event) =>
        onEvent({ seq: event.seq, read: () => read(name, event) }),
      );
    },
  };
}
