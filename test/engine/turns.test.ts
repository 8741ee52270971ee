import { describe, expect, test, vi } from 'vitest';
import { LIMITS } from '../../src/engine/limits.ts';
import type { Incoming } from '../../src/engine/messages.ts';
import { MAX_INBOX } from '../../src/engine/transitions.ts';
import { StoreUnavailable } from '../../src/store/port.ts';
import { conversation, createWorld, gate, incoming } from './bot.ts';

describe('a turn', () => {
  test('knows the sender as the channel identifies them, and keeps neither name nor e-mail', async () => {
    const world = createWorld();
    const seen: unknown[] = [];
    const engine = world.engine({
      platform: () => ({
        ...world.platform,
        identify: async ({ sender }) => ({ ...sender, email: 'garnacho@gmail.com' }),
      }),
      conversation: {
        ...conversation,
        step(state, _input, { sender, nowMs }) {
          seen.push(sender.email);
          return { state, replies: [], wakeAtMs: seen.length === 1 ? nowMs + 1000 : null };
        },
      },
    });
    await engine.accept(incoming('hello'));
    await world.quiet();
    expect(seen).toEqual(['garnacho@gmail.com', undefined]);
  });
});

describe('an effect', () => {
  test('shows the customer that it takes long', async () => {
    const world = createWorld();
    const { opened, open } = gate();
    const working = vi.fn(async () => open());
    const engine = world.engine(
      {
        platform: () => ({ ...world.platform, working }),
        perform: async () => {
          await opened;
          return { kind: 'busy', operation: 'op1' };
        },
      },
      { workingMs: 5 },
    );
    await engine.accept(incoming('redeem:op1', { press: { message: 7 } }));
    await world.quiet();
    const place = { conversation: 'c1', address: { chat: 1 }, press: { message: 7 } };
    expect(working).toHaveBeenCalledExactlyOnceWith(expect.objectContaining(place));
  });

  test('a turn that never ends asking is a dead letter', async () => {
    const world = createWorld();
    const perform = vi.fn(async () => ({ kind: 'busy', operation: 'x' }) as const);
    const engine = world.engine({
      perform,
      conversation: {
        ...conversation,
        step(state, input, context) {
          if (input.kind === 'failed') return conversation.step(state, input, context);
          return { state, replies: [], effect: { kind: 'balance', by: { kind: 'phone', value: '+84' } } };
        },
      },
    });
    await engine.accept(incoming('hello'));
    await world.quiet();
    expect(perform).toHaveBeenCalledTimes(16);
    expect(world.heard()).toEqual(['turn.failed']);
  });
});

describe('poison', () => {
  test('a wake-up that always throws comes again every ten minutes, and keeps one letter beside those of others', async () => {
    const world = createWorld();
    const engine = world.engine({
      conversation: {
        ...conversation,
        step(state, input, context) {
          if (input.kind === 'wake') throw new Error('the wake-up threw');
          return conversation.step(state, input, context);
        },
      },
    });
    await engine.accept(incoming('throw'));
    await engine.accept(incoming('wake:1000'));
    await expect.poll(() => world.sent).toHaveLength(2);
    const letters = async () => (await world.operators.letters()).length;
    for (let times = 1; times <= 30; times++) {
      world.advance(10 * 60_000 + 1);
      await expect.poll(() => world.alarms).toHaveLength(1 + times);
    }
    expect(await letters()).toBe(2);
  });

  test('a message that ended five processes is a dead letter, with an apology, and the next is answered', async () => {
    const world = createWorld();
    const identify = vi.fn(async ({ sender, id }: Incoming) =>
      id === 'hangs' ? new Promise<never>(() => {}) : sender,
    );
    const platform = { ...world.platform, identify };
    const engine = world.engine({ platform: () => platform }, { renewMs: 3_600_000 });
    await engine.accept(incoming('a', { id: 'hangs' }));
    await engine.accept(incoming('b'));
    await world.quiet();
    expect(world.alarms).toEqual([{ name: 'dead_letter', reason: 'attempts' }]);
    expect(identify.mock.calls.map(([{ id }]) => id).filter((id) => id === 'hangs')).toHaveLength(5);
    expect(world.heard()).toEqual(['turn.failed', 'b']);
  });

  test('a step that throws: a dead letter, an apology, the old state, and on with the next', async () => {
    const world = createWorld();
    const engine = world.engine();
    for (const text of ['a', 'throw', 'b']) await engine.accept(incoming(text));
    await world.quiet();
    expect(world.heard()).toEqual(['a', 'turn.failed', 'a b']);
    expect(world.alarms).toEqual([{ name: 'dead_letter', reason: 'threw' }]);
    expect(world.turns).toEqual(['done', 'dead', 'done']);
    const [letter] = await world.operators.letters();
    expect(letter?.holds).toMatchObject({ message: { text: 'throw' } });
  });

  test('a message that cannot be read is a dead letter, and the next is answered', async () => {
    const world = createWorld();
    const engine = world.engine();
    await world.file({ neither: 'channel nor text', v: 1 });
    await expect.poll(() => world.alarms).toEqual([{ name: 'dead_letter', reason: 'unreadable' }]);
    expect(world.heard()).toEqual([]);
    await engine.accept(incoming('b'));
    await world.quiet();
    expect(world.heard()).toEqual(['b']);
    expect(await world.operators.letters()).toMatchObject([{ reason: 'unreadable', holds: null }]);
  });

  test('a state that cannot be read is kept for operators, and the conversation begins anew', async () => {
    const world = createWorld();
    const engine = world.engine();
    await engine.accept(incoming('a'));
    await world.quiet();
    await world.rewrite((record) => ({ ...record, state: '{"no":"state","v":1}' }));
    await engine.accept(incoming('b'));
    await world.quiet();
    expect(world.heard()).toEqual(['a', 'b']);
    expect(world.alarms).toEqual([{ name: 'dead_letter', reason: 'state' }]);
    expect(await world.operators.letters()).toMatchObject([{ reason: 'state', holds: 'state' }]);
  });
});

/** More than an inbox takes. */
const flood = (text: string) => Array.from({ length: MAX_INBOX + 2 }, () => text);

describe('a flood', () => {
  test('past the cap messages are refused, and the customer is told once', async () => {
    const world = createWorld();
    const busy = world.engine({}, { concurrency: 0 });
    const results = [];
    for (const text of flood('a')) results.push(await busy.accept(incoming(text)));
    expect(results.slice(MAX_INBOX - 1)).toEqual(['accepted', 'full', 'full']);
    world.engine();
    await world.quiet();
    expect(world.heard().slice(0, 3)).toEqual(['abuse.flood', 'a', 'a a']);
    expect(world.heard()).toHaveLength(1 + MAX_INBOX);
  });
});

describe('back-pressure', () => {
  test('no more turns at once than there are slots, and all are answered', async () => {
    const world = createWorld();
    let [now, most] = [0, 0];
    const platform = {
      deliver: async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 1));
        now -= 1;
        return { kind: 'delivered' } as const;
      },
    };
    // No sweeper to speak of: a freed slot looks for waiting work by itself.
    const engine = world.engine({ platform: () => platform }, { concurrency: 3, sweepMs: 3_600_000 });
    const names = Array.from({ length: 40 }, (_, n) => `c${n}`);
    await Promise.all(names.map((conversation) => engine.accept(incoming('hello', { conversation }))));
    await expect.poll(() => world.turns).toHaveLength(40);
    expect(most).toBe(3);
    await expect.poll(() => world.listed('due')).toEqual([]);
  });
});

describe('a store out of reach', () => {
  test('accepting is refused, so that the platform sends again', async () => {
    const world = createWorld();
    const compareAndSwap = () => Promise.reject(new StoreUnavailable('down'));
    const engine = world.engine({ store: { ...world.store, compareAndSwap } });
    await expect(engine.accept(incoming('a'))).rejects.toThrow(StoreUnavailable);
    await expect(engine.accept(incoming('a'))).rejects.toThrow(StoreUnavailable);
    expect(world.alarms).toEqual([{ name: 'store_unavailable', reason: undefined }]);
  });
});

test('a lock is given back at once, though the reply that tells the outcome has to wait', async () => {
  const world = createWorld();
  world.script.push({ kind: 'throttled', afterMs: 3_600_000 });
  await world.engine().accept(incoming('redeem:op1'));
  await expect.poll(() => world.changes).toContain('release');
  expect((await world.lock('customer:1', 'op2')).locked).toBe(true);
  expect(world.sent).toEqual([]);
});

describe('a lost lease', () => {
  test('a long call keeps its lease by renewing it', async () => {
    const world = createWorld();
    const renewals = () => world.changes.filter((change) => change === 'renew').length;
    const { opened, open } = gate();
    const engine = world.engine(
      {
        perform: async () => {
          await opened;
          return { kind: 'applied', operation: 'op1' };
        },
      },
      { renewMs: 5 },
    );
    await engine.accept(incoming('redeem:op1'));
    world.engine();
    // The call lasts for two leases.
    for (let thirds = 0; thirds < 6; thirds++) {
      const before = renewals();
      await expect.poll(renewals).toBeGreaterThan(before);
      world.advance(LIMITS.leaseMs / 3);
    }
    open();
    await world.quiet();
    expect(world.heard()).toEqual(['redeem:op1', 'applied']);
    expect(world.turns).toEqual(['done']);
  });
});
