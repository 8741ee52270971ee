import { expect, it } from 'vitest';
import { CHANNELS } from '../../src/channels.ts';
import { startBot } from '../support/app.ts';

it('refuses two channels of one name, whose conversations would be the same', async () => {
  await expect(startBot({}, { channels: CHANNELS.slice(0, 1) })).rejects.toThrow(
    `Two channels are called ${CHANNELS[0]?.traits.name}`,
  );
});
