import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { conversationName } from '../../../src/engine/messages.ts';
import type { Outlet } from '../../../src/engine/outlet.ts';
import { storedName } from '../../../src/store/redis/records.ts';
import { StoreUnavailable } from '../../../src/store/unavailable.ts';
import { createWorld, incoming } from '../../engine/bot.ts';
import { openRecords, stopAtEnd } from '../../store/redis/kit.ts';
import { type RedisServer, startRedisCluster } from '../../support/redis.ts';

/*
 * One of three masters is gone: customers of the others must not notice. Measured on the engine, from a message to its
 * answer, while customers of the dead master go on writing, in vain. Messages come when they come, answered or not:
 * customers who waited for each other's answers would hide that somebody waits.
 */

const LIVING = 40;
const DEAD = 20;
const EVERY_MS = 20;
/** As long as it takes the engine's sweeps to see every shard, and the cluster to notice, and then some. */
const ROUNDS = 5;
const ROUND_MS = 1000;
/**
 * Of the best round: a machine that is busy with other things spoils some, a bot that waits for a node spoils all. Nobody
 * who waits for one waits for less than 300 ms; on two idle cores an answer takes 2 ms.
 */
const MEDIAN_MS = 150;

async function open() {
  const { url, nodes } = stopAtEnd(await startRedisCluster());
  for (const { port } of nodes) {
    const admin = new Redis(port);
    await admin.config('SET', 'cluster-require-full-coverage', 'no');
    admin.disconnect();
  }
  const [gone] = nodes;
  if (gone === undefined) throw new Error('no node');
  const { connection, store } = await openRecords(url);
  const world = createWorld();
  const answered = new Map<string, (() => void)[]>();
  const outlet: Outlet = {
    async deliver({ conversation }) {
      answered.get(conversation)?.shift()?.();
      return { kind: 'delivered' };
    },
  };
  const engine = world.engine({ store, outlet: () => outlet }, { sweepMs: 500 });
  onTestFinished(() => engine.stop());

  /** Names of conversations, by whether the node that will be gone keeps them. */
  async function namesOf(count: number, onGone: boolean): Promise<string[]> {
    const names: string[] = [];
    for (let n = 0; names.length < count; n++) {
      const record = storedName(`c:${conversationName(world.encryption, 'test', `chat ${n}`)}`);
      const slot = Number(await connection.commands.cluster('KEYSLOT', record));
      if (slot < 16_384 / 3 === onGone) names.push(`chat ${n}`);
    }
    return names;
  }

  /** A message every `everyMs`, to one after the other, whether or not those before were answered: ms to each answer. */
  async function talk(names: readonly string[], everyMs: number, forMs: number): Promise<number[]> {
    const took: number[] = [];
    const answers: Promise<unknown>[] = [];
    const untilMs = performance.now() + forMs;
    for (let n = 0; performance.now() < untilMs; n++) {
      const conversation = names[n % names.length] ?? '';
      const beforeMs = performance.now();
      const told = new Promise<void>((resolve) => {
        const others = answered.get(conversation) ?? [];
        answered.set(conversation, [...others, resolve]);
      });
      answers.push(
        engine.accept(incoming('forget', { conversation })),
        told.then(() => took.push(performance.now() - beforeMs)),
      );
      await delay(everyMs);
    }
    await Promise.all(answers);
    return took;
  }

  async function talkInVain(names: readonly string[], everyMs: number, forMs: number): Promise<void> {
    const untilMs = performance.now() + forMs;
    for (let n = 0; performance.now() < untilMs; n++) {
      const conversation = names[n % names.length] ?? '';
      engine.accept(incoming('forget', { conversation })).catch((error: unknown) => {
        if (!(error instanceof StoreUnavailable)) throw error;
      });
      await delay(everyMs);
    }
  }

  return { gone, engine, namesOf, talk, talkInVain };
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.POSITIVE_INFINITY;

for (const [what, end, back] of [
  ['dead', (node: RedisServer) => node.kill(), () => {}],
  [
    'hanging',
    async (node: RedisServer) => void process.kill(node.pid, 'SIGSTOP'),
    (node: RedisServer) => void process.kill(node.pid, 'SIGCONT'),
  ],
] as const) {
  test(`with one of three masters ${what} the others' customers are answered at once`, async () => {
    const { gone, namesOf, talk, talkInVain } = await open();
    const living = await namesOf(LIVING, false);
    const lost = await namesOf(DEAD, true);
    await talk([...living, ...lost], EVERY_MS / 2, ROUND_MS);

    await end(gone);
    onTestFinished(() => back(gone));
    const medians: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const [took] = await Promise.all([
        talk(living, EVERY_MS, ROUND_MS),
        talkInVain(lost, EVERY_MS, ROUND_MS),
      ]);
      medians.push(median(took));
    }
    expect(Math.min(...medians)).toBeLessThan(MEDIAN_MS);
  });
}
