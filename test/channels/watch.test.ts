import { describe, expect, it, onTestFinished } from 'vitest';
import { Watch } from '../../src/channels/watch.ts';
import { recordingObserve } from '../support/observe.ts';

/** A watch over a platform whose faults a test sets, after its first look. */
async function watchPlatform(faults: string[]) {
  const { observe, said } = recordingObserve();
  const platform = { faults };
  const watch = new Watch({ channel: 'telegram', check: async () => platform.faults, observe, everyMs: 5 });
  onTestFinished(() => watch.stop());
  await watch.start();
  const lines = (word: string) => said.filter((line) => line.includes(word));
  return { watch, platform, lines };
}

describe('a watched channel', () => {
  it('is in order again once the fault is cured, and raises one alarm a minute however often it looks', async () => {
    const { watch, platform, lines } = await watchPlatform(['away']);
    expect(watch.faults()).toEqual(['away']);
    expect(lines('["channel"')[0]).toBe('["channel","telegram",false]');
    await expect.poll(() => lines('["channel"').length).toBeGreaterThan(3);
    platform.faults = [];
    await expect.poll(watch.faults).toEqual([]);
    expect(lines('["channel","telegram",true]')).not.toEqual([]);
    expect(lines('in order again')).toHaveLength(1);
    expect(lines('channel_out_of_order')).toHaveLength(1);
  });

  it('does not hold up a start for a platform that does not answer', async () => {
    const { observe } = recordingObserve();
    const late = Promise.withResolvers<readonly string[]>();
    const watch = new Watch({ channel: 'telegram', check: () => late.promise, observe });
    await watch.start();
    expect(watch.faults()).toEqual([]);
    watch.stop();
    late.resolve(['away']);
    await late.promise;
    expect(watch.faults()).toEqual([]);
  });
});
