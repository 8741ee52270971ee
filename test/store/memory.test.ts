import { createFeedMemory, createMemoryFeed } from '../../src/store/memory/feed.ts';
import { openMemoryQuota } from '../../src/store/memory/quota.ts';
import { feedContract } from '../contract/feed.ts';
import { quotaContract } from '../contract/quota.ts';

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
