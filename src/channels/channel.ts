import type { FastifyPluginAsync } from 'fastify';
import type { MenuCommand } from '../conversation/conversation.ts';
import type { LocalizedText, PhotoReader, Sender } from '../conversation/message.ts';
import type { Incoming, Platform } from '../engine/messages.ts';
import type { Guard, Limit } from '../http/guard.ts';
import { type Addresses, type Http, waitForClose } from '../http/server.ts';
import type { Words } from '../i18n.ts';
import type { Log } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import type { Tickets } from '../operators/tickets.ts';
import type { Encryption, Feed } from '../store/port.ts';

/**
 * What a channel says of itself, on or off. Every list of channels derives from it: names in the store,
 * metrics and logs, the roles of the staff webhook, the console's list, the greeting.
 */
export type ChannelTraits = {
  /** A stable word: its name in the store, metrics and logs, and in the staff webhook's `as`. */
  readonly name: string;
  /** The name that people use. */
  readonly title: string;
  /** How it proves that an identifier belongs to the sender. */
  readonly proof: Sender['proof'];
  /** Whether it shows one form for all missing slots. */
  readonly drawsForms: boolean;
  /** Whether customers have a button that shares their contact. */
  readonly sharesContacts: boolean;
  /**
   * The platform's other ids of the customer, by which operators may search. Returns a list that may be
   * empty.
   *
   * @example
   * const traits: ChannelTraits = TEAMS;
   * const ids = traits.knownAs?.(address) ?? [];
   */
  knownAs?(address: unknown): readonly string[];
};

/**
 * A way to talk with customers. `test/contract/channel.ts` runs the same conversation through every channel.
 *
 * @example
 * const channel: Channel = {
 *   plugin: async (app) => void app.post('/chat', async ({ body }) => accept(read(body))),
 *   deliver: async (outgoing) => send(outgoing.address, outgoing.reply),
 * };
 */
export interface Channel extends Platform {
  /**
   * Routes that turn the platform's requests into messages. A route answers after `accept` has resolved, and
   * does nothing slow. If `accept` rejects, it lets the error through: the server answers 503 with
   * `Retry-After`.
   */
  readonly plugin?: FastifyPluginAsync;
  /** Routes for staff, each behind the app's guard. They move to `ADMIN_PORT` if it is set. */
  readonly staffPlugin?: FastifyPluginAsync;
  /**
   * Returns the lines that the operator reads at the start. Absent: one line says that the channel is on.
   *
   * @example
   * const channel: Pick<Channel, 'greeting'> = { greeting: ({ url }) => [`Web chat: ${url}/chat`] };
   */
  greeting?(at: Addresses): readonly string[];
  /**
   * Returns what is out of order between the bot and the platform, as last seen; an empty list if all is
   * well. Each line says what is wrong and what to do, without a token or a secret. The call is cheap: the
   * channel looks by itself, at least twice a minute (`watch.ts`). Absent: no platform can be out of order.
   *
   * @example
   * const channel: Pick<Channel, 'faults'> = { faults: () => ['Telegram refuses the token: restart'] };
   */
  faults?(): readonly string[];
  /**
   * Called once the server listens: registers webhooks, begins to poll, looks for faults. Resolves within a
   * few seconds and does not reject if the platform is out of reach.
   */
  start?(): Promise<void>;
  /** Ends what `start` began: no message comes in. Replies are still delivered. */
  stop?(): Promise<void>;
  /**
   * Ends streams and connections after the last turn. Later replies are `undelivered`. May be called twice.
   */
  close?(): Promise<void>;
}

/**
 * A channel in the app's list (`src/channels.ts`). `Settings` is the part of the configuration that it reads.
 * `open` imports what needs much memory.
 *
 * @example
 * const web: ChannelEntry<{ readonly url?: string }> = {
 *   traits: WEB,
 *   open: async ({ url }, parts) => (url ? new WebChannel(url, parts) : { off: 'WEB_URL is unset' }),
 * };
 */
export type ChannelEntry<Settings> = {
  readonly traits: ChannelTraits;
  /** The last reply of each turn carries the turn's trace. */
  readonly traced?: true;
  /**
   * Resolves to the channel, or to the reason why it is off, such as `TOKEN is unset`. Rejects if the
   * settings cannot work: the start ends with that error.
   */
  open(settings: Settings, parts: ChannelParts): Promise<Channel | Off>;
};

/** Why a channel is off. */
export type Off = { readonly off: string };

/** The parts of the app; a channel takes those that it needs. */
export type ChannelParts = {
  readonly accept: Accept;
  readonly words: Words;
  /** The commands that a platform's menu shows, in their order. */
  readonly commands: readonly MenuCommand[];
  readonly observe: Observe;
  /** Limits requests without a valid secret. Each channel has its own counter. */
  readonly limit: Limit;
  /** Lets staff pass, and no other caller. */
  readonly guard: Guard;
  readonly encryption: Encryption;
  readonly feed: Feed;
  /** Reads pictures that come with a request. A turn reads the others (`Platform.fetchPhoto`). */
  readonly photoReader: PhotoReader;
  /** The customers who asked for a person. `handover`: staff answer them. */
  readonly tickets: Tickets;
  readonly handover: boolean;
  /** The operator's answers to usual questions, which staff may send. */
  readonly answers: readonly { readonly id: string; readonly answer: LocalizedText }[];
  /** The sandbox is the backend: no real points are spent. */
  readonly sandboxed: boolean;
  /** Every channel in the app's list, on or off. */
  readonly channels: readonly ChannelTraits[];
};

/**
 * Takes a message from a channel. Resolves once it is stored, and the turn runs in the background:
 * `duplicate` if its id was seen before, `full` if too many messages of the conversation wait (it is
 * dropped). `sentMs`: when the platform says that it was sent, epoch ms. Rejects with `StoreUnavailable` if
 * it cannot be stored: the platform sends it again.
 *
 * @example
 * const accept: Accept = parts.accept;
 * const filed = await accept({ channel: 'web', conversation, id, message, sender, address: null });
 * return filed === 'full' ? problem(reply, 429, 'Too many messages wait.') : reply.code(202).send();
 */
export type Accept = (incoming: Incoming, sentMs?: number) => Promise<'accepted' | 'duplicate' | 'full'>;

type Opening = {
  readonly http: Pick<Http, 'createLimit'>;
  /** May put a layer between a channel and the engine. */
  readonly wrap?: ((channel: Channel) => Channel) | undefined;
};

/** The channels of a process. */
export class Channels<Settings> {
  /** The traits of every channel in the list, on or off. */
  readonly traits: readonly ChannelTraits[];
  readonly #entries: readonly ChannelEntry<Settings>[];
  readonly #open = new Map<string, Channel>();
  readonly #greetings: ((at: Addresses) => readonly string[])[] = [];

  /** Throws if two channels have one name (one conversation), or if a name cannot be a label. */
  constructor(entries: readonly ChannelEntry<Settings>[]) {
    this.#entries = entries;
    this.traits = entries.map(({ traits }) => traits);
    const names = this.traits.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) < index);
    if (twice !== undefined) throw new Error(`Two channels are called ${twice}`);
    const odd = names.find((name) => !/^[a-z][a-z\d-]{0,39}$/.test(name));
    if (odd !== undefined) throw new Error(`A channel is called ${odd}, wants a short word`);
  }

  /** The names of the channels whose turns are traced. */
  get traced(): readonly string[] {
    return this.#entries.filter(({ traced }) => traced).map(({ traits }) => traits.name);
  }

  /** Opens the channels one after the other. */
  async open(
    settings: Settings,
    parts: Omit<ChannelParts, 'limit' | 'channels'>,
    { http, wrap }: Opening,
  ): Promise<void> {
    for (const entry of this.#entries) {
      const { name, title } = entry.traits;
      const limit = http.createLimit();
      const opened = await entry.open(settings, { ...parts, channels: this.traits, limit });
      const isOff = 'off' in opened;
      if (!isOff) this.#open.set(name, wrap?.(opened) ?? opened);
      const usual = [isOff ? `${title} is off (${opened.off})` : `${title} is on.`];
      this.#greetings.push((at) => (isOff ? usual : (opened.greeting?.(at) ?? usual)));
    }
  }

  /** Mounts the channels' routes. */
  mount({ server, admin }: Pick<Http, 'server' | 'admin'>): void {
    for (const { plugin, staffPlugin } of this.#open.values()) {
      if (plugin) server.register(plugin);
      if (staffPlugin) admin.register(staffPlugin);
    }
  }

  /** The channel of that name; undefined if it is off. */
  readonly platform = (name: string): Channel | undefined => this.#open.get(name);

  /** The lines of all channels that the operator reads at the start. */
  greeting(at: Addresses): readonly string[] {
    return this.#greetings.flatMap((greeting) => greeting(at));
  }

  /** The faults of each channel that has a platform, by the channel's name. */
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

  /** Ends the intake of messages; replies are still delivered. */
  async stop(): Promise<void> {
    await this.#each(async (channel) => channel.stop?.());
  }

  async close(log: Pick<Log, 'info'>): Promise<void> {
    await this.#each(async (channel, name) => {
      await waitForClose(channel.close?.());
      log.info({ channel: name }, 'channel stopped');
    });
  }

  #each(work: (channel: Channel, name: string) => Promise<void>): Promise<unknown> {
    return Promise.all([...this.#open].map(([name, channel]) => work(channel, name)));
  }
}
