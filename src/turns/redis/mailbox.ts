import { hash, randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  type Accepted,
  type Change,
  DEAD_CAP,
  DEDUPE_IDS,
  type Lease,
  MAILBOX_DEFAULTS,
  type Mailbox,
  type MailboxOptions,
  type NewMessage,
  type Work,
} from '../mailbox.ts';
import { listOf, nextOf, numberOf, wordOf, workOf } from './answer.ts';
import type { RedisClient } from './client.ts';
import { watchDue } from './due.ts';
import { redisFaults } from './health.ts';
import { createIntend } from './intend.ts';
import { journalOf } from './journal.ts';
import { conversationKeys, customerKeys, shardOf } from './keys.ts';
import type { ScriptArgument } from './script-call.ts';
import { joinNumbers, runScript } from './scripts.ts';

/**
 * The mailbox on Redis or Redis Cluster, for any number of processes. Each method is one script in one slot (`claim`
 * reads first); what a script promises stands in its head comment. `waitReplicas`: how many replicas must acknowledge
 * an intent.
 */
export function createRedisMailbox(
  client: RedisClient,
  { waitReplicas = 0, ...options }: MailboxOptions & { readonly waitReplicas?: number } = {},
): Mailbox {
  const { leaseMs, holdMs, settledMs, dedupeMs, mailboxCap, schema } = { ...MAILBOX_DEFAULTS, ...options };
  const { commands } = client;
  const due = watchDue(commands);
  const intend = createIntend(client, waitReplicas);

  /** Runs a script that needs nothing but the conversation's own keys. */
  const run = (
    script: 'claim' | 'renew' | 'release',
    conversation: string,
    numbers: string,
    ...args: ScriptArgument[]
  ) => runScript(commands, script, conversationKeys(conversation).own, [conversation, numbers, ...args]);

  async function accept({ conversation, id, body, nonce, take }: NewMessage): Promise<Accepted> {
    const { own, memory } = conversationKeys(conversation);
    const answer = await runScript(
      commands,
      'accept',
      [...own, memory],
      [
        conversation,
        joinNumbers(take ? 1 : 0, schema, leaseMs, mailboxCap, dedupeMs, DEDUPE_IDS),
        ...[nonce, markOf(id, nonce), body],
      ],
    );
    if (Array.isArray(answer)) return { kind: 'leased', work: workOf(conversation, nonce, answer) };
    if (!take) due.waits(conversation);
    const kind = wordOf(answer);
    return { kind: kind === 'duplicate' || kind === 'full' ? kind : 'queued' };
  }

  async function claimOne(conversation: string): Promise<Work | null> {
    const nonce = randomUUID();
    const answer = await run('claim', conversation, joinNumbers(schema, leaseMs), nonce);
    if (Array.isArray(answer)) return workOf(conversation, nonce, answer);
    if (wordOf(answer) === 'newer') due.leave(conversation);
    return null;
  }

  /** Other processes claim too: where they were faster, the next on the list are taken. */
  async function claim(room: number): Promise<Work[]> {
    if (room <= 0) return [];
    const names = await due.look(room);
    const works: Work[] = [];
    let failure: PromiseRejectedResult | undefined;
    while (works.length < room && names.length > 0) {
      const claimed = await Promise.allSettled(names.splice(0, room - works.length).map(claimOne));
      works.push(...claimed.flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value] : [])));
      failure ??= claimed.find((one) => one.status === 'rejected');
    }
    // What was taken must not be lost with what failed.
    if (works.length === 0 && failure !== undefined) throw failure.reason;
    return works;
  }

  async function commit({ conversation, fence, nonce }: Lease, change: Change) {
    const { own, intents, dead } = conversationKeys(conversation);
    const letters = (change.dead ?? []).flatMap(({ reason, body }, index) => [
      letterId(conversation, fence, change.version, index),
      reason,
      body,
    ]);
    const answer = await runScript(
      commands,
      'commit',
      [...own, intents, dead],
      [
        conversation,
        joinNumbers(
          ...[fence, change.version, schema, change.consumed ?? 0, change.wakeAtMs ?? 0, DEAD_CAP],
          ...[change.outbox.length, change.settled.length, change.forget ? 1 : 0],
        ),
        ...[nonce, change.state, ...change.outbox, ...change.settled, ...letters],
      ],
    );
    return answer === null ? false : { firstSeq: numberOf(answer) };
  }

  return {
    accept,
    claim,
    async renew({ conversation, fence, nonce }) {
      return numberOf(await run('renew', conversation, joinNumbers(fence, leaseMs), nonce)) === 1;
    },
    intend: intend.write,
    commit,
    async release({ conversation, fence, nonce }, sentSeq, notBeforeMs, releaseNonce = randomUUID()) {
      const answer = await run(
        'release',
        conversation,
        joinNumbers(fence, sentSeq, notBeforeMs ?? -1, leaseMs, schema),
        ...[nonce, releaseNonce],
      );
      return answer === null ? null : nextOf(answer);
    },
    async hold(customer, operation) {
      const answer = await runScript(commands, 'hold', customerKeys(customer), [operation, holdMs]);
      if (answer === null) return { held: false };
      const [settled, awaited] = listOf(answer);
      return { held: true, settled: listOf(settled).map(wordOf), awaited: listOf(awaited).map(wordOf) };
    },
    async letGo(customer, operation, record = '', awaited = '') {
      await runScript(commands, 'letGo', customerKeys(customer), [operation, settledMs, record, awaited]);
    },
    ...journalOf(commands),
    health: () => redisFaults(client, waitReplicas),
    close: async () => intend.close(),
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
