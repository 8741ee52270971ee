import { createMemoryFeed } from '../../src/store/feed.ts';
import { openMemoryQuota } from '../../src/store/quota.ts';
import { feedContract } from '../contract/feed.ts';
import { quotaContract } from '../contract/quota.ts';

// One process: whoever follows or asks has the same.
feedContract('memory', async (options) => {
  const feed = createMemoryFeed(options);
  return { feed, another: async () => feed, close: () => feed.close() };
});

quotaContract('memory', async (name, perSecond) => {
  const one = openMemoryQuota(name, perSecond);
  return { one, other: one };
});
