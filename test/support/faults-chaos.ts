import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from './faults-random.ts';
import type { Bot } from './processes.ts';
import type { RedisServer } from './redis.ts';

/** Processes that are killed and started anew, each at moments of its own that follow from the seed. */
export type Chaos = {
  /** One of the bots that live now. */
  anyBot(): Bot | undefined;
  kills(): number;
  /** To be told of each message that a bot took. */
  acknowledged(): void;
  /** Kills nobody any more; all live then. */
  end(): Promise<void>;
  stop(): Promise<void>;
};

/** Lives are counted in acknowledged messages: so the seed, not the machine's load, says what a kill meets. */
const BOT_LIFE = [60, 200] as const;
const REDIS_LIFE = [150, 500] as const;
/** Milliseconds. */
const REDIS_DEATH = [0, 400] as const;

export async function startChaos(
  seed: number,
  redis: RedisServer,
  startBot: () => Promise<Bot>,
): Promise<Chaos> {
  const over = new AbortController();
  const living = new Map<number, Bot>();
  let kills = 0;
  let turn = 0;
  let acknowledged = 0;
  const news = new EventTarget();

  /** Resolves after so many more messages, or at the end. */
  async function outlive(messages: number): Promise<void> {
    const end = acknowledged + messages;
    while (acknowledged < end && !over.signal.aborted) await once(news, 'news');
  }

  async function bot(slot: number, started: Bot): Promise<void> {
    const random = createRandom(seed, `bot ${slot}`);
    let current = started;
    for (;;) {
      living.set(slot, current);
      await outlive(random.between(...BOT_LIFE));
      if (over.signal.aborted) return;
      living.delete(slot);
      kills += 1;
      await current.kill();
      current = await startBot();
    }
  }

  async function store(): Promise<void> {
    const random = createRandom(seed, 'redis');
    for (;;) {
      await outlive(random.between(...REDIS_LIFE));
      if (over.signal.aborted) return;
      kills += 1;
      await redis.kill();
      await delay(random.between(...REDIS_DEATH));
      await redis.start();
    }
  }

  const bots = await Promise.all([startBot(), startBot()]);
  const lives = [store(), ...bots.map((one, slot) => bot(slot, one))];
  return {
    anyBot() {
      turn += 1;
      return living.get(turn % 2) ?? living.get((turn + 1) % 2);
    },
    kills: () => kills,
    acknowledged() {
      acknowledged += 1;
      news.dispatchEvent(new Event('news'));
    },
    async end() {
      over.abort();
      news.dispatchEvent(new Event('news'));
      await Promise.all(lives);
    },
    stop: async () => void (await Promise.all([...living.values()].map((one) => one.kill()))),
  };
}
