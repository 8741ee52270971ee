import type { FastifyPluginAsync } from 'fastify';
import type { MenuCommand } from '../conversation/conversation.ts';
import type { LocalizedText, PhotoReader, Sender } from '../conversation/message.ts';
import type { Incoming, Platform } from '../engine/messages.ts';
import type { Guard, Limit } from '../http/guard.ts';
import { type Addresses, type Http, inTime } from '../http/server.ts';
import type { Words } from '../i18n.ts';
import type { Log } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import { type Spans, traceWebhooks } from '../observability/tracing.ts';
import type { Tickets } from '../operators/tickets.ts';
import type { Encryption, Feed } from '../store/port.ts';

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
 *   plugin: async (app) => void app.post('/chat', async ({ body }) => accept(read(body))),
 *   deliver: async (outgoing) => send(outgoing.address, outgoing.reply),
 * };
 */
export interface Channel extends Platform {
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
  readonly commands: readonly MenuCommand[];
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

/**
 * What channels hand messages to. Resolves once the message is stored; the work goes on in the background. Rejects with
 * `StoreUnavailable`: the server answers 503 with `Retry-After` (`http/problem.ts`).
 */
export type Accept = (incoming: Incoming, sentMs?: number) => Promise<'accepted' | 'duplicate' | 'full'>;

/** The channels of a process, from the list of those that it could have. */
export class Channels<Settings> {
  /** Of each channel in the list, whether it is on or off. */
  readonly traits: readonly ChannelTraits[];
  readonly #entries: readonly ChannelEntry<Settings>[];
  readonly #open = new Map<string, Channel>();
  readonly #greetings: ((at: Addresses) => readonly string[])[] = [];

  /** Throws where two channels have one name: their conversations would be the same. */
  constructor(entries: readonly ChannelEntry<Settings>[]) {
    this.#entries = entries;
    this.traits = entries.map(({ traits }) => traits);
    const names = this.traits.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) < index);
    if (twice !== undefined) throw new Error(`Two channels are called ${twice}`);
  }

  /** The names of those whose turns carry a look into the turn. */
  get traced(): readonly string[] {
    return this.#entries.filter(({ traced }) => traced).map(({ traits }) => traits.name);
  }

  /** Opens them one after the other; `wrap` may put something between a channel and the engine. */
  async open(
    settings: Settings,
    parts: Omit<ChannelParts, 'limit' | 'channels'>,
    { http, wrap }: { readonly http: Pick<Http, 'createLimit'>; wrap(channel: Channel): Channel },
  ): Promise<void> {
    for (const entry of this.#entries) {
      const { name, title } = entry.traits;
      const limit = http.createLimit();
      const opened = await entry.open(settings, { ...parts, channels: this.traits, limit });
      const isOff = 'off' in opened;
      if (!isOff) this.#open.set(name, wrap(opened));
      const usual = [isOff ? `${title} is off (${opened.off})` : `${title} is on.`];
      this.#greetings.push((at) => (isOff ? usual : (opened.greeting?.(at) ?? usual)));
    }
  }

  /** Mounts their routes. */
  mount({ server, admin }: Pick<Http, 'server' | 'admin'>, spans: Spans): void {
    for (const [name, { plugin, staffPlugin }] of this.#open) {
      if (plugin) server.register(traceWebhooks(plugin, name, spans));
      if (staffPlugin) admin.register(traceWebhooks(staffPlugin, name, spans));
    }
  }

  /** The channel of that name, if it is on. */
  platform(name: string): Channel | undefined {
    return this.#open.get(name);
  }

  /** What the operator reads at the start, of each channel. */
  greeting(at: Addresses): readonly string[] {
    return this.#greetings.flatMap((greeting) => greeting(at));
  }

  /** What is out of order between the bot and each platform that can be out of order. */
  faults(): ReadonlyMap<string, readonly string[]> {
    const platforms = [...this.#open].filter(([, { faults }]) => faults !== undefined);
    return new Map(platforms.map(([name, channel]) => [name, channel.faults?.() ?? []]));
  }

  async start(log: Pick<Log, 'info'>): Promise<void> {
    await this.#each(async (channel, name) => {
      await channel.start?.();
      log.info({ channel: name }, 'channel started');
    });
  }

  /** Takes no more messages; replies are still delivered. */
  async stop(): Promise<void> {
    await this.#each(async (channel) => channel.stop?.());
  }

  async close(log: Pick<Log, 'info'>): Promise<void> {
    await this.#each(async (channel, name) => {
      await inTime(channel.close?.());
      log.info({ channel: name }, 'channel stopped');
    });
  }

  #each(work: (channel: Channel, name: string) => Promise<void>): Promise<unknown> {
    return Promise.all([...this.#open].map(([name, channel]) => work(channel, name)));
  }
}
