import { createMemoryFeed, createMemoryFeedStore } from '../../src/store/memory/feed.ts';
import { createMemoryMailbox } from '../../src/store/memory/mailbox.ts';
import { openMemoryQuota } from '../../src/store/memory/quota.ts';
import {
  createMemoryRegistrationStore,
  createMemoryRegistrations,
} from '../../src/store/memory/registrations.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { feedContract } from '../contract/feed.ts';
import { mailboxContract } from '../contract/mailbox.ts';
import { quotaContract } from '../contract/quota.ts';
import { registrationsContract } from '../contract/registrations.ts';

mailboxContract('memory', async (options) => {
  const store = createMemoryStore();
  const mailbox = createMemoryMailbox(options, store);
  return {
    mailbox,
    another: async (others = options) => createMemoryMailbox({ ...options, ...others }, store),
    close: () => mailbox.close(),
  };
});

feedContract('memory', async (options) => {
  const store = createMemoryFeedStore();
  const feed = createMemoryFeed(options, store);
  return { feed, another: async () => createMemoryFeed(options, store), close: () => feed.close() };
});

registrationsContract('memory', async () => {
  const store = createMemoryRegistrationStore();
  return { one: createMemoryRegistrations(store), other: createMemoryRegistrations(store) };
});

// One process: whoever asks has the same count.
quotaContract('memory', async (name, perSecond) => {
  const one = openMemoryQuota(name, perSecond);
  return { one, other: one };
});
