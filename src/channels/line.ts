import type { Quota } from '../store/quota.ts';
import { StoreUnavailable } from '../store/unavailable.ts';

/**
 * The line of messages that are put off, one over all processes. Resolves to when the next one may come back (monotonic,
 * ms). Callers that ask while the store answers share one command. `everyMs`: from one place to the next; `aloneMs`: the
 * same where the store cannot be reached, by this process's share.
 */
export function createLine(
  quota: Pick<Quota, 'takePlaces'>,
  everyMs: number,
  aloneMs: () => number,
): () => Promise<number> {
  const asking: ((atMs: number) => void)[] = [];
  let isAsking = false;
  let lastMs = 0;

  async function placesFor(count: number): Promise<{ firstMs: number; stepMs: number }> {
    try {
      return { firstMs: performance.now() + (await quota.takePlaces(count)), stepMs: everyMs };
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      return { firstMs: Math.max(performance.now(), lastMs), stepMs: aloneMs() };
    }
  }

  async function ask(): Promise<void> {
    isAsking = true;
    while (asking.length > 0) {
      const together = asking.splice(0);
      const { firstMs, stepMs } = await placesFor(together.length);
      for (const [index, resolve] of together.entries()) resolve(firstMs + index * stepMs);
      lastMs = firstMs + together.length * stepMs;
    }
    isAsking = false;
  }

  return () =>
    new Promise((resolve) => {
      asking.push(resolve);
      if (!isAsking) void ask();
    });
}
