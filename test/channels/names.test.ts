import { expect, it } from 'vitest';
import { Channels } from '../../src/channels/channel.ts';
import { CHANNELS } from '../../src/channels.ts';

it('refuses two channels of one name, whose conversations would be the same', () => {
  expect(() => new Channels([...CHANNELS, ...CHANNELS])).toThrow('Two channels are called staff');
});

it.each(['0867123456', 'a"} 1\nx', ''])('refuses the channel %j, whose name could be no label', (name) => {
  const entries = CHANNELS.slice(0, 1).map((entry) => ({ ...entry, traits: { ...entry.traits, name } }));
  expect(() => new Channels(entries)).toThrow('wants a short word');
});
