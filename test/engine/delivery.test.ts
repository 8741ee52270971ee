import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Unwordable } from '../../src/conversation/reply.ts';
import { afterDelivery, type DeliveryTry } from '../../src/engine/delivery-policy.ts';
import { LIMITS } from '../../src/engine/limits.ts';
import type { Delivery } from '../../src/engine/messages.ts';
import { Outage } from '../../src/engine/outage.ts';
import type { Perform } from '../../src/engine/perform.ts';
import { NEVER_TRIED } from '../../src/engine/transitions.ts';
import { type Key, type RecordStore, StoreUnavailable } from '../../src/store/port.ts';
import { recordingObserve } from '../support/observe.ts';
import { conversation, createWorld, incoming, NOW } from './bot.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** When a reply is tried whose tries all end like this, ms after it was made; at the end it is given up. */
function triesOf(kind: 'undelivered' | 'uncertain', deliveredMs = -1): number[] {
  const tries: number[] = [];
  let before: DeliveryTry = { madeAtMs: NOW, nowMs: NOW, tried: NEVER_TRIED, random: () => 0.5 };
  for (;;) {
    tries.push(before.nowMs - NOW);
    const fate = afterDelivery({ kind }, before, deliveredMs);
    if (fate.kind === 'dropped') return tries;
    if (fate.kind !== 'waits') throw new Error(fate.kind);
    const { afterMs, tried = NEVER_TRIED } = fate.wait;
    before = { ...before, nowMs: before.nowMs + afterMs, tried };
  }
}

test('a reply that was not delivered is tried with growing waits, for a day', () => {
  const tries = triesOf('undelivered');
  const waits = tries.slice(1).map((atMs, n) => atMs - (tries[n] ?? 0));
  expect(waits).toEqual(waits.toSorted((one, other) => one - other));
  expect([waits[0], waits.at(-1)]).toEqual([1000, 10 * MINUTE]);
  expect(tries.at(-1)).toBeGreaterThan(24 * HOUR);
  expect(tries.at(-1)).toBeLessThan(25 * HOUR);
});

const hours = [1, 2, 4, 8, 16].map((n) => n * HOUR);
test.each([
  ['within the hour', NOW, [10_000, MINUTE, 10 * MINUTE, HOUR]],
  ['for sixteen hours while nobody gets any', -1, [10_000, MINUTE, 10 * MINUTE, ...hours]],
])('a reply that was perhaps delivered is tried %s', (_, deliveredMs, dueMs) => {
  const [, ...tries] = triesOf('uncertain', deliveredMs);
  expect(tries).toHaveLength(dueMs.length);
  // A tenth later at most.
  const shares = tries.map((atMs, n) => atMs / (dueMs[n] ?? 0));
  expect(Math.min(...shares)).toBeGreaterThanOrEqual(1);
  expect(Math.max(...shares)).toBeLessThan(1.11);
});

test('a try that a message of the customer brought forward does not count', () => {
  const tried = { tries: 2, sinceMs: NOW };
  const early = { madeAtMs: NOW, nowMs: NOW + 20_000, tried, random: () => 0.5 };
  const fate = afterDelivery({ kind: 'uncertain' }, early, -1);
  expect(fate).toMatchObject({ wait: { afterMs: 40_000, tried } });
});

test('a reply is given up if its platform asks to wait for longer than the rest of its day', () => {
  const before = { madeAtMs: NOW, nowMs: NOW + HOUR, tried: NEVER_TRIED, random: () => 0.5 };
  const kindOf = (afterMs: number) => afterDelivery({ kind: 'throttled', afterMs }, before, -1).kind;
  expect([kindOf(23 * HOUR), kindOf(24 * HOUR)]).toEqual(['waits', 'dropped']);
});

/** A world whose platform does so with the first replies, and what else happens to these messages. */
async function answer(texts: string, ...script: (Delivery | (() => Promise<Delivery>))[]) {
  const world = createWorld();
  world.script.push(...script);
  const engine = world.engine();
  for (const text of texts) await engine.accept(incoming(text));
  return { ...world, engine };
}

test('a reply that is given up has an alarm, and the next goes on', async () => {
  const world = createWorld();
  let bad: number | undefined;
  const engine = world.engine({
    platform: () => ({
      async deliver(outgoing, seq) {
        bad ??= seq;
        return seq === bad ? { kind: 'uncertain' } : world.platform.deliver(outgoing, seq);
      },
    }),
  });
  for (const text of ['a', 'b']) await engine.accept(incoming(text));
  await world.quiet(10 * MINUTE);
  expect(world.answers()).toEqual(['a b']);
  expect(world.alarms.map(({ name }) => name)).toContain('delivery_given_up');
});

test('the tries of a reply that arrives at last do not count for the reply behind it', async () => {
  const world = createWorld();
  const step: typeof conversation.step = (state, input, context) => {
    const decision = conversation.step(state, input, context);
    return { ...decision, replies: [...decision.replies, { key: 'menu' }] };
  };
  const engine = world.engine({ conversation: { ...conversation, step } });
  const uncertain = { kind: 'uncertain' } as const;
  const script = [uncertain, uncertain, uncertain, uncertain, { kind: 'delivered' }, uncertain] as const;
  world.script.push(...script);
  await engine.accept(incoming('a'));
  await world.quiet(HOUR);
  expect(world.deliveries).toEqual([...script.map(({ kind }) => kind), 'delivered']);
  expect(world.alarms.map(({ name }) => name)).not.toContain('delivery_given_up');
});

test('a reply whose sending ends each process is given up after five, and the next message is answered', async () => {
  const world = createWorld();
  const ends = () => new Promise<Delivery>(() => {});
  world.script.push(...Array.from({ length: LIMITS.attempts }, () => ends));
  const engine = world.engine();
  for (const text of ['a', 'b']) await engine.accept(incoming(text));
  await world.quiet();
  expect(world.script).toEqual([]);
  expect(world.answers()).toEqual(['a b']);
  expect(world.alarms.map(({ name }) => name)).toEqual(['delivery_given_up']);
  // The first is still being sent, for all that anybody knows.
  expect(world.turns).toEqual(['done']);
});

test('a refused reply is dropped with an alarm a minute, one that cannot be reached without, and the next goes on', async () => {
  const rejected = { kind: 'rejected' } as const;
  const { quiet, ...world } = await answer('abcd', rejected, rejected, { kind: 'unreachable' });
  await quiet();
  expect(world.answers()).toEqual(['a b c d']);
  expect(world.deliveries).toEqual(['rejected', 'rejected', 'unreachable', 'delivered']);
  expect(world.alarms.map(({ name }) => name)).toEqual(['delivery_rejected']);
  world.advance(60_000);
  world.script.push(rejected);
  await world.engine.accept(incoming('e'));
  await expect.poll(() => world.alarms).toHaveLength(2);
});

test('a reply that its channel cannot render is dropped; if the channel throws, it is perhaps delivered', async () => {
  const { deliveries } = await answer(
    'ab',
    () => Promise.reject(new Unwordable('Missing wording')),
    () => Promise.reject(new Error('a fault of the channel')),
  );
  await expect.poll(() => deliveries).toEqual(['rejected', 'uncertain']);
});

test('a reply that was perhaps delivered is not tried again before the time that the platform asks for', async () => {
  const world = await answer('a', { kind: 'uncertain', afterMs: 5 * MINUTE });
  await expect.poll(async () => (await world.record())?.lease).toBeNull();
  await world.engine.accept(incoming('b'));
  const { atMs = 0, earliestMs = 0 } = (await world.record())?.retry ?? {};
  expect(Math.min(atMs, earliestMs) - world.outside.nowMs()).toBeGreaterThanOrEqual(5 * MINUTE - 1);
});

test('a reply for a channel that this process has not waits for one that has it', async () => {
  const world = createWorld();
  const without = world.engine({ platform: () => undefined });
  await without.accept(incoming('a'));
  await expect.poll(() => world.deliveries).toEqual(['undelivered']);
  await without.stop();
  world.engine();
  await world.quiet();
  expect(world.answers()).toEqual(['a']);
});

function createKit() {
  const { observe, observed } = recordingObserve();
  const outage = new Outage('one', observe, { monotonicMs: () => 0 });
  /** Whether it was sent. */
  const send = (kind: Delivery['kind'], nowMs = 0): boolean => {
    const permit = outage.admit(nowMs);
    if (permit !== null) outage.note(permit, { kind }, nowMs);
    return permit !== null;
  };
  const isFailing = () => observed.findLast((line) => line.startsWith('["failing","one"'))?.includes('true');
  return { outage, send, observed, isFailing };
}

test('a channel fails, with an alarm, while most of its last sends do; then probes go out, until one succeeds', () => {
  const { outage, send, observed, isFailing } = createKit();
  for (const kind of ['delivered', 'delivered', 'uncertain', 'undelivered'] as const) send(kind);
  expect(isFailing()).toBe(false);
  for (let n = 0; n < 3; n++) send('uncertain');
  expect(isFailing()).toBe(true);
  const alarms = observed.filter((line) => line.includes('delivery_failing'));
  expect(alarms).toEqual(['["alarm","delivery_failing",{"channel":"one"}]']);
  // One in five seconds, one at a time.
  expect(send('uncertain', 5000)).toBe(true);
  expect(send('uncertain', 9999)).toBe(false);
  const probe = outage.admit(10_000);
  expect(send('delivered', 60_000)).toBe(false);
  if (probe !== null) outage.note(probe, { kind: 'delivered' }, 60_000);
  expect(isFailing()).toBe(false);
  expect(send('delivered', 10_000)).toBe(true);
});

test('a platform that throttles, or refuses our token or the customer, does not fail', () => {
  const { send, isFailing } = createKit();
  for (const kind of ['throttled', 'unauthorized', 'unreachable', 'rejected'] as const)
    for (let n = 0; n < 5; n++) send(kind);
  expect(isFailing()).toBe(false);
});

/** A redemption with two names of its customer, in a bot whose store refuses to unlock the first. */
function createLocked() {
  const world = createWorld();
  const names = ['customer:1', 'customer:2'];
  const refused: Key = `u:${world.encryption.name('customer', 'customer:1')}`;
  let isRefusing = false;
  const compareAndSwap: RecordStore['compareAndSwap'] = (key, swap) =>
    isRefusing && key === refused
      ? Promise.reject(new StoreUnavailable('full'))
      : world.store.compareAndSwap(key, swap);
  const perform: Perform = async (effect, turn) => {
    const operation = 'operation' in effect ? effect.operation : '';
    for (const name of names) await turn.lock(name, operation);
    isRefusing = true;
    return { kind: 'applied', operation, locks: names };
  };
  const step: typeof conversation.step = (state, input, context) => ({
    ...conversation.step(state, input, context),
    ...(input.kind === 'outcome' && { wakeAtMs: context.nowMs + 1000 }),
  });
  const engine = world.engine({
    perform,
    store: { ...world.store, compareAndSwap },
    conversation: { ...conversation, step },
    runtime: { ...world.outside, sleep: async () => {} },
  });
  const recover = () => {
    isRefusing = false;
  };
  return { ...world, engine, recover };
}

test('a lock that the store does not give back holds up no other lock', async () => {
  const world = createLocked();
  await world.engine.accept(incoming('redeem:op1'));
  await expect.poll(async () => (await world.record())?.lease).toBeNull();
  expect((await world.lock('customer:2', 'other')).locked).toBe(true);
  expect((await world.lock('customer:1', 'other')).locked).toBe(false);
  world.recover();
  await world.quiet();
  expect((await world.lock('customer:1', 'other')).locked).toBe(true);
});

test('a reply behind a lock that the store does not give back is sent once', async () => {
  const world = createLocked();
  world.script.push({ kind: 'throttled', afterMs: MINUTE });
  await world.engine.accept(incoming('redeem:op1'));
  await expect.poll(async () => (await world.record())?.lease).toBeNull();
  // A wake-up adds its reply behind those that wait.
  world.advance(1000);
  await expect.poll(async () => (await world.record())?.wakeMs).toBe(0);
  await expect.poll(async () => (await world.record())?.lease).toBeNull();
  world.advance(MINUTE);
  await expect.poll(() => world.sent.length).toBeGreaterThanOrEqual(3);
  for (let n = 0; n < 3; n++) {
    world.advance(5000);
    await setTimeout(20);
  }
  world.recover();
  await world.quiet();
  expect(world.answers()).toEqual(['redeem:op1', 'applied', 'woken']);
  expect((await world.lock('customer:1', 'other')).locked).toBe(true);
});

test('a lock that the store does not give back at first waits for no reply that has to wait for hours', async () => {
  const world = createLocked();
  world.script.push({ kind: 'throttled', afterMs: 3 * HOUR });
  await world.engine.accept(incoming('redeem:op1'));
  await expect.poll(async () => (await world.record())?.lease).toBeNull();
  world.advance(1000);
  await expect.poll(async () => (await world.record())?.wakeMs).toBe(0);
  world.recover();
  for (let n = 0; n < 3; n++) {
    world.advance(5000);
    await setTimeout(20);
  }
  expect((await world.lock('customer:1', 'other')).locked).toBe(true);
  expect(world.deliveries).toEqual(['throttled']);
  // Then nothing is due before the reply.
  const before = world.changes.length;
  world.advance(HOUR);
  await setTimeout(20);
  expect(world.changes.length).toBe(before);
  await world.quiet();
  expect(world.answers()).toEqual(['redeem:op1', 'applied', 'woken']);
});

test('a reply whose sending ends each process is given up also behind a lock that the store does not give back', async () => {
  const world = createLocked();
  let tries = 0;
  const ends = () => {
    tries += 1;
    return new Promise<Delivery>(() => {});
  };
  const delivered = { kind: 'delivered' } as const;
  world.script.push(delivered, delivered, ...Array.from({ length: LIMITS.attempts }, () => ends));
  await world.engine.accept(incoming('redeem:op1'));
  await expect.poll(async () => (await world.record())?.lease).toBeNull();
  // The reply of a wake-up comes behind the lock.
  world.advance(1000);
  await expect.poll(async () => (await world.record())?.wakeMs).toBe(0);
  for (let n = 1; n <= LIMITS.attempts; n++) {
    world.advance(LIMITS.leaseMs);
    await expect.poll(() => tries).toBe(n);
  }
  world.advance(LIMITS.leaseMs);
  await expect.poll(() => world.alarms.map(({ name }) => name)).toContain('delivery_given_up');
  world.recover();
  await world.quiet();
  expect((await world.lock('customer:1', 'other')).locked).toBe(true);
});
