import type { FastifyPluginAsync } from 'fastify';
import type { MenuCommand } from '../conversation/conversation.ts';
import type { LocalizedText, PhotoReader, Sender } from '../conversation/message.ts';
import type { Incoming, Platform } from '../engine/messages.ts';
import type { Guard, Limit } from '../http/guard.ts';
import type { Addresses } from '../http/server.ts';
import type { Words } from '../i18n.ts';
import type { Observe } from '../observability/metrics.ts';
import type { Tickets } from '../operators/tickets.ts';
import type { Secrets } from '../records/secrets.ts';
import type { Encryption, Feed } from '../store/port.ts';

/** What a channel is, on or off. All lists of channels derive from it. */
export type ChannelTraits = {
  /** A stable word, for the store, metrics, logs and the staff webhook's `as`. */
  readonly name: string;
  /** The name that people use. */
  readonly title: string;
  /** How it proves that an identifier belongs to the sender. */
  readonly proof: Sender['proof'];
  /** Whether it shows one form for all missing slots. */
  readonly drawsForms: boolean;
  /** Whether customers have a button that shares their contact. */
  readonly sharesContacts: boolean;
  /** The last reply of each turn carries the turn's trace. */
  readonly traced?: true;
  /** The platform's other ids of the customer, for operators' searches. */
  knownAs?(address: unknown): readonly string[];
};

/** A way to talk with customers: `examples/own-channel/` is one. `test/contract/channel.ts` tests all. */
export interface Channel extends Platform {
  /**
   * Routes that turn requests into messages. A route answers once `accept` has resolved. If it rejects, the
   * route lets the error through: the server answers 503.
   */
  readonly plugin?: FastifyPluginAsync;
  /** Routes for staff, behind the guard; on `ADMIN_PORT` if it is set. */
  readonly staffPlugin?: FastifyPluginAsync;
  /** What the operator reads at the start. Absent: that the channel is on. */
  greeting?(at: Addresses): readonly string[];
  /**
   * What is out of order at the platform, as last seen (`watch.ts`): what is wrong and what to do, without a
   * secret. Absent: there is no platform.
   */
  faults?(): readonly string[];
  /** Registers, polls, looks for faults. Resolves within seconds; never rejects. */
  start?(): Promise<void>;
  /** Ends what `start` began. Replies are still delivered. */
  stop?(): Promise<void>;
  /** Ends connections: later replies are `undelivered`. May be called twice. */
  close?(): Promise<void>;
}

/** A channel in `src/channels.ts`. `Settings`: what it reads of the configuration. */
export type ChannelEntry<Settings> = {
  readonly traits: ChannelTraits;
  /** Resolves to the channel, or to why it is off. If it rejects, the start fails. */
  open(settings: Settings, parts: ChannelParts): Promise<Channel | { readonly off: string }>;
};

/** The parts of the app that channels may need. */
export type ChannelParts = {
  readonly accept: Accept;
  readonly words: Words;
  /** The commands of a platform's menu, in their order. */
  readonly commands: readonly MenuCommand[];
  readonly observe: Observe;
  /** Limits requests without a valid secret. Each channel has another limit. */
  readonly limit: Limit;
  /** Lets staff pass, and no other caller. */
  readonly guard: Guard;
  readonly encryption: Encryption;
  readonly feed: Feed;
  /** Keeps this channel's own secrets: those that the platform renews. */
  readonly secrets: Secrets;
  /** Reads pictures that come with a request (others: `fetchMedia`). */
  readonly photoReader: PhotoReader;
  /** The picture (PNG) of a QR code (`Reply.qr`); undefined if it cannot be drawn. */
  drawQr(text: string): Promise<Buffer | undefined>;
  /** The customers who asked for a person. `handover`: whether staff answer them. */
  readonly tickets: Tickets;
  readonly handover: boolean;
  /** The operator's answers, which staff may send. */
  readonly answers: readonly { readonly id: string; readonly answer: LocalizedText }[];
  /** The sandbox is the backend: no real points are spent. */
  readonly sandboxed: boolean;
  /** All channels, on or off. */
  readonly channels: readonly ChannelTraits[];
};

/**
 * Takes a message. Resolves once it is stored: `duplicate` if its id was seen before, `full` if too many of
 * the conversation wait (it is dropped). Rejects with `StoreUnavailable`: the platform sends it again.
 * `sentMs`: when the platform says that it was sent, epoch ms.
 */
export type Accept = (incoming: Incoming, sentMs?: number) => Promise<'accepted' | 'duplicate' | 'full'>;
