import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../src/engine/limits.ts';
import type { Outlet } from '../../src/engine/outlet.ts';
import type { RecordStore } from '../../src/store/port.ts';
import { createWorld, incoming, type World } from './bot.ts';

/** A process that dies at its `at`-th call to the outside: just before the call, or before it hears the answer. */
function mortal(world: World, at: number, when: 'before' | 'after') {
  let count = 0;
  let dead = false;
  const forever = new Promise<never>(() => {});

  /** Nothing resolves any more once the process is dead: it can do nothing more. */
  function guard<A extends unknown[], R>(call: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      if (dead) return forever;
      count += 1;
      const last = count === at;
      if (last && when === 'before') {
        dead = true;
        return forever;
      }
      const answer = await call(...args);
      if (last) dead = true;
      return dead ? forever : answer;
    };
  }

  const store: RecordStore = {
    ...world.store,
    read: guard(world.store.read),
    swap: guard(world.store.swap),
    // The sweeper's idle rounds are no boundaries of a turn.
    list: async (index, range) => (dead ? forever : world.store.list(index, range)),
  };
  const outlet = { deliver: guard(world.outlet.deliver) };
  const engine = world.engine({ store, outlet: () => outlet });
  return { engine, isDead: () => dead };
}

/** A process that dies when the platform has just taken this echo. */
function diesTelling(world: World, told: string) {
  let dead = false;
  const forever = new Promise<never>(() => {});
  const store: RecordStore = {
    ...world.store,
    list: async (index, range) => (dead ? forever : world.store.list(index, range)),
    swap: async (key, swap) => (dead ? forever : world.store.swap(key, swap)),
  };
  const outlet: Outlet = {
    async deliver(outgoing, seq) {
      const delivery = await world.outlet.deliver(outgoing, seq);
      dead = outgoing.reply.params?.told === told;
      return dead ? forever : delivery;
    },
  };
  return { engine: world.engine({ store, outlet: () => outlet }), isDead: () => dead };
}

const TEXTS = ['a', 'redeem:op1', 'b', 'wake:1000', 'c'];
const SEVERAL = ['a', 'several:op1:3', 'b'];

/** The messages go to a process that dies on the way; a second one gets what the platform sends again, and the rest. */
async function live(at: number, when: 'before' | 'after', texts: readonly string[] = TEXTS) {
  const world = createWorld();
  const first = mortal(world, at, when);
  const messages = texts.map((text) => incoming(text));
  const second = world.engine();
  for (const message of messages) {
    const accepted = await Promise.race([first.engine.accept(message), settled(first.isDead)]);
    if (accepted === 'dead') await second.accept(message);
  }
  await world.quiet();
  world.end();
  return { world, died: first.isDead() };
}

async function settled(isDead: () => boolean): Promise<'dead'> {
  while (!isDead()) await tick();
  return 'dead';
}

describe('a process that dies at any moment', () => {
  test.for(['before', 'after'] as const)(
    'each message is applied once and in order, the call is made at most once, replies are told once or twice (%s the call)',
    async (when) => {
      let at = 1;
      for (; at < 60; at++) {
        const { world, died } = await live(at, when);
        const heard = world.heard();
        const echoes = heard.filter((text) => text.startsWith('a'));
        const told = [...new Set(echoes)].filter((text) => text !== 'applied');
        const everything = TEXTS.map((_, n) => TEXTS.slice(0, n + 1).join(' '));
        expect(told, `dying at ${at}`).toEqual(everything);

        const redeemed = heard.filter((text) => text === 'applied' || text === 'refused');
        expect(new Set(redeemed).size, `dying at ${at}: ${heard}`).toBe(1);
        expect(world.calls.length).toBeLessThanOrEqual(1);
        expect(world.calls.length === 1 || redeemed[0] === 'refused').toBe(true);
        for (const one of new Set(heard)) {
          expect(heard.filter((other) => other === one).length, one).toBeLessThanOrEqual(2);
        }
        expect(heard.length - new Set(heard).size).toBeLessThanOrEqual(2);

        expect(await world.listed('intents')).toEqual([]);
        expect(await world.listed('dead')).toEqual([]);
        expect((await world.lock('customer:1', 'op2')).locked).toBe(true);
        if (!died) break;
      }
      expect(at).toBeGreaterThan(15);
      expect(at).toBeLessThan(60);
    },
  );

  test.for(['before', 'after'] as const)(
    'of several calls in one turn each is made at most once, and each has a result (%s the call)',
    async (when) => {
      const again = new Set<string>();
      let at = 1;
      for (; at < 60; at++) {
        const { world, died } = await live(at, when, SEVERAL);
        const [result = '', ...others] = new Set(world.heard().filter((text) => text.startsWith('op1')));
        expect(others, `dying at ${at}`).toEqual([]);
        const results = result.split(', ').map((one) => one.split(' '));
        expect(results.map(([operation]) => operation)).toEqual(['op1.1', 'op1.2', 'op1.3']);
        // What was perhaps called is never called again.
        const applied = results.flatMap(([operation, kind]) => (kind === 'applied' ? [operation] : []));
        expect(world.calls).toEqual([...new Set(world.calls)]);
        expect(world.calls).toEqual(expect.arrayContaining(applied));
        const cutOff = results.flatMap(([operation = '', kind]) => (kind === 'refused' ? [operation] : []));
        expect(cutOff.length).toBeLessThanOrEqual(1);
        for (const operation of cutOff) again.add(operation);

        const told = [...new Set(world.heard().filter((text) => text.startsWith('a')))];
        expect(told).toEqual(['a', 'a b']);
        expect(await world.listed('intents')).toEqual([]);
        expect(await world.listed('dead')).toEqual([]);
        if (!died) break;
      }
      // Each of them was once the one that the crash cut off; those before it were saved, and not asked for again.
      expect([...again].sort()).toEqual(['op1.1', 'op1.2', 'op1.3']);
      expect(at).toBeLessThan(60);
    },
  );

  test('a turn that fails behind a call leaves it in the journal, and what comes next is told of it', async () => {
    const world = createWorld();
    const engine = world.engine({
      async perform(effect, turn) {
        if ('operation' in effect && effect.operation === 'op1.3') throw new Error('a fault of ours');
        return world.perform(effect, turn);
      },
    });
    await engine.accept(incoming('several:op1:3'));
    await world.quiet();
    expect(world.heard()).toEqual(['turn.failed']);
    expect(world.alarms).toEqual([{ name: 'dead_letter', reason: 'threw' }]);
    expect(await world.listed('intents')).toHaveLength(1);
    await engine.stop();
    const other = world.engine();
    await other.accept(incoming('several:op1:3'));
    await world.quiet();
    // How the second call ended was known to that process alone.
    expect(world.heard().at(-1)).toBe('op1.1 applied, op1.2 refused, op1.3 applied');
    expect(world.calls).toEqual(['op1.1', 'op1.2', 'op1.3']);
  });

  test('replies that an earlier process left are not told again behind later ones', async () => {
    const world = createWorld();
    const first = diesTelling(world, 'a');
    await first.engine.accept(incoming('a'));
    await settled(first.isDead);
    const second = diesTelling(world, 'a b');
    await second.engine.accept(incoming('b'));
    world.advance(LIMITS.leaseMs);
    await settled(second.isDead);
    world.engine();
    await world.quiet();
    expect(world.heard()).toEqual(['a', 'a', 'a b', 'a b']);
  });
});
