import { VERSION } from '../conversation/upgrades.ts';
import type { Backlog } from './backlog.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Inspection } from './inspection.ts';
import type { Journal } from './journal.ts';
import { LOCK_MS, type Locks, SETTLED_MS } from './locks.ts';
import { LEASE_MS, type Mailbox } from './mailbox.ts';

/**
 * All durable storage of conversations, port by port; each part takes the ports that it needs.
 *
 * Rules for every implementation (one contract suite, `test/contract/store.ts`, runs against each):
 * - Each method is atomic, and idempotent when the very same command is sent twice (a client may re-send after a
 *   reconnect): the second execution changes nothing and gives the first answer.
 * - Bodies are opaque sealed bytes; `conversation` and `customer` are keyed hashes. Nothing personal is readable here.
 * - Time is the store's own clock. Everything expires, but for the index of what is due.
 * - Every method rejects with `StoreUnavailable` if the store did not confirm; it may have executed all the same.
 *
 * @example
 * const store: ConversationStore = createMemoryStore();
 * for (const fault of await store.health()) log.warn(fault);
 * await store.close();
 */
export interface ConversationStore extends Mailbox, Journal, Locks, DeadLetters, Backlog, Inspection {
  /**
   * Whether a message could be stored now: writes what one would write, wherever messages are kept, as durably; at most
   * once a second, however often it is asked, and within 2 s. Rejects with `StoreUnavailable` if it could be nowhere; its
   * message says why, a line for each place. Otherwise the store's faults, one operator's line each (empty = healthy).
   */
  health(): Promise<string[]>;
  close(): Promise<void>;
}

const MAILBOX_CAP = 50;
const DEDUPE_MS = 48 * 60 * 60 * 1000;
export const STATE_MS = 180 * 24 * 60 * 60 * 1000;

/**
 * What an implementation may be told otherwise than the constants above; `schema` is the newest version of sealed
 * bodies that this process can read, and the one that it writes.
 */
export type StoreOptions = Partial<typeof STORE_DEFAULTS>;

export const STORE_DEFAULTS: Readonly<
  Record<'leaseMs' | 'lockMs' | 'settledMs' | 'dedupeMs' | 'mailboxCap' | 'schema', number>
> = {
  leaseMs: LEASE_MS,
  lockMs: LOCK_MS,
  settledMs: SETTLED_MS,
  dedupeMs: DEDUPE_MS,
  mailboxCap: MAILBOX_CAP,
  schema: VERSION,
};
