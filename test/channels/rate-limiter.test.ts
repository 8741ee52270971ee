import { expect, test } from 'vitest';
import { RateLimiter, type SendRequest } from '../../src/channels/rate-limiter.ts';

const PER_SECOND = 30;

/** A limiter whose time passes only when the test says so. */
function createKit({ perSecond = PER_SECOND } = {}) {
  const time = { nowMs: 0 };
  const waits: number[] = [];
  const limiter = new RateLimiter({
    ...{ perSecond, chatBurst: 3, channel: 'telegram' },
    observe: { paced: (seconds) => void waits.push(seconds) },
    runtime: { nowMs: () => time.nowMs, monotonicMs: () => time.nowMs },
  });
  let chats = 0;
  const wish = (one: Partial<SendRequest> = {}): SendRequest => ({
    ...{ chat: `${++chats}`, isGroup: false, isReceipt: false, madeAtMs: time.nowMs },
    ...one,
  });

  /** Sends each as soon as the limiter lets it; resolves to when, ms, in the order in which they were sent. */
  function sendAll(wishes: readonly SendRequest[]) {
    let waiting = wishes.map((one) => ({ one, atMs: time.nowMs }));
    const sent: { chat: string; atMs: number }[] = [];
    for (let [next] = waiting; next; [next] = waiting.sort((one, other) => one.atMs - other.atMs)) {
      time.nowMs = Math.max(time.nowMs, next.atMs);
      next.atMs = time.nowMs + limiter.take(next.one);
      if (next.atMs > time.nowMs) continue;
      sent.push({ chat: next.one.chat, atMs: time.nowMs });
      waiting = waiting.slice(1);
    }
    return sent;
  }
  return { limiter, wish, waits, time, sendAll };
}

const wishes = (count: number, wish: (more?: Partial<SendRequest>) => SendRequest, more = {}) =>
  Array.from({ length: count }, () => wish(more));

test('no second has more messages than the limit, nobody is overtaken, and waits are told', () => {
  const { wish, waits, sendAll } = createKit();
  const sent = sendAll(wishes(150, wish));
  const inSecond = (fromMs: number) => sent.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + 1000);
  expect(Math.max(...sent.map(({ atMs }) => inSecond(atMs).length))).toBeLessThanOrEqual(PER_SECOND);
  expect(sent.at(-1)?.atMs).toBeLessThan((1.4 * 150 * 1000) / PER_SECOND);
  expect(sent.map(({ chat }) => Number(chat))).toEqual(Array.from({ length: 150 }, (_, at) => at + 1));
  expect([waits[0], waits.at(-1)]).toEqual([0, expect.closeTo((sent.at(-1)?.atMs ?? 0) / 1000)]);
});

test('a receipt overtakes the replies that wait', () => {
  const { limiter, wish, time } = createKit();
  const waitsMs = wishes(60, wish).map((one) => limiter.take(one));
  expect(waitsMs.at(-1)).toBeGreaterThan(1000);
  time.nowMs = 1000;
  expect(limiter.take(wish({ isReceipt: true }))).toBe(0);
  expect(limiter.take(wish())).toBeGreaterThan(1000);
});

test('a chat gets no more than its burst in a second, a group 20 in a minute', () => {
  const { limiter, wish, time } = createKit({ perSecond: 1000 });
  const chat = [1, 2, 3, 4].map(() => limiter.take(wish({ chat: 'c' })));
  expect([chat.slice(0, 3), chat[3]]).toEqual([[0, 0, 0], 1000]);
  for (let n = 1; n <= 20; n++) {
    time.nowMs = n * 1000;
    expect(limiter.take(wish({ chat: 'g', isGroup: true }))).toBe(0);
  }
  time.nowMs = 22_000;
  expect(limiter.take(wish({ chat: 'g', isGroup: true }))).toBeGreaterThan(30_000);
});

test('a refusal pauses its chat for as long as it says; refusals of many chats pause all', () => {
  const { limiter, wish, sendAll } = createKit();
  limiter.refused('a', 50_000);
  expect(limiter.take(wish({ chat: 'a' }))).toBe(50_000);
  expect(limiter.take(wish())).toBe(0);
  // Its reply is given up; others may still come.
  limiter.refused('d', 24 * 60 * 60_000);
  expect(limiter.take(wish({ chat: 'd' }))).toBe(0);
  const waiting = wishes(60, wish);
  for (const one of waiting) limiter.take(one);
  // Few people can have their own chats refused: nobody else waits.
  for (let n = 1; n < PER_SECOND / 5 - 1; n++) limiter.refused(`few ${n}`, 7000);
  expect(limiter.take(wish({ isReceipt: true }))).toBe(0);
  limiter.refused('many', 7000);
  const sent = sendAll([...waiting, ...wishes(5, wish, { isReceipt: true })]);
  expect(Math.min(...sent.map(({ atMs }) => atMs))).toBeGreaterThanOrEqual(7000);
  expect(sent.filter(({ atMs }) => atMs < 8000).length).toBeLessThanOrEqual(PER_SECOND);
});
