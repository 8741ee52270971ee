import type { Cluster, Redis } from 'ioredis';
import type { Log } from '../../observability/log.ts';
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
 * Where it says so. These names never change: every version of the bot looks here. There are two, in slots that no master of
 * a cluster has both of: with one alone, a dead master would keep processes from starting.
 */
export const PLACES = ['{e8a}layout', '{bn}layout'] as const;

export type Opening = {
  /** Looks at what the store says. Resolves, too, where it cannot be reached; rejects with `StoreRefused`. */
  open(): Promise<void>;
  /** Why nothing may be asked of the store; null: all may. While that is not known, it is looked at in the background. */
  closed(): StoreUnavailable | null;
  /** Looks once more, also where it may be asked: a store may be replaced beneath a process. Never rejects. */
  again(): Promise<void>;
};

export function createOpening(commands: Redis | Cluster, word: Word, log: Log): Opening {
  let closed: StoreUnavailable | null = new StoreUnavailable('redis: not reached yet');
  let refused: StoreRefused | undefined;
  /** Whoever opens says why it is refused. */
  let isOpening = true;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    try {
      await agree();
      [closed, refused] = [null, undefined];
    } catch (error) {
      if (error instanceof StoreRefused) {
        if (!isOpening && refused?.message !== error.message) log.error({}, error.message);
        [closed, refused] = [new StoreUnavailable(error.message), error];
      } else if (!(error instanceof StoreUnavailable)) throw error;
      // What was known before still holds.
      else if (closed !== null && refused === undefined) closed = error;
    }
  }

  /** Verifies what the store says, and has it say so in both places. */
  async function agree(): Promise<void> {
    const answers = await Promise.allSettled(PLACES.map((place) => confirmed(commands.get(place))));
    const known = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const stored = [...new Set(known.filter((value) => value !== null))];
    // That one place says nothing proves nothing.
    if (stored.length === 0 && known.length < PLACES.length) {
      throw new StoreUnavailable('redis: what the store is cannot be read');
    }
    if (stored.length === 0) stored.push(await begin());
    const wanted = verified(stored, word);
    await Promise.allSettled(
      PLACES.map((place, at) => {
        const answer = answers[at];
        if (answer?.status !== 'fulfilled' || answer.value === wanted) return null;
        return confirmed(
          answer.value === null ? commands.set(place, wanted, 'NX') : commands.set(place, wanted),
        );
      }),
    );
  }

  /** Processes that start together agree: the first one's word is what all of them read. */
  async function begin(): Promise<string> {
    const made = word.make();
    await confirmed(commands.set(PLACES[0], made, 'NX'));
    return (await confirmed(commands.get(PLACES[0]))) ?? made;
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
function verified(stored: readonly string[], { verify }: Word): string {
  let refused: unknown;
  for (const value of stored) {
    try {
      return verify(value) ?? value;
    } catch (error) {
      refused ??= error;
    }
  }
  throw refused;
}
