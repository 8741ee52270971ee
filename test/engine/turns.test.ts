import { Readable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { LIMITS } from '../../src/engine/limits.ts';
import { type Incoming, type Platform, withVersion } from '../../src/engine/messages.ts';
import type { Perform } from '../../src/engine/perform.ts';
import { MAX_INBOX } from '../../src/engine/transitions.ts';
import { Spans } from '../../src/observability/tracing.ts';
import { type RecordStore, StoreUnavailable } from '../../src/store/port.ts';
import { recordingObserve } from '../support/observe.ts';
import { conversation, createWorld, gate, incoming, LOOKUP, photoOf, READER } from './bot.ts';

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

test('a long effect shows the customer that the bot works', async () => {
  const world = createWorld();
  const { opened, open } = gate();
  const working = vi.fn(async () => open());
  const perform = () => opened.then(() => ({ kind: 'busy', operation: 'op1' }) as const);
  const platform = () => ({ ...world.platform, working });
  const engine = world.engine({ platform, perform }, { workingMs: 5 });
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
  expect(world.answers()).toEqual(['turn.failed', 'b']);
});

test.each([
  ['before this process began', 0, 0, ['accept', 'commit']],
  ['since it began', 1, 1, ['fused']],
  ['since it began, but more than five seconds ago', 1, 5002, ['accept', 'commit']],
])(
  'a text that was sent %s is stored before it is decided, unless it may be decided at once',
  async (_, ...times) => {
    const [sentAfterMs, acceptedAfterMs, changes] = times;
    const world = createWorld();
    const engine = world.engine();
    await engine.accept(incoming('a'));
    await world.quiet();
    world.changes.length = 0;
    const sentMs = world.outside.nowMs() + sentAfterMs;
    world.advance(acceptedAfterMs);
    await engine.accept(incoming('b'), sentMs);
    await world.quiet();
    const deciding = ['accept', 'fused', 'commit'];
    expect(world.changes.filter((change) => deciding.includes(change))).toEqual(changes);
  },
);

test('a step that throws, an unreadable message and an unreadable state become dead letters, and the next message is answered', async () => {
  const world = createWorld();
  const engine = world.engine();
  for (const text of ['a', 'throw', 'b']) await engine.accept(incoming(text));
  await world.quiet();
  expect(world.turns).toEqual(['done', 'dead', 'done']);
  await world.file({ neither: 'channel nor text', version: 1 });
  await expect.poll(() => world.alarms).toHaveLength(2);
  await engine.accept(incoming('c'));
  await world.quiet();
  await world.rewrite((record) => ({ ...record, state: '{"no":"state","version":1}' }));
  await engine.accept(incoming('d'));
  await world.quiet();
  // The old state, or a new one if it cannot be read.
  expect(world.answers()).toEqual(['a', 'turn.failed', 'a b', 'turn.failed', 'a b c', 'd']);
  const reasons = ['threw', 'unreadable', 'state'];
  expect(world.alarms).toEqual(reasons.map((reason) => ({ name: 'dead_letter', reason })));
  const letters = await world.operators.letters();
  const held = letters.map(({ reason, holds }) => [
    reason,
    holds && typeof holds === 'object' && 'message' in holds ? holds.message : holds,
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

test('a wake-up does not tell of a call that a message behind it has confirmed', async () => {
  const world = createWorld();
  const perform: Perform = async (_, turn) =>
    turn.findCall('op9') ?? { kind: 'unavailable', operation: 'op9' };
  const engine = world.engine({ perform });
  world.script.push({ kind: 'throttled', afterMs: 60_000 });
  await engine.accept(incoming('wake:1000'));
  await expect.poll(() => world.deliveries).toEqual(['throttled']);
  await engine.accept(incoming('redeem:op9', { id: 'confirmed' }));
  // Its process made the call, and ended.
  const { address, sender, conversation: of } = incoming('');
  const origin = { channel: 'test', conversation: of, address, sender: { ...sender, name: undefined } };
  const body = withVersion({ origin, body: { lookup: LOOKUP } });
  await world.rewrite((record) => ({ ...record, journal: { op9: { by: 'gone:1', atMs: 0, body } } }));
  world.advance(2000);
  await expect.poll(() => world.turns).toEqual(['done', 'done']);
  expect((await world.record())?.journal).toHaveProperty('op9');
  world.advance(60_000);
  await expect.poll(() => world.answers().at(-1)).toBe('unknown');
  const turns = world.sent.map(({ outgoing: { reply, turn } }) => [reply.key, turn === 'confirmed']);
  expect(turns).toEqual([
    ['echo', false],
    ['woken', false],
    ['echo', true],
    ['unknown', true],
  ]);
});

test('at most as many turns run as there are slots, and all messages are answered', async () => {
  const world = createWorld();
  let now = 0;
  let most = 0;
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

test('a turn that asks for effects without end is a dead letter', async () => {
  const world = createWorld();
  const perform = vi.fn(async () => ({ kind: 'busy', operation: 'x' }) as const);
  const effect = { kind: 'balance', by: { kind: 'phone', value: '+84' } } as const;
  const step: typeof conversation.step = (state, input, context) =>
    input.kind === 'failed' ? conversation.step(state, input, context) : { state, replies: [], effect };
  const engine = world.engine({ perform, conversation: { ...conversation, step } });
  await engine.accept(incoming('hello'));
  await world.quiet();
  expect(perform).toHaveBeenCalledTimes(16);
  expect(world.answers()).toEqual(['turn.failed']);
});

test('past the cap messages are refused, and the customer is told once a minute', async () => {
  const world = createWorld();
  const busy = world.engine({}, { concurrency: 0 });
  const results = [];
  for (let n = 0; n < MAX_INBOX + 2; n++) results.push(await busy.accept(incoming('a')));
  expect(results.slice(MAX_INBOX - 1)).toEqual(['accepted', 'full', 'full']);
  const engine = world.engine();
  await world.quiet();
  expect(world.answers().slice(0, 3)).toEqual(['abuse.flood', 'a', 'a a']);
  expect(world.answers()).toHaveLength(1 + MAX_INBOX);
  for (const [passedMs, warnings] of [[30_000, 1] as const, [60_001, 2] as const]) {
    world.advance(passedMs);
    await world.rewrite((record) => ({ ...record, dropped: 1 }));
    await engine.accept(incoming('b'));
    await world.quiet();
    expect(world.answers().filter((key) => key === 'abuse.flood')).toHaveLength(warnings);
  }
});

test.for<[name: string, isLockedBefore: boolean]>([
  ['and does not know it', true],
  ['and takes the lock only then', false],
])(
  'an attempt that lost its lease, %s, does not give back the lock of the operation',
  async ([, isLockedBefore]) => {
    const world = createWorld();
    const begun = gate();
    const lockedByNext = gate();
    const unlocked = gate();
    let attempts = 0;
    const perform: Perform = async (effect, turn) => {
      const operation = 'operation' in effect ? effect.operation : '';
      attempts += 1;
      if (attempts > 1) {
        await turn.lock('customer:1', operation);
        lockedByNext.open();
        await unlocked.opened;
        return { kind: 'unknown', operation, lookup: LOOKUP };
      }
      if (isLockedBefore) await turn.lock('customer:1', operation);
      begun.open();
      await lockedByNext.opened;
      if (!isLockedBefore) await turn.lock('customer:1', operation);
      await turn.unlock('customer:1', { operation });
      unlocked.open();
      return { kind: 'unavailable', operation };
    };
    await world.engine({ perform }).accept(incoming('redeem:op1'));
    await begun.opened;
    world.advance(LIMITS.leaseMs);
    await unlocked.opened;
    expect((await world.lock('customer:1', 'other')).locked).toBe(false);
  },
);

test('while the store is out of reach accepting is refused, so that the platform sends again', async () => {
  const world = createWorld();
  const compareAndSwap = () => Promise.reject(new StoreUnavailable('down'));
  const engine = world.engine({ store: { ...world.store, compareAndSwap } });
  for (let n = 0; n < 2; n++) await expect(engine.accept(incoming('a'))).rejects.toThrow(StoreUnavailable);
  expect(world.alarms).toEqual([{ name: 'store_unavailable', reason: undefined }]);
});

test('a message that the store fails for more than ten minutes is a dead letter, and the next is answered', async () => {
  const world = createWorld();
  const engine = world.engine({ perform: () => Promise.reject(new StoreUnavailable('down')) });
  for (const text of ['redeem:op1', 'b']) await engine.accept(incoming(text));
  const startMs = world.outside.nowMs();
  await world.quiet();
  expect(world.answers()).toEqual(['turn.failed', 'b']);
  expect(world.outside.nowMs() - startMs).toBeGreaterThan(600_000);
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
  const called = gate();
  const answered = gate();
  const perform: Perform = async (_effect, turn) => {
    await turn.intend('op1', { lookup: LOOKUP });
    called.open();
    await answered.opened;
    return { kind: 'applied', operation: 'op1' };
  };
  const engine = world.engine({ perform }, limits);
  await engine.accept(incoming('redeem:op1'));
  await engine.accept(incoming('b'));
  await called.opened;
  return { world, engine, answered };
}

test('a process that was suspended while it stored an intent makes no call once another has the turn', async () => {
  const world = createWorld();
  const calls: string[] = [];
  const perform: Perform = async (_effect, turn) => {
    const known = turn.findCall('op1');
    if (known !== null) return known;
    const permit = await turn.intend('op1', { lookup: LOOKUP });
    if (permit === 'interrupted' || permit === 'unreplicated')
      return { kind: 'unavailable', operation: 'op1' };
    calls.push(permit.operation);
    return { kind: 'applied', operation: 'op1' };
  };
  let isSuspended = false;
  const suspending: RecordStore = {
    ...world.store,
    async compareAndSwap(key, swap) {
      const swapped = await world.store.compareAndSwap(key, swap);
      if (world.changes.at(-1) !== 'intend' || isSuspended) return swapped;
      isSuspended = true;
      world.advance(2 * LIMITS.leaseMs);
      world.engine({ perform });
      await expect.poll(() => world.answers()).toEqual(['redeem:op1', 'unknown']);
      return swapped;
    },
  };
  await world.engine({ store: suspending, perform }).accept(incoming('redeem:op1'));
  await expect.poll(() => world.answers()).toEqual(['redeem:op1', 'unknown']);
  expect(calls).toEqual([]);
});

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
  expect(world.answers()).toEqual(['redeem:op1', 'applied', 'redeem:op1 b']);
  expect(world.turns).toEqual(['done', 'done']);
});

test('stopping finishes and delivers a turn past its intent; messages behind it go to others, without a failed attempt', async () => {
  const { world, engine, answered } = await withCall();
  const stopped = engine.stop();
  answered.open();
  await stopped;
  expect(world.answers()).toEqual(['redeem:op1', 'applied']);
  const inbox = [{ id: expect.any(String) }];
  expect(await world.record()).toMatchObject({ lease: null, attempts: 0, inbox });
});

/* That texts are decided while they are filed, and their leases may end then: the simulator. */

// `fused`: one commit files the text and decides its turn.
test('a text is only filed where it was sent before its process began, or more than five seconds ago', async () => {
  const world = createWorld();
  const engine = world.engine();
  const startedMs = world.outside.nowMs();
  world.advance(10_000);
  for (const sentMs of [undefined, startedMs - 60_000, startedMs + 4000]) {
    for (const text of ['a', 'b']) {
      await engine.accept(incoming(text), sentMs);
      await world.quiet();
    }
  }
  expect(world.changes).not.toContain('fused');
});

test('a text is only filed where the channel has to ask who writes, which it remembers', async () => {
  const world = createWorld();
  let isKnown = false;
  const platform: Platform = {
    ...world.platform,
    recallSender: ({ sender }) => (isKnown ? sender : undefined),
    identify: async ({ sender }) => sender,
  };
  const engine = world.engine({ platform: () => platform });
  for (const text of ['a', 'b', 'c']) {
    isKnown = text === 'c';
    await engine.accept(incoming(text), Number.MAX_SAFE_INTEGER);
    await world.quiet();
    expect(world.changes.includes('fused')).toBe(isKnown);
  }
});

test('a turn is one event of the log', async () => {
  const world = createWorld();
  const { observe, observed } = recordingObserve();
  await world.engine({ observe }).accept(incoming('redeem:op1'));
  await world.quiet();
  const conversation = world.encryption.name('conversation', 'test\0c1');
  const number = expect.any(Number);
  const phases = { identifyMs: number, stepsMs: number, commitMs: number, deliverMs: number };
  const turn = { conversation, channel: 'test', input: 'text', attempt: 1, result: 'done', waitMs: number };
  const lines = observed.map((line) => JSON.parse(line)).filter(([level]) => level === 'turn');
  expect(lines).toEqual([['turn', { ...turn, ...phases }]]);
});

test('lines of the log are about the conversation and the operation at work, without a tracer, too', async () => {
  const world = createWorld();
  const spans = new Spans();
  const about: unknown[] = [];
  const perform: Perform = (effect, context) => {
    about.push(spans.fields());
    return world.perform(effect, context);
  };
  await world.engine({ spans, perform }).accept(incoming('redeem:op1'));
  await world.quiet();
  const conversation = world.encryption.name('conversation', 'test\0c1');
  expect(about).toEqual([{ conversation, operation: 'op1' }]);
  expect(spans.fields()).toEqual({});
});

test.each(['identify', 'deliver', 'fetchMedia'] as const)(
  'a platform that hangs in `%s` delays only its own conversations, and loses none of their messages',
  async (call) => {
    const world = createWorld();
    const hanging = gate();
    let atOnce = 0;
    const slow = async (hangs: boolean) => {
      if (!hangs) return;
      atOnce += 1;
      expect(atOnce).toBeLessThanOrEqual(2);
      await hanging.opened;
      atOnce -= 1;
    };
    const slowPlatform: Platform = {
      async identify({ sender }) {
        await slow(call === 'identify');
        return sender;
      },
      async deliver(outgoing, seq) {
        await slow(call === 'deliver');
        return world.platform.deliver(outgoing, seq);
      },
      async fetchMedia(_place, at) {
        await slow(true);
        return { kind: 'fetched', content: Readable.from([Buffer.from(String(at))]) };
      },
    };
    const platform = (name: string) => (name === 'slow' ? slowPlatform : world.platform);
    const limits = { concurrency: 8, perChannel: 2, photosPerChannel: 2, placeMs: 5 };
    const engine = world.engine({ platform, photoReader: READER }, limits);
    const customers = Array.from({ length: 30 }, (_, n) => `slow ${n}`);
    for (const conversation of customers) {
      const sent = call === 'fetchMedia' ? photoOf(conversation) : incoming(conversation);
      await engine.accept({ ...sent, channel: 'slow', conversation });
    }
    for (let n = 0; n < 3; n++) {
      // Less than a lease, all together: those that hang keep theirs.
      world.advance(3000);
      // Photos that hang hold up no text of their own channel either.
      const channel = call === 'fetchMedia' ? 'slow' : 'test';
      await engine.accept(incoming(`quick ${n}`, { channel, conversation: `quick ${n}` }));
      await expect.poll(() => world.answers()).toContain(`quick ${n}`);
    }
    expect(world.answers()).toHaveLength(3);
    expect((await world.record(customers[0], 'slow'))?.retry?.tries ?? 0).toBe(0);
    hanging.open();
    await world.quiet();
    expect(world.answers().slice(3).toSorted()).toEqual(customers.toSorted());
    expect(world.alarms).toEqual([]);
    expect(new Set(world.turns)).toEqual(new Set(['done']));
  },
);
