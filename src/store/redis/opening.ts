import type { Cluster, Redis } from 'ioredis';
import type { Log } from '../../observe.ts';
import { StoreRefused } from '../port.ts';
import { StoreUnavailable } from '../unavailable.ts';
import { confirmed } from './confirmed.ts';

/**
 * What a store says of itself, which every process looks at before it touches anything else: `make` is what an empty store
 * gets. `verify` throws `StoreRefused` where the process is not for this store; it answers what the store is to say from now
 * on, where that is something else.
 */
export type Word = { make(): string; verify(stored: string): string | null };

/**
 * The places of a word. Their names never change: every version of the bot looks there. There are two, in slots that no
 * master of a cluster has both of: with one alone, a dead master would keep processes from starting.
 */
export const placesOf = (word: string): readonly [string, string] => [`{e8a}${word}`, `{bn}${word}`];

/** Bots up to b157c93 called it the layout of their keys, wrote 1 or 2, and refuse any other. */
const FORMAT = '3';

const FORMAT_WORD: Word = {
  make: () => FORMAT,
  verify(stored) {
    if (stored === FORMAT) return null;
    const got = stored.slice(0, 20).replace(/[^\w, ]/g, '?');
    throw new StoreRefused(
      `REDIS_URL: got a store of format ${got} (${placesOf('layout').join(', ')}), wants ${FORMAT}: start the version of the bot that wrote it, or name an empty store`,
    );
  },
};

export type Opening = {
  /** Looks at what the store says. Resolves, too, where it cannot be reached; rejects with `StoreRefused`. */
  open(): Promise<void>;
  /** Why nothing may be asked of the store; null: all may. While that is not known, it is looked at in the background. */
  closed(): StoreUnavailable | null;
  /** Looks once more, also where it may be asked: a store may be replaced beneath a process. Never rejects. */
  again(): Promise<void>;
};

export function createOpening(commands: Redis | Cluster, keys: Word | undefined, log: Log): Opening {
  const words = [['layout', FORMAT_WORD] as const, ...(keys ? [['keys', keys] as const] : [])];
  let closed: StoreUnavailable | null = new StoreUnavailable('redis: not reached yet');
  let refused: StoreRefused | undefined;
  /** Whoever opens says why it is refused. */
  let isOpening = true;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    try {
      for (const [word, how] of words) await agree(word, how);
      closed = null;
      refused = undefined;
    } catch (error) {
      if (error instanceof StoreRefused) {
        if (!isOpening && refused?.message !== error.message) log.error({}, error.message);
        refused = error;
        closed = new StoreUnavailable(error.message);
      } else if (!(error instanceof StoreUnavailable)) throw error;
      // What was known before still holds.
      else if (closed !== null && refused === undefined) closed = error;
    }
  }

  /** Verifies what the store says, and has it say so in both places. */
  async function agree(word: string, { make, verify }: Word): Promise<void> {
    const places = placesOf(word);
    const answers = await Promise.allSettled(places.map((place) => confirmed(commands.get(place))));
    const known = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const stored = [...new Set(known.filter((value) => value !== null))];
    // That one place has no word proves nothing.
    if (stored.length === 0 && known.length < places.length) {
      throw new StoreUnavailable('redis: what the store is cannot be read');
    }
    if (stored.length === 0) stored.push(await begin(places[0], make()));
    const wanted = wordOf(stored, verify);
    await Promise.allSettled(
      places.map((place, at) => {
        const answer = answers[at];
        if (answer?.status !== 'fulfilled' || answer.value === wanted) return null;
        return confirmed(
          answer.value === null ? commands.set(place, wanted, 'NX') : commands.set(place, wanted),
        );
      }),
    );
  }

  /** Processes that start together agree: the first one's word is what all of them read. */
  async function begin(place: string, word: string): Promise<string> {
    await confirmed(commands.set(place, word, 'NX'));
    return (await confirmed(commands.get(place))) ?? word;
  }

  const again = (): Promise<void> => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };

  return {
    async open() {
      await again();
      isOpening = false;
      if (refused) throw refused;
    },
    closed() {
      if (closed !== null) void again();
      return closed;
    },
    again,
  };
}

/** What the store is to say. It says two things where a process died while it replaced them: one that holds is enough. */
function wordOf(stored: readonly string[], verify: Word['verify']): string {
  let refused: StoreRefused | undefined;
  for (const value of stored) {
    try {
      return verify(value) ?? value;
    } catch (error) {
      if (!(error instanceof StoreRefused)) throw error;
      refused = error;
    }
  }
  throw refused ?? new Error('the store says nothing');
}
