import { expect, test } from 'vitest';
import { RateLimiter, type RateLimiterOptions, type SendRequest } from '../../src/channels/rate-limiter.ts';

const PER_SECOND = 30;

/** Time that passes only when the test says so, or when nothing else is left to do. */
function createTime() {
  let nowMs = 0;
  let timers: { readonly atMs: number; readonly run: () => void }[] = [];
  async function passTo(untilMs: number): Promise<void> {
    for (;;) {
      await new Promise(setImmediate);
      const [next] = timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      timers = timers.filter((timer) => timer !== next);
      nowMs = next.atMs;
      next.run();
    }
    nowMs = untilMs;
  }
  const runtime = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    random: () => 0.5,
    timer(ms: number, run: () => void) {
      timers.push({ atMs: nowMs + ms, run });
      return { cancel() {} };
    },
  };
  return { runtime, passTo };
}

function createKit(more: Partial<RateLimiterOptions> = {}) {
  const { runtime, passTo } = createTime();
  const waits: number[] = [];
  const limiter = new RateLimiter({
    ...{ perSecond: PER_SECOND, chatBurst: 3, runtime },
    onSend: (seconds) => void waits.push(seconds),
    ...more,
  });
  let chats = 0;
  const wish = (one: Partial<SendRequest> = {}): SendRequest => ({
    ...{ chat: `${++chats}`, isGroup: false, isReceipt: false, madeAtMs: runtime.nowMs() },
    ...one,
  });
  return { limiter, wish, waits, runtime, passTo };
}

test('a message is sent at once, without a promise, until the limit is near', () => {
  const { limiter, wish, waits } = createKit();
  expect([1, 2, 3].map(() => limiter.take(wish()))).toEqual([0, 0, 0]);
  expect(waits).toEqual([0, 0, 0]);
});

test('no second has more messages than the limit, and a full line uses the limit up', async () => {
  const { limiter, wish, runtime, passTo } = createKit();
  const sentMs: number[] = [];
  async function send(): Promise<void> {
    const message = wish();
    for (let afterMs = await limiter.take(message); afterMs > 0; afterMs = await limiter.take(message)) {
      await new Promise<void>((resolve) => void runtime.timer(afterMs, resolve));
    }
    sentMs.push(runtime.nowMs());
  }
  for (let n = 0; n < 150; n++) void send();
  await passTo(60_000);
  expect(sentMs).toHaveLength(150);
  const inSecond = (fromMs: number) => sentMs.filter((ms) => ms >= fromMs && ms < fromMs + 1000).length;
  expect(Math.max(...sentMs.map(inSecond))).toBeLessThanOrEqual(PER_SECOND);
  expect(Math.max(...sentMs)).toBeLessThan((1.4 * 150 * 1000) / PER_SECOND);
});

test('receipts are sent first, then the oldest', async () => {
  const { limiter, wish, passTo, runtime } = createKit();
  await passTo(10_000);
  for (let n = 0; n < 5; n++) void limiter.take(wish());
  const sent: string[] = [];
  const send = async (name: string, more: Partial<SendRequest>) => {
    if ((await limiter.take(wish(more))) === 0) sent.push(name);
  };
  void send('menu', {});
  void send('old menu', { madeAtMs: runtime.nowMs() - 5000 });
  void send('receipt', { isReceipt: true });
  await passTo(20_000);
  expect(sent).toEqual(['receipt', 'old menu', 'menu']);
});

test('a chat gets no more than its burst in a second, a group 20 in a minute', async () => {
  const { limiter, wish, passTo } = createKit({ perSecond: 1000 });
  const chat = [1, 2, 3, 4].map(() => limiter.take(wish({ chat: 'c' })));
  expect(chat.slice(0, 3)).toEqual([0, 0, 0]);
  expect(chat[3]).toBeGreaterThan(900);
  for (let n = 0; n < 20; n++) {
    await passTo((n + 1) * 1000);
    expect(await limiter.take(wish({ chat: 'g', isGroup: true }))).toBe(0);
  }
  await passTo(22_000);
  expect(await limiter.take(wish({ chat: 'g', isGroup: true }))).toBeGreaterThan(30_000);
});

test('a refusal pauses its chat for as long as it says, and nobody else', async () => {
  const { limiter, wish } = createKit();
  limiter.refused('a', 50_000);
  expect(await limiter.take(wish({ chat: 'a' }))).toBe(50_000);
  expect(await limiter.take(wish({ chat: 'b' }))).toBe(0);
});
