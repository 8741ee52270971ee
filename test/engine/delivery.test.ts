import { describe, expect, test, vi } from 'vitest';
import { Unwordable } from '../../src/conversation/reply.ts';
import { watched } from '../support/changes.ts';
import { createWorld, incoming } from './bot.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('a reply', () => {
  test('that fails is tried again with growing waits, for a day, then dropped', async () => {
    const world = createWorld(undefined, { isStopped: true });
    const deliver = vi.fn(async () => ({ kind: 'undelivered' }) as const);
    const waits: number[] = [];
    const store = watched(world.store, world.encryption, (change, record) => {
      const ms = (record?.retry?.atMs ?? 0) - world.outside.nowMs();
      if (change === 'release' && ms > 0) waits.push(ms);
    });
    await world.engine({ store, platform: () => ({ deliver }) }).accept(incoming('a'));
    const started = world.outside.nowMs();
    await world.quiet(4 * MINUTE);
    expect(waits[0]).toBe(1000);
    expect(Math.max(...waits)).toBe(10 * MINUTE);
    expect(waits).toEqual(waits.toSorted((one, other) => one - other));
    const days = (world.outside.nowMs() - started) / (24 * HOUR);
    expect(days).toBeGreaterThan(1);
    expect(days).toBeLessThan(1.1);
    expect(await world.operators.letters()).toEqual([]);
  });

  test('that was perhaps delivered is tried five times within the hour, then given up, where others get theirs', async () => {
    const world = createWorld();
    const tries: number[] = [];
    let bad: number | undefined;
    const engine = world.engine({
      platform: () => ({
        async deliver(outgoing, seq) {
          bad ??= seq;
          const isBad = outgoing.conversation === 'c1' && seq === bad;
          if (isBad) tries.push(world.outside.nowMs());
          return isBad ? { kind: 'uncertain' } : world.platform.deliver(outgoing, seq);
        },
      }),
    });
    // A try is as old as its lease, which is some milliseconds older than the call.
    const acceptedMs = world.outside.nowMs();
    await engine.accept(incoming('a'));
    await expect.poll(() => tries).toHaveLength(1);
    await engine.accept(incoming('x', { conversation: 'c2' }));
    await expect.poll(() => world.heard()).toEqual(['x']);
    await engine.accept(incoming('b'));
    await world.quiet();
    expect(world.heard()).toEqual(['x', 'a b']);
    expect(world.alarms.map(({ name }) => name).filter((name) => name !== 'delivery_failing')).toEqual([
      'delivery_given_up',
    ]);
    // The second message brought one try forward, which is not among the five.
    expect(tries.length).toBe(6);
    const [, ...others] = tries.map((atMs) => atMs - acceptedMs);
    for (const dueMs of [10_000, MINUTE, 10 * MINUTE, HOUR]) {
      expect(
        others.some((ms) => ms >= dueMs && ms < 1.2 * dueMs + MINUTE / 4),
        `${dueMs}: ${others}`,
      ).toBe(true);
    }
  });

  test('is not lost in an outage of two hours, and only few are tried meanwhile', async () => {
    const world = createWorld();
    const startedMs = world.outside.nowMs();
    const tries = new Map<string, number[]>();
    const arrived: string[] = [];
    const engine = world.engine({
      platform: () => ({
        async deliver({ conversation }) {
          const afterMs = world.outside.nowMs() - startedMs;
          tries.set(conversation, [...(tries.get(conversation) ?? []), afterMs]);
          if (afterMs < 2 * HOUR) return { kind: 'uncertain' };
          arrived.push(conversation);
          return { kind: 'delivered' };
        },
      }),
    });
    const customers = Array.from({ length: 20 }, (_, n) => `c${n}`);
    for (const conversation of customers) await engine.accept(incoming('a', { conversation }));
    await world.quiet(MINUTE / 3);
    expect(arrived.toSorted()).toEqual(customers.toSorted());
    for (const each of tries.values()) expect(each.filter((ms) => ms < HOUR).length).toBeLessThanOrEqual(5);
    const meanwhile = [...tries.values()].flat().filter((ms) => ms > MINUTE && ms < 2 * HOUR);
    // One probe in five seconds at most; here much fewer, for a probe waits for its own reply's time.
    expect(meanwhile.length).toBeLessThan((2 * HOUR) / 5000);
    const names = world.alarms.map(({ name }) => name);
    expect(names).toContain('delivery_failing');
    expect(names).not.toContain('delivery_given_up');
  });

  test('that the platform refuses is dropped with an alarm a minute, one that cannot be reached without, and the next goes on', async () => {
    const world = createWorld();
    world.script.push({ kind: 'rejected' }, { kind: 'rejected' }, { kind: 'unreachable' });
    const engine = world.engine();
    for (const text of ['a', 'b', 'c', 'd']) await engine.accept(incoming(text));
    await world.quiet();
    expect(world.heard()).toEqual(['a b c d']);
    expect(world.deliveries).toEqual(['rejected', 'rejected', 'unreachable', 'delivered']);
    expect(world.alarms.map(({ name }) => name)).toEqual(['delivery_rejected']);
    world.advance(60_000);
    world.script.push({ kind: 'rejected' });
    await engine.accept(incoming('e'));
    await world.quiet();
    expect(world.alarms).toHaveLength(2);
  });

  test('that its channel cannot put into words is dropped; if the channel throws, it is perhaps delivered', async () => {
    const world = createWorld(undefined, { isStopped: true });
    world.script.push(
      () => Promise.reject(new Unwordable('Missing wording')),
      () => Promise.reject(new Error('a fault of the channel')),
    );
    const engine = world.engine();
    for (const text of ['a', 'b']) await engine.accept(incoming(text));
    await expect.poll(() => world.deliveries).toEqual(['rejected', 'uncertain']);
  });

  test('that was perhaps delivered is not tried again before the time that the platform asks for', async () => {
    const world = createWorld(undefined, { isStopped: true });
    world.script.push({ kind: 'uncertain', afterMs: 5 * MINUTE });
    const engine = world.engine();
    await engine.accept(incoming('a'));
    await expect.poll(async () => (await world.record())?.lease).toBeNull();
    await engine.accept(incoming('b'));
    const { atMs = 0, earliestMs = 0 } = (await world.record())?.retry ?? {};
    expect(Math.min(atMs, earliestMs) - world.outside.nowMs()).toBeGreaterThanOrEqual(5 * MINUTE - 1);
  });

  test('for a channel that this process has not waits for one that has it', async () => {
    const world = createWorld();
    const without = world.engine({ platform: () => undefined });
    await without.accept(incoming('a'));
    await expect.poll(() => world.deliveries).toEqual(['undelivered']);
    await without.stop();
    world.engine();
    await world.quiet();
    expect(world.heard()).toEqual(['a']);
  });
});
