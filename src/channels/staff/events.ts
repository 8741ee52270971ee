import type { Words } from '../../i18n.ts';
import type { Observe } from '../../observe.ts';
import type { Feed, FeedEvent } from '../../store/feed.ts';
import type { Outgoing } from '../../turns/delivery.ts';
import { eventSchema, type StaffEvent } from './schema.ts';

/** What the channel needs of `store/seal.ts`: names nobody can read, and bytes nobody can read without the key. */
export type Seal = {
  name(kind: 'conversation', value: string): string;
  seal(associated: string, plain: string): Buffer;
  /** Throws if the bytes were not sealed with our keys and the same `associated`. */
  open(associated: string, sealed: Buffer): string;
};

/** The feed as the staff channel uses it: events in, events out, sealed in between. */
export type Events = {
  /** How the conversation is called in the feed and in logs. */
  name(conversation: string): string;
  /** Appends an event. Rejects as `Feed.publish` does. */
  publish(conversation: string, event: StaffEvent): Promise<void>;
  /** As `Feed.forget`. */
  forget(conversation: string): Promise<void>;
  /** As `Feed.follow`; each event is opened only when it is `read`. */
  follow(conversation: string, afterSeq: number, onEvent: (event: Unread) => void): Promise<() => void>;
};

/** An event still sealed. `read` gives null where it cannot be opened (a lost key), and raises the alarm. */
export type Unread = { readonly seq: number; read(): StaffEvent | null };

export function createEvents(feed: Feed, seal: Seal, observe: Pick<Observe, 'alarm'>): Events {
  /** As the engine's logs call it, too. */
  const nameOf = (conversation: string) => seal.name('conversation', `staff\0${conversation}`);
  const associated = (name: string) => `feed:${name}`;

  function read(name: string, event: FeedEvent): StaffEvent | null {
    try {
      return eventSchema.parse(JSON.parse(seal.open(associated(name), event.body)));
    } catch {
      observe.alarm('seal_broken', { channel: 'staff', conversation: name });
      return null;
    }
  }

  return {
    name: nameOf,
    async publish(conversation, event) {
      const name = nameOf(conversation);
      await feed.publish(name, { seq: event.seq, body: seal.seal(associated(name), JSON.stringify(event)) });
    },
    forget: (conversation) => feed.forget(nameOf(conversation)),
    async follow(conversation, afterSeq, onEvent) {
      const name = nameOf(conversation);
      return feed.follow(name, afterSeq, (event) =>
        onEvent({ seq: event.seq, read: () => read(name, event) }),
      );
    },
  };
}

/** A reply as staff get it: worded, its buttons labelled, its flags kept. */
export function render(
  { reply, locale, turn, last, state, trace }: Outgoing,
  seq: number,
  words: Words,
): StaffEvent {
  const { key, choices, asks, view, form, sharePhone, inPlace, notice } = reply;
  return {
    seq,
    key,
    text: words.text(reply, locale),
    choices: choices?.map(({ id, label }) => ({ id, label: words.line(label, locale) })),
    asks,
    view,
    form: form?.map((field) => ({ ...field, reason: field.reason && words.line(field.reason, locale) })),
    sharePhone,
    inPlace,
    notice,
    turn,
    last,
    state,
    trace,
  };
}
