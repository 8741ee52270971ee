import type { Outcome } from '../../src/conversation/effect.ts';
import { LIMITS } from '../../src/engine/limits.ts';
import { conversationName, type Outgoing } from '../../src/engine/messages.ts';
import type { Encryption, Key } from '../../src/store/port.ts';
import type { Breach } from './checks.ts';
import type { Clock } from './clock.ts';
import type { RecordChange, Watched } from './watch.ts';

/** A bulkhead may hold up a send for a moment after the lease was looked at. */
const LEASE_SLACK_MS = 2_000;
/**
 * A process knows the store's clock as a lower bound, which is as old as its last answer was slow: a reply that must wait may
 * leave so much too early.
 */
const WAIT_SLACK_MS = 26_000;

type Wait = { readonly process: string; readonly seq: number; readonly untilMs: number; isStored: boolean };

/** A lease as its process last asked for it, and when. */
type Asked = {
  readonly owner: string;
  readonly untilMs: number;
  readonly step: number;
  readonly inSeq: number;
  readonly askedMs: number;
};

/** What an effect did: the locks that it holds, as far as the store says so, and whether it stored an intent. */
export type Noted = { readonly locks: Set<string>; isIntended: boolean };

export type Conduct = ReturnType<typeof createConduct>;

/** Checks how processes act: under their leases, when they stop, when they are told to wait, around calls and locks. */
export function createConduct(options: {
  readonly clock: Clock;
  readonly encryption: Pick<Encryption, 'name'>;
  readonly peek: Watched['peek'];
  breach(invariant: Breach['invariant'], what: string): void;
}) {
  const { clock, encryption, peek, breach } = options;
  /** When each process asked for its lease as it is, by process and record. */
  const leases = new Map<string, Asked>();
  /** How long a platform asked to wait with a reply, by conversation. `isStored`: the record says so, too. */
  const waits = new Map<string, Wait>();
  /** The last lease that was taken while replies had to wait, by conversation: only a wake-up may run under it. */
  const putOff = new Map<string, string>();
  /** Calls that ended before their process, under which lease each was made, and those whose intent replicas have. */
  const ended = new Set<string>();
  const madeBy = new Map<string, string>();
  const replicated = new Set<string>();

  return {
    /** The store has confirmed a swap to a process, which asked for it at `atMs`. */
    onConfirmed(
      process: string,
      { key, bytes, atMs }: { key: Key; bytes: Uint8Array | null; atMs: number },
    ): void {
      const { lease, inSeq = 0 } = peek(key, bytes) ?? {};
      if (!lease || processOf(lease) !== process) return;
      const { owner, untilMs, step } = lease;
      const before = leases.get(`${process} ${key}`);
      const isTheSame = before?.owner === owner && before.untilMs === untilMs;
      // A renewal may leave the time as it is, where the store's clock was put back or its answers are slow. It
      // has no step of its own, and files no message. Once it is due it may go with another change.
      const isRenewed = isTheSame && before.step === step && before.inSeq === inSeq;
      const isAsked = !isTheSame || isRenewed || atMs - before.askedMs >= LIMITS.renewMs;
      const askedMs = isAsked ? Math.max(atMs, before?.owner === owner ? before.askedMs : 0) : before.askedMs;
      leases.set(`${process} ${key}`, { owner, untilMs, step, inSeq, askedMs });
    },

    onSend(process: string, { channel, conversation }: Outgoing, seq: number): void {
      const name = conversationName(encryption, channel, conversation);
      const { askedMs = Number.NEGATIVE_INFINITY } = leases.get(`${process} c:${name}`) ?? {};
      if (clock.atMs > askedMs + LIMITS.leaseMs + LEASE_SLACK_MS)
        breach('sends under its lease', `${process} sent ${seq} of ${conversation} after its lease`);
      const wait = waits.get(name);
      if (wait?.isStored && clock.atMs < wait.untilMs - WAIT_SLACK_MS)
        breach(
          'waits as asked',
          `${conversation}: ${seq} was sent ${wait.untilMs - clock.atMs} ms too early`,
        );
      waits.delete(name);
    },

    /** A process hears that it shall wait with a reply. */
    onToldToWait(
      process: string,
      { channel, conversation }: Outgoing,
      told: { seq: number; afterMs: number },
    ): void {
      const wait = { process, seq: told.seq, untilMs: clock.atMs + told.afterMs, isStored: false };
      waits.set(conversationName(encryption, channel, conversation), wait);
    },

    /** A swap executed; `durable`: replicas have it, and what was written before. */
    onSwapped(key: Key, bytes: Uint8Array | null, durable: boolean): void {
      if (!durable) return;
      for (const operation of Object.keys(peek(key, bytes)?.journal ?? {})) replicated.add(operation);
    },

    /** A call is about to be made. */
    onCall(operation: string): void {
      if (!replicated.has(operation))
        breach('replicated before it is called', `${operation} is called, and its intent may be lost`);
    },

    onOutcome(outcome: Outcome, { locks, isIntended }: Noted): void {
      const { kind } = outcome;
      const isEnd = kind === 'applied' || kind === 'refused' || kind === 'unavailable';
      if (isEnd && isIntended && outcome.operation !== undefined) ended.add(outcome.operation);
      if (kind === 'busy' && locks.size > 0)
        breach('no lock past its reason', `${outcome.operation} is busy, and locks ${[...locks]}`);
    },

    onChange({ name, before, after }: RecordChange): void {
      for (const operation of Object.keys(after.journal)) {
        const isNew = before?.journal[operation] === undefined;
        if (isNew && after.lease) madeBy.set(operation, after.lease.owner);
      }
      const isPutOff = after.retry !== null && after.retry.atMs > clock.nowMs();
      if (after.lease !== null && after.lease.step === 0 && isPutOff) putOff.set(name, after.lease.owner);
      if (before?.lease == null || after.lease !== null) return;
      const { retry } = before;
      const isStill = putOff.get(name) === before.lease.owner && retry !== null && retry.atMs > clock.nowMs();
      if (isStill && after.outbox.length > 0 && after.retry?.atMs !== retry.atMs)
        breach('waits as asked', `${name}: replies that had to wait got another time`);
      const wait = waits.get(name);
      const isTold = wait?.process === processOf(before.lease) && after.outbox[0]?.seq === wait.seq;
      if (isTold && after.retry !== null) wait.isStored = true;
      for (const [operation, { outcome }] of Object.entries(after.journal)) {
        const isMade = madeBy.get(operation) === before.lease.owner && ended.has(operation);
        if (outcome === undefined && isMade)
          breach(
            'ended calls are known',
            `${operation} ended, and its conversation was given back without that`,
          );
      }
    },

    onLoss(): void {
      for (const wait of waits.values()) wait.isStored = false;
    },

    onStopped(process: string, tookMs: number, isIdle: boolean): void {
      if (tookMs >= LIMITS.stopMs && isIdle)
        breach('stops in time', `${process} had nothing to do, and did not stop`);
    },
  };
}

/** Owners of leases are made by `Runtime.id` of their process. */
const processOf = ({ owner }: { readonly owner: string }): string => owner.slice(0, owner.lastIndexOf('-'));
