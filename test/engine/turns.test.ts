import { expect, test, vi } from 'vitest';
import { LIMITS } from '../../src/engine/limits.ts';
import type { Incoming } from '../../src/engine/messages.ts';
import { MAX_INBOX } from '../../src/engine/transitions.ts';
import { StoreUnavailable } from '../../src/store/port.ts';
import { conversation, createWorld, gate, incoming, LOOKUP } from './bot.ts';

test('a turn knows the sender as the channel identifies them, and keeps neither name nor e-mail', async () => {
  const world = createWorld();
  const seen: unknown[] = [];
  const identify = async ({ sender }: Incoming) => ({ ...sender, email: 'garnacho@gmail.com' });
  const engine = world.engine({
    platform: () => ({ ...world.platform, identify }),
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

test('an effect shows the customer that it takes long', async () => {
  const world = createWorld();
  const { opened, open } = gate();
  const working = vi.fn(async () => open());
  const perform = () => opened.then(() => ({ kind: 'busy', operation: 'op1' }) as const);
  const engine = world.engine(
    { platform: () => ({ ...world.platform, working }), perform },
    { workingMs: 5 },
  );
  await engine.accept(incoming('redeem:op1', { press: { message: 7 } }));
  await world.quiet();
  const place = { conversation: 'c1', address: { chat: 1 }, press: { message: 7 } };
  expect(working).toHaveBeenCalledExactlyOnceWith(expect.objectContaining(place));
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
  expect(identify.mock.calls.filter(([{ id }]) => id === 'hangs')).toHaveLength(5);
  expect(world.heard()).toEqual(['turn.failed', 'b']);
});

test('what cannot be answered or read is a dead letter: a step that throws, a message, a state; on with the next', async () => {
  const world = createWorld();
  const engine = world.engine();
  for (const text of ['a', 'throw', 'b']) await engine.accept(incoming(text));
  await world.quiet();
  expect(world.turns).toEqual(['done', 'dead', 'done']);
  await world.file({ neither: 'channel nor text', v: 1 });
  await expect.poll(() => world.alarms).toHaveLength(2);
  await engine.accept(incoming('c'));
  await world.quiet();
  await world.rewrite((record) => ({ ...record, state: '{"no":"state","v":1}' }));
  await engine.accept(incoming('d'));
  await world.quiet();
  // The old state, or a new one if it cannot be read.
  expect(world.heard()).toEqual(['a', 'turn.failed', 'a b', 'turn.failed', 'a b c', 'd']);
  const reasons = ['threw', 'unreadable', 'state'];
  expect(world.alarms).toEqual(reasons.map((reason) => ({ name: 'dead_letter', reason })));
  const letters = await world.operators.letters();
  const held = letters.map(({ reason, holds }) => [
    reason,
    holds && typeof holds === 'object' ? holds.message : holds,
  ]);
  expect(held).toEqual([
    ['threw', { kind: 'text', text: 'throw' }],
    ['unreadable', null],
    ['state', 'state'],
  ]);
});

test("a wake-up that always throws comes again every ten minutes, and pushes out nobody else's letter", async () => {
  const world = createWorld();
  const step: typeof conversation.step = (state, input, context) => {
    if (input.kind === 'wake') throw new Error('the wake-up threw');
    return conversation.step(state, input, context);
  };
  const engine = world.engine({ conversation: { ...conversation, step } });
  for (const text of ['throw', 'wake:1000']) await engine.accept(incoming(text));
  await expect.poll(() => world.sent).toHaveLength(2);
  for (let times = 1; times <= 30; times++) {
    world.advance(10 * 60_000 + 1);
    await expect.poll(() => world.alarms).toHaveLength(1 + times);
  }
  expect(await world.operators.letters()).toHaveLength(2);
});

test('no more turns are at work than there are slots, and all are answered', async () => {
  const world = createWorld();
  let [now, most] = [0, 0];
  const deliver = async () => {
    most = Math.max(most, ++now);
    await new Promise(setImmediate);
    now -= 1;
    return { kind: 'delivered' } as const;
  };
  const engine = world.engine({ platform: () => ({ deliver }) }, { concurrency: 3, sweepMs: 3_600_000 });
  const names = Array.from({ length: 40 }, (_, n) => `c${n}`);
  await Promise.all(names.map((conversation) => engine.accept(incoming('hello', { conversation }))));
  await expect.poll(() => world.turns).toHaveLength(40);
  expect(most).toBe(3);
});

test('past the cap messages are refused, and the customer is told once', async () => {
  const world = createWorld();
  const busy = world.engine({}, { concurrency: 0 });
  const results = [];
  for (let n = 0; n < MAX_INBOX + 2; n++) results.push(await busy.accept(incoming('a')));
  expect(results.slice(MAX_INBOX - 1)).toEqual(['accepted', 'full', 'full']);
  world.engine();
  await world.quiet();
  expect(world.heard().slice(0, 3)).toEqual(['abuse.flood', 'a', 'a a']);
  expect(world.heard()).toHaveLength(1 + MAX_INBOX);
});

test('while the store is out of reach accepting is refused, so that the platform sends again', async () => {
  const world = createWorld();
  const compareAndSwap = () => Promise.reject(new StoreUnavailable('down'));
  const engine = world.engine({ store: { ...world.store, compareAndSwap } });
  for (let n = 0; n < 2; n++) await expect(engine.accept(incoming('a'))).rejects.toThrow(StoreUnavailable);
  expect(world.alarms).toEqual([{ name: 'store_unavailable', reason: undefined }]);
});

test('a lock is given back at once, though the reply that tells the outcome has to wait', async () => {
  const world = createWorld();
  world.script.push({ kind: 'throttled', afterMs: 3_600_000 });
  await world.engine().accept(incoming('redeem:op1'));
  await expect.poll(() => world.changes).toContain('release');
  expect((await world.lock('customer:1', 'op2')).locked).toBe(true);
  expect(world.sent).toEqual([]);
});

/** A world with a call that was begun and ends as the test says, and a process that made it. */
async function withCall(limits: Parameters<ReturnType<typeof createWorld>['engine']>[1] = {}) {
  const world = createWorld();
  const [called, answered] = [gate(), gate()];
  const engine = world.engine(
    {
      perform: async (_effect, turn) => {
        await turn.intend('op1', { lookup: LOOKUP });
        called.open();
        await answered.opened;
        return { kind: 'applied', operation: 'op1' };
      },
    },
    limits,
  );
  await engine.accept(incoming('redeem:op1'));
  await engine.accept(incoming('b'));
  await called.opened;
  return { world, engine, answered };
}

test('a long call keeps its lease by renewing it', async () => {
  const { world, answered } = await withCall({ renewMs: 5 });
  const renewals = () => world.changes.filter((change) => change === 'renew').length;
  world.engine();
  // The call lasts for two leases.
  for (let thirds = 0; thirds < 6; thirds++) {
    const before = renewals();
    await expect.poll(renewals).toBeGreaterThan(before);
    world.advance(LIMITS.leaseMs / 3);
  }
  answered.open();
  await world.quiet();
  expect(world.heard()).toEqual(['redeem:op1', 'applied', 'redeem:op1 b']);
  expect(world.turns).toEqual(['done', 'done']);
});

test('stopping finishes and delivers a turn past its intent; what waits behind goes to others, unpunished', async () => {
  const { world, engine, answered } = await withCall();
  const stopped = engine.stop();
  answered.open();
  await stopped;
  expect(world.heard()).toEqual(['redeem:op1', 'applied']);
  const inbox = [{ id: expect.any(String) }];
  expect(await world.record()).toMatchObject({ lease: null, attempts: 0, inbox });
});
