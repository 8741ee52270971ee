import { hash } from 'node:crypto';
import { conversationName, type Incoming } from '../../src/engine/messages.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import { type Key, StoreUnavailable } from '../../src/store/port.ts';
import { type Chance, createChance, createClock } from './clock.ts';
import type { Kind } from './counts.ts';

/** Customers arrive in the first part of a history. Faults last longer; then everything settles. */
const SHORT = {
  arrivalsMs: 4 * 60_000,
  faultsMs: 9 * 60_000,
  sweepMs: 2_000,
  patience: 1,
  illMs: [2_000, 60_000],
  faultFactor: 1,
} as const;
const LONG = {
  arrivalsMs: 60 * 60_000,
  faultsMs: 3 * 3_600_000,
  sweepMs: 5_000,
  patience: 6,
  illMs: [60_000, 600_000],
  /** It has as many faults as a short one. */
  faultFactor: SHORT.faultsMs / (3 * 3_600_000),
} as const;
const LONG_RATE = 0.1;

export const HASH_KEY = Buffer.alloc(32, 7);

/** What must hold, by its name in docs/simulator.md; each has a defect that it finds (`planted.ts`). */
export type Breach = { readonly invariant: string; readonly what: string };

/** What the parts of a history share: its time and chance, and what is noted of it. */
export function createWorld(seed: number, watch?: (atMs: number, what: string) => void) {
  const [chance, clock] = [createChance(seed), createClock()];
  const encryption = createEncryption({ hashKey: HASH_KEY });
  const counts: Record<string, number> = {};
  const breaches: Breach[] = [];
  const logged: string[] = [];
  const traced: string[] = [];
  const world = {
    ...{ chance, clock, encryption, counts, breaches },
    rates: drawRates(chance),
    life: chance.happens(LONG_RATE) ? LONG : SHORT,
    /** All that was logged, counted and alarmed. */
    logged,
    keyOf: ({ channel, conversation }: Pick<Incoming, 'channel' | 'conversation'>): Key =>
      `c:${conversationName(encryption, channel, conversation)}`,
    count(kind: Kind): void {
      counts[kind] = (counts[kind] ?? 0) + 1;
    },
    trace(what: string): void {
      traced.push(`${clock.atMs} ${what}\n`);
      watch?.(clock.atMs, what);
    },
    hash: () => hash('sha256', traced.join('')).slice(0, 16),
    breach(invariant: string, what: string): void {
      if (breaches.length < 30) breaches.push({ invariant, what });
    },
    /** Only the store may fail. */
    onError(error: unknown): void {
      if (error instanceof StoreUnavailable) return;
      world.breach('nothing throws', error instanceof Error ? `${error.stack}` : String(error));
    },
    endFaults(): void {
      world.rates = {
        ...world.rates,
        ...Object.fromEntries(Object.keys(world.rates).map((name) => [name, 0])),
      };
    },
  };
  return world;
}
export type World = ReturnType<typeof createWorld>;

/** The rates of faults, each drawn from the seed. A third of them are zero. */
function drawRates({ happens, random }: Chance) {
  const upTo = (most: number): number => (happens(1 / 3) ? 0 : most * random() ** 2);
  return {
    /** Per call of the store, a platform or AntCRM: its process is killed around it. */
    killed: upTo(0.01),
    /** A command of the store executes, and its answer is lost. */
    lost: upTo(0.02),
    /** A command of the store executes twice. */
    repeated: upTo(0.05),
    /** A call takes long enough for a lease to end. */
    slow: upTo(0.02),
    /** Each second: the store fails over and loses its last writes. */
    failover: happens(1 / 3) ? 0 : upTo(0.2),
    /** Each second: a node of the store falls ill, for a while. */
    ill: upTo(0.05),
    /** Once a reply is delivered, its node, or each, refuses writes for a moment. */
    hiccup: upTo(0.03),
    /** Each second: a record is overwritten by what nobody can open, or vanishes. */
    damaged: happens(1 / 3) ? 0 : upTo(0.06),
    /** Each second: the store's clock is put back. */
    putBack: happens(2 / 3) ? 0 : upTo(0.005),
    /** A platform throttles, fails after delivery, is silent, cannot be reached. */
    throttled: upTo(0.1),
    failedLate: upTo(0.05),
    silent: upTo(0.05),
    unconnected: upTo(0.1),
    /** A platform's fault asks for a wait before the next try. */
    waits: upTo(0.05),
    /** Each second: a platform's outage begins; a process is stopped in order. */
    outage: upTo(0.02),
    stopped: upTo(0.05),
    /** Too few replicas acknowledge an intent. */
    unreplicated: upTo(0.2),
    /** AntCRM's answer is lost, the call never arrives, there is no connection, the record appears late. */
    answerLost: upTo(0.3),
    unheard: upTo(0.2),
    refused: upTo(0.2),
    late: upTo(0.3),
    /** A call or read is answered by a 429 or 5xx; a read by AntCRM's own error in a 200. */
    failed: upTo(0.2),
    errorBody: upTo(0.2),
    /** An update is delivered twice. */
    doubled: upTo(0.3),
  };
}
