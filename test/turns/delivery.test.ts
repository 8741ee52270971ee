import { describe, expect, test, vi } from 'vitest';
import { createWorld, incoming } from './kit.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('a reply', () => {
  test('that the platform wants a little later waits within the turn, and nothing overtakes', async () => {
    const world = createWorld();
    const release = vi.spyOn(world.mailbox, 'release');
    world.script.push({ kind: 'throttled', afterMs: 20 });
    const engine = world.engine();
    await engine.accept(incoming('a'));
    await engine.accept(incoming('b'));
    await vi.waitFor(() => expect(world.heard()).toEqual(['a', 'a b']));
    expect(world.deliveries).toEqual(['throttled', 'delivered', 'delivered']);
    expect(release.mock.calls.every(([, , wait]) => wait === undefined)).toBe(true);
  });

  test('that the platform wants much later frees the slot, and nothing overtakes', async () => {
    const world = createWorld();
    world.script.push({ kind: 'delivered' }, { kind: 'throttled', afterMs: 30_000 });
    const engine = world.engine();
    for (const text of ['ask:v1', 'b']) await engine.accept(incoming(text));
    await vi.waitFor(() => expect(world.deliveries).toEqual(['delivered', 'throttled']));
    expect(await engine.accept(incoming('c'))).toBe('accepted');
    await vi.waitFor(() => expect([...world.store.boxes.values()][0]?.leaseUntilMs).toBeNull());
    expect(world.sent).toHaveLength(1);
    world.advance(29_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(world.sent).toHaveLength(1);
    await world.quiet();
    expect(world.heard()).toEqual(['ask:v1', 'question', 'ask:v1 b', 'ask:v1 b c']);
    expect(world.sent.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  test('asked for a little later again and again does not keep the turn for ever', async () => {
    const world = createWorld();
    for (let n = 0; n < 5; n++) world.script.push({ kind: 'throttled', afterMs: 10 });
    const release = vi.spyOn(world.mailbox, 'release');
    await world.engine({}, { patienceMs: 25 }).accept(incoming('a'));
    await vi.waitFor(() => expect(world.heard()).toEqual(['a']));
    expect(release.mock.calls.map(([, , wait]) => wait?.afterMs)).toEqual([10, undefined]);
  });

  test('that fails is tried again with growing waits, for a day, then dropped', async () => {
    const world = createWorld();
    const deliver = vi.fn(async () => ({ kind: 'undelivered' }) as const);
    const release = vi.spyOn(world.mailbox, 'release');
    await world.engine({ outlet: () => ({ deliver }) }).accept(incoming('a'));
    const started = world.store.now();
    await world.quiet(MINUTE);
    const waits = release.mock.calls.map(([, , wait]) => wait?.afterMs ?? 0).filter((ms) => ms > 0);
    expect(waits[0]).toBe(1000);
    expect(Math.max(...waits)).toBe(10 * MINUTE);
    for (const [at, wait] of waits.entries())
      expect(wait).toBeGreaterThanOrEqual((waits[at - 1] ?? 0) * 0.99);
    const days = (world.store.now() - started) / (24 * HOUR);
    expect(days).toBeGreaterThan(1);
    expect(days).toBeLessThan(1.1);
    expect(await Array.fromAsync(world.mailbox.deadLetters())).toEqual([]);
  });

  test('that the platform puts off again and again is dropped after a day, too, and the next goes on', async () => {
    const world = createWorld();
    for (let hours = 0; hours < 26; hours++) world.script.push({ kind: 'throttled', afterMs: HOUR });
    const engine = world.engine();
    for (const text of ['a', 'b']) await engine.accept(incoming(text));
    await world.quiet(10 * MINUTE);
    expect(world.heard()).toEqual(['a b']);
    expect(world.warnings).toEqual(['a reply was dropped: it could not be delivered for 24 h']);
  });

  test('that fails for hours is no failed attempt of the message behind it', async () => {
    const world = createWorld();
    for (let n = 0; n < 12; n++) world.script.push({ kind: 'undelivered' });
    const engine = world.engine();
    for (const text of ['a', 'b']) await engine.accept(incoming(text));
    await world.quiet();
    expect(world.heard()).toEqual(['a', 'a b']);
    expect(world.alarms).toEqual([]);
  });

  test('that was perhaps delivered is tried again four times over an hour, then given up', async () => {
    const world = createWorld();
    for (let n = 0; n < 5; n++) world.script.push({ kind: 'uncertain' });
    const release = vi.spyOn(world.mailbox, 'release');
    const engine = world.engine();
    for (const text of ['a', 'b']) await engine.accept(incoming(text));
    const started = world.store.now();
    await world.quiet();
    expect(world.heard()).toEqual(['a', 'a', 'a', 'a', 'a', 'a b']);
    const waits = release.mock.calls.map(([, , wait]) => wait?.afterMs ?? 0).filter((ms) => ms > 0);
    expect(waits).toHaveLength(4);
    expect(world.store.now() - started).toBeLessThan(1.1 * HOUR);
    expect(world.warnings).toEqual(['a reply was dropped: nobody knows whether it arrived']);
  });

  test('that the platform refuses is dropped and counted, and the next goes on', async () => {
    const world = createWorld();
    world.script.push({ kind: 'rejected' }, { kind: 'unreachable' });
    const engine = world.engine();
    for (const text of ['a', 'b', 'c']) await engine.accept(incoming(text));
    await world.quiet();
    expect(world.heard()).toEqual(['a b c']);
    expect(world.deliveries).toEqual(['rejected', 'unreachable', 'delivered']);
  });

  test('of a channel that throws counts as uncertain', async () => {
    const world = createWorld();
    const broken = async () => {
      throw new Error('a bug');
    };
    world.script.push(broken);
    const engine = world.engine();
    for (const text of ['a', 'b']) await engine.accept(incoming(text));
    await world.quiet();
    expect(world.heard()).toEqual(['a', 'a b']);
    expect(world.deliveries[0]).toBe('uncertain');
  });

  test('for a channel that this process has not waits for one that has it', async () => {
    const world = createWorld();
    const without = world.engine({ outlet: () => undefined });
    await without.accept(incoming('a'));
    await vi.waitFor(() => expect(world.deliveries).toEqual(['undelivered']));
    await without.stop();
    world.engine();
    await world.quiet();
    expect(world.heard()).toEqual(['a']);
  });

  test('that waits holds up no other conversation’s redeem: the customer is let go', async () => {
    const world = createWorld();
    world.script.push({ kind: 'throttled', afterMs: HOUR });
    await world.engine().accept(incoming('redeem:op1'));
    await vi.waitFor(() => expect(world.deliveries).toEqual(['throttled']));
    const customer = world.seal.name('customer', 'customer:1');
    await vi.waitFor(async () =>
      expect(await world.mailbox.hold(customer, 'op2')).toEqual({
        held: true,
        settled: ['record of op1'],
        awaited: [],
      }),
    );
  });

  test('that cannot be opened is passed over, with an alarm', async () => {
    const world = createWorld();
    world.script.push({ kind: 'throttled', afterMs: HOUR });
    await world.engine().accept(incoming('a'));
    await vi.waitFor(() => expect([...world.store.boxes.values()][0]?.outbox).toHaveLength(1));
    const box = [...world.store.boxes.values()][0];
    if (box) box.outbox = box.outbox.map(({ seq }) => ({ seq, body: Buffer.from('garbage') }));
    await world.quiet();
    expect(world.heard()).toEqual([]);
    expect(world.alarms).toEqual([{ name: 'seal_broken', reason: undefined }]);
  });
});
