import { describe, expect, test } from 'vitest';
import { createPace, type PaceOptions, type Wish } from '../../src/channels/pace.ts';
import { openMemoryQuota } from '../../src/store/memory/quota.ts';
import type { Quota } from '../../src/store/quota.ts';
import { StoreUnavailable } from '../../src/store/unavailable.ts';

const PER_SECOND = 20;

/** A pace of its own; `waits` are what it told of those who went. */
function createWorld(more: Partial<PaceOptions> = {}) {
  const waits: number[] = [];
  const quota = openMemoryQuota('test', PER_SECOND);
  const pace = createPace({
    openQuota: () => quota,
    perSecond: PER_SECOND,
    chatBurst: 3,
    onGo: (seconds) => void waits.push(seconds),
    ...more,
  });
  return { pace, quota, waits };
}

let chats = 0;
const wish = (more: Partial<Wish> = {}): Wish => ({
  chat: `${++chats}`,
  isGroup: false,
  isReceipt: false,
  madeAtMs: Date.now(),
  ...more,
});

describe('a pace', () => {
  test('lets one go at once, and the next when their time comes', async () => {
    const { pace, waits } = createWorld();
    const startMs = performance.now();
    let waited: number | undefined;
    void pace.take(wish()).then((ms) => {
      waited = ms;
    });
    // No timer rings meanwhile that it could wait for.
    for (let n = 0; n < 10; n++) await Promise.resolve();
    expect(waited).toBe(0);
    expect(await Promise.all(Array.from({ length: 6 }, () => pace.take(wish())))).toEqual(Array(6).fill(0));
    expect(performance.now() - startMs).toBeGreaterThan(250);
    expect(waits).toHaveLength(7);
    expect(Math.max(...waits)).toBeGreaterThan(0.2);
  });

  test('puts off messages that would wait for longer than a moment, one after the other', async () => {
    const { pace } = createWorld();
    const all = await Promise.all(Array.from({ length: 100 }, () => pace.take(wish())));
    const putOff = all.filter((afterMs) => afterMs > 0).sort((a, b) => a - b);
    expect(putOff.length).toBeGreaterThan(70);
    const lastMs = putOff.at(-1) ?? 0;
    expect(lastMs).toBeGreaterThan(0.8 * putOff.length * (1000 / PER_SECOND));
    expect(lastMs).toBeLessThan(1.3 * putOff.length * (1000 / PER_SECOND));
  });

  test('lets receipts go first, then the oldest', async () => {
    const { pace } = createWorld();
    await pace.take(wish());
    const went: string[] = [];
    const goes = async (name: string, more: Partial<Wish>) => {
      if ((await pace.take(wish(more))) === 0) went.push(name);
    };
    await Promise.all([
      goes('first', {}),
      goes('menu', {}),
      goes('old menu', { madeAtMs: Date.now() - 5000 }),
      goes('receipt', { isReceipt: true }),
    ]);
    expect(went.indexOf('receipt')).toBeLessThan(went.indexOf('menu'));
    expect(went.indexOf('old menu')).toBeLessThan(went.indexOf('menu'));
    expect(went).toHaveLength(4);
  });

  test('lets no chat have more than its burst in a second', async () => {
    const { pace } = createWorld({ perSecond: 1000 });
    const startMs = performance.now();
    for (let n = 0; n < 3; n++) await pace.take(wish({ chat: 'c' }));
    expect(performance.now() - startMs).toBeLessThan(500);
    await pace.take(wish({ chat: 'c' }));
    expect(performance.now() - startMs).toBeGreaterThan(800);
  });

  const person = (chat: string) => ({ chat, isGroup: false });
  const group = (chat: string) => ({ chat, isGroup: true });

  test('after a refusal pauses that chat, and after another one everybody for the shorter wait', async () => {
    const { pace } = createWorld();
    await pace.take(wish());
    await pace.refused(person('a'), 5000);
    expect(await pace.take(wish(person('a')))).toBeGreaterThan(4000);
    expect(await pace.take(wish(person('c')))).toBe(0);
    await pace.refused(person('b'), 3000);
    const waitMs = await pace.take(wish(person('c')));
    expect(waitMs).toBeGreaterThan(2000);
    expect(waitMs).toBeLessThan(4000);
  });

  test('pauses everybody for ten seconds at most', async () => {
    const { pace } = createWorld();
    await pace.refused(person('a'), 60_000);
    await pace.refused(person('b'), 50_000);
    const waitMs = await pace.take(wish(person('c')));
    expect(waitMs).toBeGreaterThan(9000);
    expect(waitMs).toBeLessThan(11_500);
    expect(await pace.take(wish(person('b')))).toBeGreaterThan(49_000);
  });

  test('lets a chat try that was to wait for days: the reply that was refused is given up', async () => {
    const { pace } = createWorld();
    await pace.refused(person('a'), 3 * 86_400_000);
    expect(await pace.take(wish(person('a')))).toBe(0);
  });

  test('is not paused by groups, nor by one chat that is refused twice', async () => {
    const { pace } = createWorld();
    for (const chat of [group('g'), group('h'), person('a'), person('a')]) await pace.refused(chat, 50_000);
    expect(await pace.take(wish())).toBe(0);
    expect(await pace.take(wish(group('g')))).toBeGreaterThan(49_000);
  });

  test('lets a group have 20 messages a minute', async () => {
    const { pace } = createWorld({ perSecond: 1000, chatBurst: 100 });
    const waits = [];
    for (let n = 0; n < 21; n++) waits.push(await pace.take(wish(group('g'))));
    expect(waits.slice(0, 20)).toEqual(Array(20).fill(0));
    expect(waits[20]).toBeGreaterThan(50_000);
  });

  test('goes by its share while the count cannot be reached', async () => {
    const lost = async () => {
      throw new StoreUnavailable('gone');
    };
    const quota: Quota = { take: lost, takePlaces: lost, refused: lost };
    const { pace } = createWorld({ openQuota: () => quota });
    const startMs = performance.now();
    for (let n = 0; n < 6; n++) expect(await pace.take(wish())).toBe(0);
    expect(performance.now() - startMs).toBeGreaterThan(140);
    expect(performance.now() - startMs).toBeLessThan(4000);
  });
});
