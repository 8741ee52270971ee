import { createFeedMemory, createMemoryFeed } from '../../src/store/memory/feed.ts';
import { createMemory } from '../../src/store/memory/memory.ts';
import { openMemoryQuota } from '../../src/store/memory/quota.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { feedContract } from '../contract/feed.ts';
import { quotaContract } from '../contract/quota.ts';
import { storeContract } from '../contract/store.ts';

storeContract('memory', async (options) => {
  const memory = createMemory();
  const store = createMemoryStore(options, memory);
  return {
    store,
    another: async (others = options) => createMemoryStore({ ...options, ...others }, memory),
    close: () => store.close(),
  };
});

feedContract('memory', async (options) => {
  const memory = createFeedMemory();
  const feed = createMemoryFeed(options, memory);
  return { feed, another: async () => createMemoryFeed(options, memory), close: () => feed.close() };
});

// One process: whoever asks has the same count.
quotaContract('memory', async (name, perSecond) => {
  const one = openMemoryQuota(name, perSecond);
  return { one, other: one };
});
