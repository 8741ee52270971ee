import type { Outcome } from '../../src/conversation/effect.ts';
import { LIMITS } from '../../src/engine/limits.ts';
import type { Outgoing } from '../../src/engine/messages.ts';
import type { ConversationRecord } from '../../src/engine/record.ts';
import { type Key, type Swap, versionOf } from '../../src/store/port.ts';
import type { RecordChange, Watched } from './watch.ts';
import type { World } from './world.ts';

/** A call of AntCRM takes at most so long. */
export const TIMEOUT_MS = 8_000;
/** A bulkhead may delay a send after the check of its lease. */
const LEASE_SLACK_MS = 2_000;
/**
 * A process knows a lower bound of the store's clock, which is late by the delay of the last answer. So a
 * reply may leave this much too early.
 */
const WAIT_SLACK_MS = 26_000;
/** A release that the store did not confirm is tried again after this. Each further wait is twice as long. */
const RELEASE_WAIT_MS = 200;
const MAX_RELEASE_WAIT_MS = 4000;

type Wait = {
  readonly process: string;
  readonly seq: number;
  readonly atMs: number;
  readonly untilMs: number;
  isStored: boolean;
};

/** A lease, the number of the last message, and when its process last asked for it. */
type Asked = NonNullable<ConversationRecord['lease']> & { readonly inSeq: number; readonly askedMs: number };

/** A swap that a process asks for. */
type AskedSwap = Pick<Swap, 'bytes' | 'expected'> & { readonly key: Key; readonly atMs: number };

/** Checks how processes use leases, wait, call and lock. */
export type Conduct = ReturnType<typeof createConduct>;
export function createConduct({ breach, clock, keyOf }: World, peek: Watched['peek']) {
  /** The lease of each process, by process and record. */
  const leases = new Map<string, Asked>();
  /** By conversation, the wait that a platform asked for. `isStored`: the record has it. */
  const waits = new Map<string, Wait>();
  /** By conversation, the last lease that was taken while replies had to wait: only a wake-up uses it. */
  const putOff = new Map<string, string>();
  /**
   * By conversation, the replies that its platform took, under which lease, and when that was released.
   */
  const delivered = new Map<string, Map<number, { readonly owner: string; releasedMs: number }>>();
  /** The process that knows how a call ended, and operations with a replicated intent. */
  const ended = new Map<string, string>();
  const replicated = new Set<string>();
  /** Operations whose intent was removed. */
  const over = new Set<string>();
  /** By operation, the attempt that stored its intent, and when its process asked for that. */
  const intended = new Map<string, { readonly by: string; readonly askedMs: number }>();

  /**
   * By process and record, a release that the store did not confirm: of which version, how often, when last.
   */
  const unreleased = new Map<string, Pick<Swap, 'expected'> & { times: number; failedMs: number }>();

  /**
   * The versions of records that have a lease: a process names the record that it swaps by its version alone.
   */
  const leased = new Set<string>();
  const nameOf = (version: Uint8Array): string => Buffer.from(versionOf(version)).toString('hex');

  /** A process asks for a swap. If that is a release that failed before, it has waited long enough. */
  function onAsked(process: string, swap: AskedSwap): void {
    if (swap.bytes && peek(swap.key, swap.bytes)?.lease) leased.add(nameOf(swap.bytes));
    const before = failedRelease(process, swap);
    const waitedMs = swap.atMs - (before?.failedMs ?? swap.atMs);
    // Within a lease each wait is twice as long. Later leases rest as long as a shard that fails.
    if (before && waitedMs < Math.min(RELEASE_WAIT_MS * 2 ** (before.times - 1), MAX_RELEASE_WAIT_MS))
      breach('waits for the store', `${process} tried ${swap.key} again after ${waitedMs} ms`);
  }

  function onUnconfirmed(process: string, swap: AskedSwap): void {
    const isRelease = peek(swap.key, swap.bytes)?.lease === null;
    if (!isRelease || swap.expected === null || !leased.has(nameOf(swap.expected))) return;
    const times = (failedRelease(process, swap)?.times ?? 0) + 1;
    const { expected } = swap;
    unreleased.set(`${process} ${swap.key}`, { expected, times, failedMs: clock.atMs });
  }

  /** The same release of the same record, which the store did not confirm. */
  function failedRelease(process: string, { key, bytes, expected }: AskedSwap) {
    const before = unreleased.get(`${process} ${key}`);
    const isSame = before?.expected && expected && Buffer.compare(before.expected, expected) === 0;
    return isSame && peek(key, bytes)?.lease === null ? before : undefined;
  }

  /** The store confirmed a swap that the process requested at `atMs`. */
  function onConfirmed(process: string, { key, bytes, atMs }: AskedSwap): void {
    const { lease, inSeq = 0, journal } = peek(key, bytes) ?? {};
    if (!lease || processOf(lease.owner) !== process) return;
    for (const [operation, { by }] of Object.entries(journal ?? {}))
      if (intended.get(operation)?.by !== by) intended.set(operation, { by, askedMs: atMs });
    const { owner, untilMs, step } = lease;
    const before = leases.get(`${process} ${key}`);
    const isTheSame = before?.owner === owner && before.untilMs === untilMs;
    // A renewal keeps the time if the store's clock was set back or answers are slow. It raises no step and
    // files no message. Once it is due, it may be part of another change.
    const isRenewed = isTheSame && before.step === step && before.inSeq === inSeq;
    const isAsked = !isTheSame || isRenewed || atMs - before.askedMs >= LIMITS.renewMs;
    const askedMs = isAsked ? Math.max(atMs, before?.owner === owner ? before.askedMs : 0) : before.askedMs;
    leases.set(`${process} ${key}`, { ...lease, inSeq, askedMs });
  }

  /** Returns the owner of the lease under which the process sends. */
  function onSend(process: string, outgoing: Outgoing, seq: number): string {
    const key = keyOf(outgoing);
    const { askedMs = -Infinity, owner = '' } = leases.get(`${process} ${key}`) ?? {};
    if (clock.atMs > askedMs + LIMITS.leaseMs + LEASE_SLACK_MS)
      breach('sends under its lease', `${process} sent ${seq} of ${key} after its lease`);
    const wait = waits.get(key);
    // A failover may take a process's lease away. It does not know what its successor heard of the call.
    const knows = wait !== undefined && (process === wait.process || askedMs >= wait.atMs);
    if (knows && wait.isStored && clock.atMs < wait.untilMs - WAIT_SLACK_MS)
      breach('waits as asked', `${key}: ${seq} was sent ${wait.untilMs - clock.atMs} ms too early`);
    waits.delete(key);
    // Who took the lease earlier may have lost it in a failover, and does not know that.
    const { releasedMs = Infinity } = delivered.get(key)?.get(seq) ?? {};
    if (askedMs > releasedMs) breach('sent once', `${key}: ${seq} was sent again`);
    return owner;
  }

  /** The platform took a reply, and the process knows that. */
  function onDelivered(owner: string, outgoing: Outgoing, seq: number): void {
    const key = keyOf(outgoing);
    const replies = delivered.get(key) ?? new Map();
    delivered.set(key, replies.set(seq, { owner, releasedMs: Infinity }));
  }

  /** A platform's answer asks the process to wait. */
  function onThrottled(
    process: string,
    outgoing: Outgoing,
    delivery: { seq: number; afterMs: number },
  ): void {
    const atMs = clock.atMs;
    const wait = { process, seq: delivery.seq, atMs, untilMs: atMs + delivery.afterMs, isStored: false };
    waits.set(keyOf(outgoing), wait);
  }

  /** A swap executed; `durable`: replicas have it, and what was written before. */
  function onSwapped(key: Key, bytes: Uint8Array | null, durable: boolean): void {
    if (!durable) return;
    for (const operation of Object.keys(peek(key, bytes)?.journal ?? {})) replicated.add(operation);
  }

  /** A call reaches AntCRM. Its look-up assumes that a redemption does so in time, if at all. */
  function onCall(operation: string, path: string): void {
    if (!replicated.has(operation))
      breach('replicated before it is called', `${operation} is called, and its intent may be lost`);
    const { askedMs = Infinity } = intended.get(operation) ?? {};
    if (path.endsWith('/redeem') && clock.atMs > askedMs + TIMEOUT_MS)
      breach('called in time', `${operation} is called ${clock.atMs - askedMs} ms after its intent`);
  }

  /** `locks`: those that the effect has by the store's answers. */
  function onOutcome(process: string, outcome: Outcome, locks: ReadonlySet<string>): void {
    const { kind } = outcome;
    const isEnd = kind === 'applied' || kind === 'refused' || kind === 'unavailable';
    const operation = isEnd || kind === 'busy' ? outcome.operation : undefined;
    if (operation === undefined) return;
    const { by = '' } = intended.get(operation) ?? {};
    if (isEnd && processOf(by) === process) ended.set(operation, process);
    if (kind === 'busy' && locks.size > 0)
      breach('no lock past its reason', `${operation} is busy, and locks ${[...locks]}`);
  }

  function onChange({ key, before, after }: RecordChange): void {
    checkIntents(before, after);
    // A failover lost the intent before, and with it the call.
    for (const operation of Object.keys(after.journal))
      if (before?.journal[operation] === undefined) ended.delete(operation);
    const isPutOff = after.retry !== null && after.retry.atMs > clock.nowMs();
    // A process may be ahead of a store whose clock was set back.
    const isOnTime = clock.nowMs() === clock.wallMs();
    if (after.lease?.step === 0 && isPutOff && isOnTime) putOff.set(key, after.lease.owner);
    if (before?.lease && after.lease === null) onRelease(key, before, after);
  }

  /** An operation is intended once, and the intent of the next one says how those before it ended. */
  function checkIntents(before: ConversationRecord | null, after: ConversationRecord): void {
    const begun = Object.keys(after.journal).filter((operation) => before?.journal[operation] === undefined);
    for (const operation of begun)
      if (over.has(operation))
        breach('an operation is intended once', `${operation} was over, and began again`);
    for (const operation of Object.keys(before?.journal ?? {}))
      if (after.journal[operation] === undefined) over.add(operation);
    if (begun.length === 0 || !after.lease) return;
    for (const [operation, { by, outcome }] of Object.entries(after.journal)) {
      const isMade = by.startsWith(`${after.lease.owner}:`) && !begun.includes(operation);
      if (isMade && outcome === undefined && ended.get(operation) === processOf(after.lease.owner))
        breach('ended calls are known', `${operation} ended, and the next intent does not say so`);
    }
  }

  function onRelease(key: Key, { lease, retry }: ConversationRecord, after: ConversationRecord): void {
    if (lease === null) return;
    // A lease that ran out may end without its process.
    if (lease.untilMs > clock.wallMs())
      for (const reply of delivered.get(key)?.values() ?? [])
        if (reply.owner === lease.owner) reply.releasedMs = Math.min(reply.releasedMs, clock.atMs);
    const isStill = putOff.get(key) === lease.owner && retry !== null && retry.atMs > clock.nowMs();
    if (isStill && after.outbox.length > 0 && after.retry?.atMs !== retry.atMs)
      breach('waits as asked', `${key}: replies that had to wait got another time`);
    const wait = waits.get(key);
    const isSameReply = wait?.process === processOf(lease.owner) && after.outbox[0]?.seq === wait.seq;
    if (isSameReply && after.retry !== null) wait.isStored = true;
    for (const [operation, { by, outcome }] of Object.entries(after.journal)) {
      const isMade = by.startsWith(`${lease.owner}:`);
      if (outcome === undefined && isMade && ended.get(operation) === processOf(lease.owner))
        breach('ended calls are known', `${operation} ended, and was given back without that`);
    }
  }

  /** The store may have lost each wait that it had. */
  function onLoss(): void {
    for (const [key, { isStored }] of waits) if (isStored) waits.delete(key);
    // What was removed may be there again.
    over.clear();
    delivered.clear();
  }

  return {
    onAsked,
    onUnconfirmed,
    onConfirmed,
    onSend,
    onDelivered,
    onThrottled,
    onSwapped,
    onCall,
    onOutcome,
    onChange,
    onLoss,
  };
}

/** The owner of a lease is an id that its process made. */
const processOf = (owner: string): string => owner.slice(0, owner.lastIndexOf('-'));
