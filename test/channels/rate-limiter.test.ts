import { describe, expect, test } from 'vitest';
import { RateLimiter, type SendRequest } from '../../src/channels/rate-limiter.ts';
import type { Delivery } from '../../src/engine/messages.ts';

const PER_SECOND = 30;

/** A limiter whose time passes only when the test says so. */
function createKit({ perSecond = PER_SECOND } = {}) {
  const time = { nowMs: 0 };
  const waits: number[] = [];
  const limiter = new RateLimiter({
    perSecond,
    chatBurst: 3,
    channel: 'telegram',
    observe: { paced: (seconds) => void waits.push(seconds) },
    runtime: { nowMs: () => time.nowMs, monotonicMs: () => time.nowMs },
  });
  let chats = 0;
  const wish = (one: Partial<SendRequest> = {}): SendRequest => ({
    chat: `${++chats}`,
    isGroup: false,
    isReceipt: false,
    madeAtMs: time.nowMs,
    ...one,
  });

  /**
   * Sends each as soon as the limiter lets it; resolves to when, ms, in the order in which they were sent.
   */
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
  /** A message to the chat, which the platform takes or refuses; then time passes. */
  function send(chat: string, delivery: Delivery, thenMs = 0): void {
    limiter.take(wish({ chat, isReceipt: true }));
    limiter.note(chat, delivery);
    time.nowMs += thenMs;
  }

  /**
   * What bystanders wait for their answer, ms: one a second writes, each once. Meanwhile each attacker writes
   * 15 messages a second. `isTooMuch`: whether the platform refuses a chat, which got messages at `sentMs`.
   */
  function live({ minutes, attackers, isTooMuch }: Attack) {
    const queue = attackers.map((chat) => ({ one: wish({ chat }), atMs: 0 }));
    const sentMs = new Map(attackers.map((chat): [string, number[]] => [chat, []]));
    const bystanders: number[] = [];
    let refusals = 0;
    for (; time.nowMs < (minutes * 60 + 30) * 1000; time.nowMs += 10) {
      if (time.nowMs % 1000 === 0 && time.nowMs < minutes * 60_000) queue.push({ one: wish(), atMs: 0 });
      for (const waiting of queue.filter(({ atMs }) => atMs <= time.nowMs)) {
        const { one } = waiting;
        waiting.atMs = time.nowMs + limiter.take(one);
        if (waiting.atMs > time.nowMs) continue;
        const sent = sentMs.get(one.chat);
        sent?.push(time.nowMs);
        if (!sent) bystanders.push(time.nowMs + CALL_MS - one.madeAtMs);
        const isRefused = sent !== undefined && isTooMuch(sent, time.nowMs);
        if (isRefused) refusals += 1;
        limiter.note(one.chat, isRefused ? { kind: 'throttled', afterMs: 300_000 } : { kind: 'delivered' });
        if (isRefused) waiting.atMs = time.nowMs + 300_000;
        else if (sent) waiting.atMs = time.nowMs + 1000 / 15;
        else queue.splice(queue.indexOf(waiting), 1);
      }
    }
    return { waits: bystanders, refused: refusals };
  }

  const refuse = (chat: string, afterMs: number) => send(chat, { kind: 'throttled', afterMs });
  /** So many chats that got nothing before are refused, 50 ms apart. */
  function refuseMany(count: number, afterMs: number): void {
    for (let n = 0; n < count; n++) send(`quiet ${++chats}`, { kind: 'throttled', afterMs }, 50);
  }
  const pass = (chat: string) => send(chat, { kind: 'delivered' });
  return { limiter, wish, waits, time, sendAll, refuse, refuseMany, pass, live };
}

type Attack = {
  readonly minutes: number;
  readonly attackers: readonly string[];
  isTooMuch(sentMs: readonly number[], nowMs: number): boolean;
};

const DAY_MS = 24 * 60 * 60_000;
/** How long the platform takes to answer. */
const CALL_MS = 100;

const wishes = (count: number, wish: (more?: Partial<SendRequest>) => SendRequest, more = {}) =>
  Array.from({ length: count }, () => wish(more));

test('no second has more messages than the limit, none overtakes another, and each learns how long it waits', () => {
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
  const waitsMs = wishes(60, wish).map((request) => limiter.take(request));
  expect(waitsMs.at(-1)).toBeGreaterThan(1000);
  time.nowMs = 1000;
  expect(limiter.take(wish({ isReceipt: true }))).toBe(0);
  expect(limiter.take(wish())).toBeGreaterThan(1000);
});

test('a chat gets three bursts, one a second, then a message and a toast a second; a group 20 in a minute', () => {
  const { limiter, wish, time, sendAll } = createKit({ perSecond: 1000 });
  const chat = [1, 2, 3, 4].map(() => limiter.take(wish({ chat: 'c' })));
  expect(chat).toEqual([0, 0, 0, 334]);
  const toasts = [1, 2, 3, 4].map(() => limiter.take(wish({ chat: 'c', isToast: true })));
  expect(toasts).toEqual([0, 0, 0, 334]);
  time.nowMs = 60_000;
  const atMs = sendAll(wishes(20, wish, { chat: 'c' })).map((message) => message.atMs);
  expect(atMs.at(-1)).toBe(60_000 + (20 - 9) * 1000);
  const group = sendAll(wishes(60, wish, { chat: 'g', isGroup: true })).map((message) => message.atMs);
  const most = group.map((fromMs) => group.filter((at) => at >= fromMs && at < fromMs + 60_000).length);
  expect(Math.max(...most)).toBeLessThanOrEqual(20);
});

test('a refusal pauses only its chat, for as long as it says; a refusal for days pauses no chat', () => {
  const { limiter, wish, refuse } = createKit();
  refuse('a', 50_000);
  expect([limiter.take(wish({ chat: 'a' })), limiter.take(wish())]).toEqual([50_000, 0]);
  refuse('b', 9 * DAY_MS);
  expect(limiter.take(wish({ chat: 'b' }))).toBe(0);
});

describe('refusals of many quiet chats', () => {
  test('pause all chats if nothing passes for a second: one probe leaves after five seconds', () => {
    const { limiter, wish, refuseMany, time, pass } = createKit();
    refuseMany(19, 300_000);
    pass('between');
    refuseMany(20, 300_000);
    const receipt = wish({ isReceipt: true });
    const other = wish();
    expect([limiter.take(receipt), limiter.take(other)]).toEqual([0, expect.any(Number)]);
    refuseMany(1, 300_000);
    expect([limiter.take(receipt), limiter.take(other)]).toEqual([4950, 5200]);
    time.nowMs += 4950;
    expect([limiter.take(other), limiter.take(receipt), limiter.take(wish())]).toEqual([250, 0, 500]);
    limiter.note(receipt.chat, { kind: 'delivered' });
    expect(limiter.take(other)).toBe(0);
  });

  test('let probes leave at doubling intervals, until the time that Telegram asked for is over', () => {
    const { limiter, wish, refuseMany, time } = createKit();
    refuseMany(21, 60_000);
    const fromMs = time.nowMs - 50;
    const probedMs: number[] = [];
    const end = { kind: 'undelivered' } as const;
    for (; time.nowMs < fromMs + 60_000; time.nowMs += 50) {
      const probe = wish({ isReceipt: true });
      if (limiter.take(probe) > 0) continue;
      probedMs.push(time.nowMs - fromMs);
      limiter.note(probe.chat, end);
    }
    expect(probedMs).toEqual([5000, 15_000, 35_000]);
    expect([limiter.take(wish()), limiter.take(wish())]).toEqual([0, 0]);
  });

  test('pause no other chat if the refused ones had got more than a message in the last minute, or were few', () => {
    const { limiter, wish, refuse, refuseMany, time, pass } = createKit();
    for (let n = 0; n < 50; n++) for (const _ of [1, 2]) pass(`busy ${n}`);
    time.nowMs += 30_000;
    for (let n = 0; n < 50; n++, time.nowMs += 50) refuse(`busy ${n}`, 300_000);
    for (let n = 0; n < 20; n++, time.nowMs += 250) refuseMany(1, 300_000);
    expect(limiter.take(wish({ isReceipt: true }))).toBe(0);
  });
});

describe('a few chats that provoke refusals', () => {
  const p95 = (waits: readonly number[]) => waits.toSorted((a, b) => a - b)[Math.floor(0.95 * waits.length)];

  test.each<[what: string, isTooMuch: (sentMs: readonly number[], nowMs: number) => boolean]>([
    ['above a message a second', (sent, nowMs) => sent.filter((at) => at > nowMs - 5000).length > 5],
    ['from their second message on', (sent) => sent.length > 1],
    ['from the first one on, as after a restart of the bot', () => true],
  ])('make no other chat wait for twice as long: refused %s', (_what, isTooMuch) => {
    const attackers = Array.from({ length: 8 }, (_, n) => `attacker ${n}`);
    for (const perSecond of [15, PER_SECOND]) {
      const quiet = createKit({ perSecond }).live({ minutes: 6, attackers: [], isTooMuch });
      const attacked = createKit({ perSecond }).live({ minutes: 6, attackers, isTooMuch });
      expect(attacked.waits).toHaveLength(6 * 60);
      expect(attacked.refused).toBeGreaterThan(15);
      expect(p95(attacked.waits)).toBeLessThanOrEqual(2 * (p95(quiet.waits) ?? 0));
    }
  });
});
