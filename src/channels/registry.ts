import { type Addresses, type Http, waitForClose } from '../http/server.ts';
import type { Log } from '../observability/log.ts';
import type { Secrets } from '../records/secrets.ts';
import type { Channel, ChannelEntry, ChannelParts, ChannelTraits } from './channel.ts';

/** What all channels share, and the functions that make the parts of a single channel. */
export type SharedParts = Omit<ChannelParts, 'limit' | 'channels' | 'secrets'> &
  Pick<Http, 'createLimit'> & { readonly createSecrets: (channel: string) => Secrets };

/** The channels of a process, from their entries to their end. `Settings`: what the entries read. */
export class ChannelRegistry<Settings> {
  readonly traits: readonly ChannelTraits[];
  readonly #entries: readonly ChannelEntry<Settings>[];
  readonly #open = new Map<string, Channel>();
  readonly #greetings: ((at: Addresses) => readonly string[])[] = [];

  /** Throws if two channels have one name, or if a name cannot be a label. */
  constructor(entries: readonly ChannelEntry<Settings>[]) {
    this.#entries = entries;
    this.traits = entries.map(({ traits }) => traits);
    const names = this.traits.map(({ name }) => name);
    const repeated = names.find((name, index) => names.indexOf(name) < index);
    if (repeated !== undefined) throw new Error(`Two channels are called ${repeated}`);
    const invalid = names.find((name) => !/^[a-z][a-z\d-]{0,39}$/.test(name));
    if (invalid !== undefined) throw new Error(`A channel is called ${invalid}, wants a short word`);
  }

  get traced(): readonly string[] {
    return this.traits.filter(({ traced }) => traced).map(({ name }) => name);
  }

  /** Opens the channels. `wrap` may put a layer between each and the engine. */
  async open(
    settings: Settings,
    parts: SharedParts,
    wrap = (channel: Channel): Channel => channel,
  ): Promise<void> {
    for (const { traits, open } of this.#entries) {
      const { name, title } = traits;
      const own = { limit: parts.createLimit(), secrets: parts.createSecrets(name) };
      const opened = await open(settings, { ...parts, ...own, channels: this.traits });
      if ('off' in opened) this.#greetings.push(() => [`${title} is off (${opened.off})`]);
      else {
        this.#open.set(name, wrap(opened));
        this.#greetings.push((at) => opened.greeting?.(at) ?? [`${title} is on.`]);
      }
    }
  }

  mount({ server, admin }: Pick<Http, 'server' | 'admin'>): void {
    for (const { plugin, staffPlugin } of this.#open.values()) {
      if (plugin) server.register(plugin);
      if (staffPlugin) admin.register(staffPlugin);
    }
  }

  readonly platform = (name: string): Channel | undefined => this.#open.get(name);

  readonly greeting = (at: Addresses) => this.#greetings.flatMap((greeting) => greeting(at));

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

  readonly stop = () => this.#each(async (channel) => channel.stop?.());
  readonly close = () => this.#each((channel) => waitForClose(channel.close?.()));

  #each(work: (channel: Channel, name: string) => Promise<void>): Promise<unknown> {
    return Promise.all([...this.#open].map(([name, channel]) => work(channel, name)));
  }
}
