import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from './faults-random.ts';
import type { Bot } from './processes.ts';
import type { RedisServer } from './redis.ts';

/** Processes that are killed and started anew, each at moments of its own that follow from the seed. */
export type Chaos = {
  /** One of the bots that live now. */
  anyBot(): Living | undefined;
  readonly kills: readonly Kill[];
  /** To be told of each message that a bot took. */
  acknowledged(): void;
  /** Kills nobody any more; all live then. */
  end(): Promise<void>;
  stop(): Promise<void>;
};

/** Of a process, on the clock of `performance.now()`. Until the next life has begun, news of the one before may come in. */
export type Kill = { readonly who: string; readonly fromMs: number; untilMs: number };

type Living = Pick<Bot, 'url' | 'kill'>;

/** Lives are counted in acknowledged messages: so the seed, not the machine's load, says what a kill meets. */
const BOT_LIFE = [60, 200] as const;
const REDIS_LIFE = [150, 500] as const;
/** Milliseconds. */
const REDIS_DEATH = [0, 400] as const;

export async function startChaos(
  seed: number,
  redis: Pick<RedisServer, 'kill' | 'start'>,
  startBot: () => Promise<Living>,
): Promise<Chaos> {
  const over = new AbortController();
  const living = new Map<number, Living>();
  const kills: Kill[] = [];
  let turn = 0;
  let acknowledged = 0;
  const news = new EventTarget();

  /** Resolves after so many more messages, or at the end. */
  async function outlive(messages: number): Promise<void> {
    const end = acknowledged + messages;
    while (acknowledged < end && !over.signal.aborted) await once(news, 'news');
  }

  function begin(who: string): Kill {
    const kill = { who, fromMs: performance.now(), untilMs: Number.POSITIVE_INFINITY };
    kills.push(kill);
    return kill;
  }

  async function bot(slot: number, started: Living): Promise<void> {
    const random = createRandom(seed, `bot ${slot}`);
    let current = started;
    for (;;) {
      living.set(slot, current);
      await outlive(random.between(...BOT_LIFE));
      if (over.signal.aborted) return;
      living.delete(slot);
      const kill = begin(`bot ${slot}`);
      await current.kill();
      current = await startBot();
      kill.untilMs = performance.now();
    }
  }

  async function store(): Promise<void> {
    const random = createRandom(seed, 'redis');
    for (;;) {
      await outlive(random.between(...REDIS_LIFE));
      if (over.signal.aborted) return;
      const kill = begin('redis');
      await redis.kill();
      await delay(random.between(...REDIS_DEATH));
      await redis.start();
      kill.untilMs = performance.now();
    }
  }

  const bots = await Promise.all([startBot(), startBot()]);
  const lives = [store(), ...bots.map((one, slot) => bot(slot, one))];
  return {
    anyBot() {
      turn += 1;
      return living.get(turn % 2) ?? living.get((turn + 1) % 2);
    },
    kills,
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

/** A message that arrived, and when, on the same clock. */
type Arrived = { readonly text: string; readonly atMs: number };

/**
 * The answers of one conversation that came again without a cause: a kill makes one turn's replies come again, and only
 * where it hit between one telling and the next. `serials` as the checker wants them.
 */
export function unexplained(
  serials: readonly string[],
  heard: readonly Arrived[],
  kills: readonly Pick<Kill, 'fromMs' | 'untilMs'>[],
): string[] {
  const unused = kills.toSorted((a, b) => a.untilMs - b.untilMs);
  const toldAtMs = new Map<string, number>();
  return heard.flatMap(({ text, atMs }) => {
    const serial = serials.find((one) => text.includes(one));
    if (serial === undefined) return [];
    const beforeMs = toldAtMs.get(serial);
    toldAtMs.set(serial, atMs);
    if (beforeMs === undefined) return [];
    const cause = unused.findIndex(({ fromMs, untilMs }) => untilMs >= beforeMs && fromMs <= atMs);
    if (cause < 0) return [`${serial} was told again, and nobody was killed`];
    unused.splice(cause, 1);
    return [];
  });
}
