import { describe, expect, test } from 'vitest';
import { createPace, type PaceOptions, type Wish } from '../../src/channels/pace.ts';
import { createMemoryQuota, openMemoryQuota } from '../../src/store/quota.ts';

const PER_SECOND = 30;

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
    const others = await Promise.all(Array.from({ length: 12 }, () => pace.take(wish())));
    expect(others).toEqual(Array(12).fill(0));
    expect(performance.now() - startMs).toBeGreaterThan(250);
    expect(waits).toHaveLength(13);
    expect(Math.max(...waits)).toBeGreaterThan(0.2);
  });

  test('puts off messages that would wait for longer than a moment, one after the other', async () => {
    const { pace } = createWorld();
    const all = await Promise.all(Array.from({ length: 150 }, () => pace.take(wish())));
    const putOff = all.filter((afterMs) => afterMs > 0).sort((a, b) => a - b);
    expect(putOff.length).toBeGreaterThan(110);
    const lastMs = putOff.at(-1) ?? 0;
    expect(lastMs).toBeGreaterThan(0.8 * putOff.length * (1000 / PER_SECOND));
    expect(lastMs).toBeLessThan(1.3 * putOff.length * (1000 / PER_SECOND));
  });

  test('lets receipts go first, then the oldest', async () => {
    const { pace } = createWorld();
    for (let n = 0; n < 8; n++) await pace.take(wish());
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

  test.each([
    ['a chat', person('a')],
    ['a group', group('g')],
  ])('a refusal pauses %s for as long as it says, and nobody else', async (_what, chat) => {
    const { pace } = createWorld();
    pace.refused(chat, 50_000);
    pace.refused(person('b'), 60_000);
    expect(await pace.take(wish(chat))).toBeGreaterThan(49_000);
    expect(await pace.take(wish(person('c')))).toBe(0);
  });

  test('lets a group have 20 messages a minute', async () => {
    const { pace } = createWorld({ perSecond: 1000, chatBurst: 100 });
    const waits = [];
    for (let n = 0; n < 21; n++) waits.push(await pace.take(wish(group('g'))));
    expect(waits.slice(0, 20)).toEqual(Array(20).fill(0));
    expect(waits[20]).toBeGreaterThan(50_000);
  });
});

/** A world whose time passes only when nothing else is left to do. */
function createVirtualTime() {
  let nowMs = 0;
  const sleepers: { atMs: number; wake: () => void }[] = [];
  const sleep = (ms: number): Promise<void> =>
    new Promise((wake) => {
      const atMs = nowMs + ms;
      const later = sleepers.findIndex((other) => other.atMs > atMs);
      sleepers.splice(later < 0 ? sleepers.length : later, 0, { atMs, wake });
    });
  async function run(): Promise<void> {
    for (let next = sleepers.shift(); next; next = sleepers.shift()) {
      nowMs = next.atMs;
      next.wake();
      await new Promise(setImmediate);
    }
  }
  const world = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep, random: Math.random };
  return { world, run };
}

/** What these processes send in these seconds, each message at a random moment; a command to the store takes 1 ms. */
async function simulate(perSecond: number, processes: number, load: number, seconds: number) {
  const { world, run } = createVirtualTime();
  const shared = createMemoryQuota(Math.floor((perSecond * 29) / 30), world);
  const slow = <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) => {
    return async (...args: Args) => {
      await world.sleep(0.5);
      const result = await call(...args);
      await world.sleep(0.5);
      return result;
    };
  };
  const quota = { take: slow(shared.take), line: slow(shared.line) };
  const paces = Array.from({ length: processes }, () =>
    createPace({ openQuota: () => quota, perSecond, chatBurst: 3, onGo: () => {}, world }),
  );
  const leftMs: number[] = [];
  const waits: number[] = [];
  const random = seeded();
  for (let n = 0; n < perSecond * load * seconds; n++) {
    const atMs = random() * seconds * 1000;
    const pace = paces[Math.floor(random() * processes)];
    void world.sleep(atMs).then(async () => {
      const message = wish({ madeAtMs: atMs });
      for (let afterMs = await pace?.take(message); afterMs; afterMs = await pace?.take(message)) {
        await world.sleep(afterMs);
      }
      leftMs.push(world.monotonicMs());
      waits.push(world.monotonicMs() - atMs);
    });
  }
  await run();
  waits.sort((a, b) => a - b);
  const p = (share: number) => waits[Math.floor(share * waits.length)] ?? Number.NaN;
  const busiest = Math.max(...leftMs.map((_, n) => leftMs.filter((ms) => within(ms, leftMs[n])).length));
  return { p, busiest, tookMs: leftMs.at(-1) ?? 0, sent: leftMs.length };
}

const within = (ms: number, fromMs = 0): boolean => ms >= fromMs && ms < fromMs + 1000;

function seeded(): () => number {
  let state = 20_261_127;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe.each([
  [30, 3],
  [1000, 3],
])('a pace of %i messages a second, of %i processes', (perSecond, processes) => {
  /** What processes may be off by: each may owe its credit, and as much again while it is counted. */
  const slack = 2 * processes * Math.ceil(perSecond / 30);

  test('costs nothing where half of it is used, at 1,000 three quarters', async () => {
    expect((await simulate(perSecond, processes, 0.5, 4)).p(0.95)).toBeLessThanOrEqual(1);
    const { p, busiest } = await simulate(perSecond, processes, 0.75, 4);
    expect(p(0.5)).toBeLessThanOrEqual(1);
    if (perSecond === 1000) expect(p(0.95)).toBeLessThanOrEqual(1);
    else expect(p(0.95)).toBeLessThan(150);
    expect(busiest).toBeLessThanOrEqual(perSecond + slack);
  });

  test('is kept, and used up, where more is wanted than it lets through', async () => {
    const { busiest, tookMs, sent } = await simulate(perSecond, processes, 1.5, 4);
    expect(busiest).toBeLessThanOrEqual(perSecond + slack);
    expect(tookMs).toBeLessThan((1.25 * 1000 * sent) / perSecond);
  });
});
