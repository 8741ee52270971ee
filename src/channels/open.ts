import type { Limit } from '../http/limits.ts';
import type { Addresses } from '../http/server.ts';
import type { Channel, ChannelEntry, ChannelParts, ChannelTraits } from './channel.ts';

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
