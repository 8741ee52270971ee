import { hash, randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Observe } from '../../observe.ts';
import { DEAD_CAP } from '../dead-letters.ts';
import {
  type Accepted,
  type Change,
  DEDUPE_IDS,
  type Lease,
  NEVER_TRIED,
  type NewMessage,
  type Next,
  type Wait,
  type Work,
} from '../mailbox.ts';
import { type ConversationStore, STORE_DEFAULTS, type StoreOptions } from '../store.ts';
import { keptOf, listOf, nextOf, numberOf, wordOf, workOf } from './answer.ts';
import { readBacklog } from './backlog.ts';
import { createClaim } from './claim.ts';
import type { RedisClient } from './client.ts';
import { watchDue } from './due.ts';
import { createHealth } from './health.ts';
import { createIntend } from './intend.ts';
import { journalOf } from './journal.ts';
import { shardOf } from './keys.ts';
import type { ScriptArgument } from './overrides/script-call.ts';
import { joinNumbers } from './scripts.ts';

/** What is put off for less is looked for when its time comes, before the look at all shards finds it. */
const LOOKED_AT_MS = 10 * 60_000;

const NO_CAP = Number.MAX_SAFE_INTEGER;

export type RedisStoreOptions = StoreOptions & {
  /** How many replicas must acknowledge an intent. */
  readonly waitReplicas?: number;
  /** A claim script ended. */
  readonly onClaim?: Observe['claim'];
};

/**
 * The store on Redis or Redis Cluster, for any number of processes. Each method is one script in one slot (`claim`
 * reads first); what a script promises stands in its head comment.
 */
export function createRedisStore(
  client: RedisClient,
  { waitReplicas = 0, onClaim = () => {}, ...options }: RedisStoreOptions = {},
): ConversationStore {
  const { leaseMs, lockMs, settledMs, dedupeMs, mailboxCap, schema } = { ...STORE_DEFAULTS, ...options };
  const { keys } = client;
  const due = watchDue(client);
  const intend = createIntend(client, waitReplicas);
  const health = createHealth(client, waitReplicas);

  /** Runs a script that needs nothing but the conversation's own keys. */
  const run = (
    script: 'claim' | 'renew' | 'peek',
    conversation: string,
    numbers: string,
    ...args: ScriptArgument[]
  ) => client.run(script, keys().conversation(conversation).own, [conversation, numbers, ...args]);

  async function accept({ conversation, id, body, nonce, take, uncapped }: NewMessage): Promise<Accepted> {
    const { own, memory } = keys().conversation(conversation);
    const answer = await client.run(
      'accept',
      [...own, memory],
      [
        conversation,
        joinNumbers(take ? 1 : 0, schema, leaseMs, uncapped ? NO_CAP : mailboxCap, dedupeMs, DEDUPE_IDS),
        ...[nonce, markOf(id, nonce), body],
      ],
    );
    if (Array.isArray(answer)) return { kind: 'leased', work: workOf(conversation, nonce, answer) };
    if (!take) due.waits(conversation);
    const kind = wordOf(answer);
    return { kind: kind === 'duplicate' || kind === 'full' ? kind : 'queued' };
  }

  async function release(
    { conversation, fence, nonce }: Lease,
    sentSeq: number,
    wait?: Wait,
    releaseNonce: string = randomUUID(),
  ): Promise<Next | null> {
    const { own, undelivered } = keys().conversation(conversation);
    const { afterMs = 0, leastMs = afterMs, tried = NEVER_TRIED, madeAtMs = 0 }: Partial<Wait> = wait ?? {};
    const numbers = joinNumbers(
      ...[fence, sentSeq, wait === undefined ? -1 : afterMs, leaseMs, schema],
      ...[leastMs, tried.times, tried.sinceMs, madeAtMs],
    );
    const answer = await client.run(
      'release',
      [...own, undelivered],
      [conversation, numbers, nonce, releaseNonce],
    );
    // A look at all shards takes 2 s.
    if (wait !== undefined && afterMs < LOOKED_AT_MS) setTimeout(due.waits, afterMs, conversation).unref();
    return answer === null ? null : nextOf(answer);
  }

  async function commit({ conversation, fence, nonce, mark = '' }: Lease, change: Change) {
    const { own, intents, dead, aside } = keys().conversation(conversation);
    const letters = (change.dead ?? []).flatMap(({ reason, body }, index) => [
      letterId(conversation, fence, change.version, index),
      reason,
      body,
    ]);
    const answer = await client.run(
      'commit',
      [...own, intents, dead, aside],
      [
        conversation,
        joinNumbers(
          ...[fence, change.version, schema, change.consumed ?? 0, change.wakeAtMs ?? 0, DEAD_CAP],
          ...[change.outbox.length, change.settled.length, change.forget ? 1 : 0],
        ),
        ...[nonce, mark, change.state, change.aside ?? '', ...change.outbox, ...change.settled, ...letters],
      ],
    );
    return answer === null ? false : { firstSeq: numberOf(answer) };
  }

  /** Takes the lease of one conversation. */
  async function take(conversation: string): Promise<Work | 'taken' | 'left'> {
    const nonce = randomUUID();
    const answer = await run('claim', conversation, joinNumbers(schema, leaseMs), nonce);
    if (Array.isArray(answer)) return workOf(conversation, nonce, answer);
    return wordOf(answer) === 'newer' ? 'left' : 'taken';
  }

  return {
    accept,
    claim: createClaim({
      due,
      take,
      onClaim,
      giveBack: (work) => release(work, 0, { afterMs: 0, tried: work.tried }),
    }),
    async renew({ conversation, fence, nonce }) {
      return numberOf(await run('renew', conversation, joinNumbers(fence, leaseMs), nonce)) === 1;
    },
    intend: intend.write,
    commit,
    release,
    async lock(customer, operation, forMs = lockMs) {
      const answer = await client.run('lock', keys().customer(customer), [operation, forMs]);
      if (answer === null) return { locked: false };
      const [settled, awaited] = listOf(answer);
      return { locked: true, settled: listOf(settled).map(wordOf), awaited: listOf(awaited).map(wordOf) };
    },
    async unlock(customer, operation, record = '', awaited = '') {
      await client.run('unlock', keys().customer(customer), [operation, settledMs, record, awaited]);
    },
    async peek(conversation) {
      const answer = await run('peek', conversation, joinNumbers(), '');
      return answer === null ? null : keptOf(answer);
    },
    ...journalOf(client),
    backlog: () => readBacklog(client),
    async health() {
      const faults = await health.check();
      // While the layout is unknown, or the keys are wrong, nothing can be stored.
      keys();
      return faults;
    },
    async close() {
      intend.close();
      health.close();
    },
  };
}

/** What the memory of a conversation keeps of a message: 6 bytes of its id's hash, 2 of the nonce's (accept.lua). */
function markOf(id: string, nonce: string): Buffer {
  const mark = digest(id).subarray(0, 8);
  mark.writeUInt16LE(crc32(nonce) & 0xffff, 6);
  return mark;
}

/** The same for a command sent again; it begins with the shard, where `takeDeadLetter` finds it. */
function letterId(conversation: string, ...parts: readonly number[]): string {
  const name = digest([conversation, ...parts].join(' ')).toString('hex', 0, 8);
  return `${shardOf(conversation)}-${name}`;
}

const digest = (text: string): Buffer => hash('sha256', text, 'buffer');
