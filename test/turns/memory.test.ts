import { createMemoryFeed, createMemoryFeedStore } from '../../src/turns/memory/feed.ts';
import { createMemoryMailbox } from '../../src/turns/memory/mailbox.ts';
import {
  createMemoryRegistrationStore,
  createMemoryRegistrations,
} from '../../src/turns/memory/registrations.ts';
import { createMemoryStore } from '../../src/turns/memory/store.ts';
import { feedContract } from '../contract/feed.ts';
import { mailboxContract } from '../contract/mailbox.ts';
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
