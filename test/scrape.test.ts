import { describe, expect, it } from 'vitest';
import type { StoreSays } from '../src/observability/metrics.ts';
import { createScrape } from '../src/observability/metrics.ts';
import { StoreUnavailable } from '../src/store/unavailable.ts';

const WAITING = {
  due: { count: 0, oldestMs: 0 },
  undeliveredMs: 0,
  letters: 0,
  operationsMs: [],
  tickets: { waitingMs: [], answered: 0 },
};

describe('a scrape', () => {
  function setUp(store: Partial<Parameters<typeof createScrape>[1]> = {}) {
    const said: (StoreSays | undefined)[] = [];
    let looks = 0;
    const text = async (store?: StoreSays) => `${said.push(store)}`;
    const { text: scrape } = createScrape(
      { text, contentType: 'text/plain; version=0.0.4; charset=utf-8' },
      {
        health: async () => [],
        backlog: async () => {
          looks += 1;
          return WAITING;
        },
        ...store,
      },
    );
    return { scrape, said, looks: () => looks };
  }

  it('shows what the store says now', async () => {
    const { scrape, said } = setUp();
    await scrape();
    expect(said).toEqual([{ ready: true, waiting: WAITING }]);
  });

  it('looks at the store once, however many ask', async () => {
    const { scrape, looks } = setUp();
    await Promise.all(Array.from({ length: 20 }, scrape));
    expect(looks()).toBe(1);
  });

  it('answers while the store does not', async () => {
    const down = () => Promise.reject(new StoreUnavailable('redis: no answer'));
    const { scrape, said } = setUp({ health: down, backlog: down });
    await scrape();
    expect(said).toEqual([{ ready: false, waiting: null }]);
  });
});
