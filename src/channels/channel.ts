import type { FastifyPluginAsync } from 'fastify';
import type { Command } from '../conversation/conversation.ts';
import type { LocalizedText, PhotoReader, Sender } from '../conversation/message.ts';
import type { Incoming, Platform } from '../engine/messages.ts';
import type { Guard, Limit } from '../http/guard.ts';
import type { Addresses } from '../http/server.ts';
import type { Words } from '../i18n.ts';
import type { Observe } from '../observability/metrics.ts';
import type { Tickets } from '../operators/tickets.ts';
import type { Feed } from '../store/port.ts';

/**
 * What a channel says of itself, whether it is on or not. All that lists channels derives from it: names in the store,
 * metrics and logs, what the staff webhook imitates, the console's list, the greeting.
 */
export type ChannelTraits = {
  /** A stable word: it names the channel in stored messages, metrics and logs, and in the staff webhook's `as`. */
  readonly name: string;
  /** What people call it. */
  readonly title: string;
  /** How it can prove that an identifier is the sender's own. */
  readonly proof: Sender['proof'];
  /** Whether it draws a form for all missing slots. */
  readonly drawsForms: boolean;
  /** Whether customers have a button there that shares a contact. */
  readonly sharesContacts: boolean;
  /**
   * The platform's other ids by which operators may know the customer of an address, beside the conversation's own. Absent:
   * there are none.
   */
  knownAs?(address: unknown): readonly string[];
};

/**
 * A way to talk with customers. `test/contract/channel.ts` runs the same conversation through each.
 *
 * @example
 * const channel: Channel = {
 *   ...traits,
 *   plugin: async (app) => void app.post('/chat', async ({ body }) => accept(read(body))),
 *   deliver: async (outgoing) => send(outgoing.address, outgoing.reply),
 * };
 */
export interface Channel extends ChannelTraits, Platform {
  /** Turns the platform's requests into messages. Answers only after `accept` has resolved, and does nothing slow. */
  readonly plugin?: FastifyPluginAsync;
  /** Routes for staff, each behind the app's guard: they move to `ADMIN_PORT` where there is one. */
  readonly staffPlugin?: FastifyPluginAsync;
  /** What the operator reads at the start, a line each. Absent: that the channel is on. */
  greeting?(at: Addresses): readonly string[];
  /**
   * What is out of order between the bot and the platform, as last seen, one operator's line each: what is wrong and what
   * to do, without a token or a secret. Costs nothing to ask: the channel looks by itself, at least twice a minute
   * (`watch.ts`). Absent: there is no platform that could be out of order.
   */
  faults?(): readonly string[];
  /**
   * Once the server listens (register webhooks, begin polling, look for faults for the first time). Ends within a few
   * seconds, and must not reject, where a platform is out of reach.
   */
  start?(): Promise<void>;
  /** Takes no more messages: ends what `start` began. Replies are still delivered. */
  stop?(): Promise<void>;
  /**
   * After the last turn: ends event streams, lets calls under way finish and closes connections. What is delivered after
   * that is `undelivered`. May be called twice.
   */
  close?(): Promise<void>;
}

/**
 * A channel in the app's list (`src/channels.ts`). `Settings` is the part of the configuration that it reads. `open`
 * imports whatever needs much memory.
 */
export type ChannelEntry<Settings> = {
  readonly traits: ChannelTraits;
  /** The last reply of each of its turns carries a look into the turn. */
  readonly traced?: true;
  /** Makes the channel, or says what leaves it off, such as `TOKEN is unset`. */
  open(settings: Settings, parts: ChannelParts): Promise<Channel | Off>;
};

export type Off = { readonly off: string };

/** What the app hands to a channel; each takes what it needs. */
export type ChannelParts = {
  readonly accept: Accept;
  readonly words: Words;
  /** What platforms' menus of commands show, in their order. */
  readonly commands: readonly Command[];
  readonly observe: Observe;
  /** For requests that show no secret; each channel counts by itself. */
  readonly limit: Limit;
  /** Lets staff pass, and nobody else. */
  readonly guard: Guard;
  readonly encryption: Encryption;
  readonly feed: Feed;
  /** For pictures that come with a request; turns read those that must be fetched (`Platform.fetchPhoto`). */
  readonly photoReader: PhotoReader;
  /** Who asked for a person; `handover`: staff answer them. */
  readonly tickets: Tickets;
  readonly handover: boolean;
  /** The operator's answers to usual questions, which staff may send, too. */
  readonly answers: readonly { readonly id: string; readonly answer: LocalizedText }[];
  /** The sandbox is the backend: no real points can be spent. */
  readonly sandboxed: boolean;
  /** Every channel in the app's list, whether on or off. */
  readonly channels: readonly ChannelTraits[];
};

/** What channels need of the store's: names nobody can read, and bytes nobody can read without the key. */
export type Encryption = {
  name(kind: 'conversation', value: string): string;
  seal(name: string, plain: Buffer): Buffer;
  /** Throws if the bytes were not sealed with our keys and the same `name`. */
  open(name: string, sealed: Buffer): Buffer;
};

/**
 * What channels hand messages to. Resolves once the message is stored; the work goes on in the background. Rejects with
 * `StoreUnavailable`: the server answers 503 with `Retry-After` (`http/problem.ts`).
 */
export type Accept = (incoming: Incoming, sentMs?: number) => Promise<'accepted' | 'duplicate' | 'full'>;

/** The channels of a process. */
export type OpenChannels = {
  /** Those that are on, in the list's order. */
  readonly channels: readonly Channel[];
  /** What the operator reads at the start. */
  greeting(at: Addresses): readonly string[];
};

/** Opens the channels of a list, one after the other. `createLimit`: a limit for each. */
export async function openChannels<Settings>(
  entries: readonly ChannelEntry<Settings>[],
  settings: Settings,
  parts: Omit<ChannelParts, 'limit'>,
  createLimit: () => Limit,
): Promise<OpenChannels> {
  const channels: Channel[] = [];
  const lines: ((at: Addresses) => readonly string[])[] = [];
  for (const entry of entries) {
    const { title } = entry.traits;
    const opened = await entry.open(settings, { ...parts, limit: createLimit() });
    if ('off' in opened) lines.push(() => [`${title} is off (${opened.off})`]);
    else {
      channels.push(opened);
      lines.push((at) => opened.greeting?.(at) ?? [`${title} is on.`]);
    }
  }
  return { channels, greeting: (at) => lines.flatMap((line) => line(at)) };
}

/** Throws where two channels have one name: their conversations would be the same ones. */
export function assertDistinct(channels: readonly ChannelTraits[]): void {
  const names = channels.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) throw new Error(`Two channels are called ${twice}`);
}
