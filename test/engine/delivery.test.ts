import { describe, expect, test } from 'vitest';
import { Unwordable } from '../../src/conversation/reply.ts';
import { afterDelivery, type DeliveryTry } from '../../src/engine/delivery-policy.ts';
import { NEVER_TRIED } from '../../src/engine/transitions.ts';
import { createWorld, incoming } from './bot.ts';
import { NOW } from './kit.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** When a reply is tried whose tries all end like this, ms after it was made; at the end it is given up. */
function triesOf(kind: 'undelivered' | 'uncertain', deliveredMs: number): number[] {
  const tries: number[] = [];
  let before: DeliveryTry = { atMs: NOW, nowMs: NOW, tried: NEVER_TRIED, random: () => 0.5 };
  for (;;) {
    tries.push(before.nowMs - NOW);
    const fate = afterDelivery({ kind }, before, deliveredMs);
    if (fate.kind === 'givenUp') return tries;
    if (fate.kind !== 'waits') throw new Error(fate.kind);
    const { afterMs, tried = NEVER_TRIED } = fate.wait;
    before = { ...before, nowMs: before.nowMs + afterMs, tried };
  }
}

describe('the tries of a reply', () => {
  test('that was not delivered have growing waits, for a day', () => {
    const tries = triesOf('undelivered', -1);
    const waits = tries.slice(1).map((atMs, n) => atMs - (tries[n] ?? 0));
    expect(waits).toEqual(waits.toSorted((one, other) => one - other));
    expect([waits[0], waits.at(-1)]).toEqual([1000, 10 * MINUTE]);
    expect(tries.at(-1)).toBeGreaterThan(24 * HOUR);
    expect(tries.at(-1)).toBeLessThan(25 * HOUR);
  });

  test.each([
    ['are five within the hour, where others get theirs', NOW, [10_000, MINUTE, 10 * MINUTE, HOUR]],
    [
      'go on for sixteen hours while nobody gets any',
      -1,
      [10_000, MINUTE, 10 * MINUTE, ...[1, 2, 4, 8, 16].map((hours) => hours * HOUR)],
    ],
  ])('that perhaps delivered it %s', (_, deliveredMs, dueMs) => {
    const tries = triesOf('uncertain', deliveredMs);
    expect(tries).toHaveLength(1 + dueMs.length);
    for (const [n, atMs] of tries.slice(1).entries()) {
      expect(atMs / (dueMs[n] ?? 0)).toBeGreaterThanOrEqual(1);
      expect(atMs / (dueMs[n] ?? 0)).toBeLessThan(1.11);
    }
  });

  test('do not count one that a message of the customer brought forward', () => {
    const tried = { tries: 2, sinceMs: NOW };
    const early = { atMs: NOW, nowMs: NOW + 20_000, tried, random: () => 0.5 };
    const fate = afterDelivery({ kind: 'uncertain' }, early, -1);
    expect(fate).toMatchObject({ wait: { afterMs: 40_000, tried } });
  });
});

describe('a reply', () => {
  test('that is given up has an alarm, and the next goes on', async () => {
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
    expect(world.heard()).toEqual(['a b']);
    expect(world.alarms.map(({ name }) => name)).toContain('delivery_given_up');
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
    const world = createWorld();
    world.script.push(
      () => Promise.reject(new Unwordable('Missing wording')),
      () => Promise.reject(new Error('a fault of the channel')),
    );
    const engine = world.engine();
    for (const text of ['a', 'b']) await engine.accept(incoming(text));
    await expect.poll(() => world.deliveries).toEqual(['rejected', 'uncertain']);
  });

  test('that was perhaps delivered is not tried again before the time that the platform asks for', async () => {
    const world = createWorld();
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
