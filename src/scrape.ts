import type { Metrics } from './metrics.ts';
import type { ConversationStore } from './store/store.ts';
import { StoreUnavailable } from './store/unavailable.ts';

/** However often it is asked, the store is looked at once in this time. */
const EVERY_MS = 1000;

/** What `GET /metrics` answers. */
export type Scrape = { text(): Promise<string>; readonly contentType: string };

/** What this process counted, and what the store says of all. Answers even while the store does not. */
export function createScrape(
  metrics: Pick<Metrics, 'text' | 'contentType'>,
  store: Pick<ConversationStore, 'backlog' | 'health'>,
): Scrape {
  let lookedMs = Number.NEGATIVE_INFINITY;
  let said: ReturnType<typeof ask> | undefined;

  async function ask() {
    const [ready, waiting] = await Promise.all([
      answered(store.health().then(() => true)),
      answered(store.backlog()),
    ]);
    return { ready: ready ?? false, waiting };
  }

  return {
    async text() {
      if (said === undefined || performance.now() - lookedMs >= EVERY_MS) {
        lookedMs = performance.now();
        said = ask();
      }
      return metrics.text(await said);
    },
    contentType: metrics.contentType,
  };
}

/** Null where the store does not answer. */
async function answered<Answer>(asked: Promise<Answer>): Promise<Answer | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof StoreUnavailable) return null;
    throw error;
  }
}
