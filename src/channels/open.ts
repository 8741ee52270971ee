import type { Channel, ChannelEntry, ChannelParts } from './channel.ts';
import type { Limit } from './shared/limits.ts';

/** The channels of a process. */
export type OpenChannels = {
  /** Those that are on, in the list's order. */
  readonly channels: readonly Channel[];
  /** What the operator reads at the start. `url`: where the bot listens. */
  greeting(url: string): readonly string[];
};

/** Opens the channels of a list, one after the other. Rejects where two have one name. `createLimit`: a limit for each. */
export async function openChannels<Settings>(
  entries: readonly ChannelEntry<Settings>[],
  settings: Settings,
  parts: Omit<ChannelParts, 'channels' | 'limit'>,
  createLimit: () => Limit,
): Promise<OpenChannels> {
  const known = entries.map(({ traits }) => traits);
  const twice = known.find(({ name }, at) => known.findIndex((other) => other.name === name) < at);
  if (twice) throw new Error(`Two channels are called ${twice.name}`);
  const channels: Channel[] = [];
  const lines: ((url: string) => readonly string[])[] = [];
  for (const entry of entries) {
    const { title } = entry.traits;
    const opened = await entry.open(settings, { ...parts, limit: createLimit(), channels: known });
    if ('off' in opened) lines.push(() => [`${title} is off (${opened.off})`]);
    else {
      channels.push(opened);
      lines.push((url) => opened.greeting?.(url) ?? [`${title} is on.`]);
    }
  }
  return { channels, greeting: (url) => lines.flatMap((line) => line(url)) };
}
