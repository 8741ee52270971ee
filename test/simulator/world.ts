import { hash } from 'node:crypto';
import { conversationName, type Incoming } from '../../src/engine/messages.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import { type Key, StoreUnavailable } from '../../src/store/port.ts';
import { type Chance, createChance, createClock } from './clock.ts';
import { type Excuse, type Kind, NAMED } from './counts.ts';

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

/** When a customer without a confirmation tries again, and how long they wait for it. */
const AGAIN_MS = 4_000;
const PATIENCE_MS = 20_000;

export const HASH_KEY = Buffer.alloc(32, 7);

/** What must hold, by its name in docs/simulator.md; each has a defect that it finds (`planted.ts`). */
export type Breach = { readonly invariant: string; readonly what: string };

/** Something that happened in a history, in words. */
export type Event = { readonly atMs: number; readonly what: string };

export type WorldOptions = {
  readonly watch?: ((atMs: number, what: string) => void) | undefined;
  /** Rates that do not come from the seed. */
  readonly oddities?: Partial<ReturnType<typeof drawRates>> | undefined;
  readonly manners?: Partial<ReturnType<typeof drawManners>> | undefined;
};

/** What the parts of a history share: its time and chance, and what is noted of it. */
export function createWorld(seed: number, { watch, oddities, manners }: WorldOptions = {}) {
  const chance = createChance(seed);
  const clock = createClock();
  const encryption = createEncryption({ hashKey: HASH_KEY });
  const counts: Record<string, number> = {};
  const breaches: Breach[] = [];
  const logged: string[] = [];
  /** What happened, with its time in ms: the lines of which a history's hash is made. */
  const traced: Event[] = [];
  const world = {
    chance,
    clock,
    encryption,
    counts,
    breaches,
    traced,
    rates: { ...drawRates(chance), ...oddities },
    manners: { ...drawManners(chance), ...manners },
    life: chance.happens(LONG_RATE) ? LONG : SHORT,
    /** All that was logged, counted and alarmed. */
    logged,
    keyOf: ({ channel, conversation }: Pick<Incoming, 'channel' | 'conversation'>): Key =>
      `c:${conversationName(encryption, channel, conversation)}`,
    count(kind: Kind | Excuse): void {
      counts[kind] = (counts[kind] ?? 0) + 1;
    },
    /** Whether a breach is excused, counted then: `underFloor` bounds each excuse. */
    excuse(why: Excuse, isSo: boolean): boolean {
      if (isSo) world.count(why);

      return isSo;
    },
    countNamed(name: string): void {
      const kind = NAMED[name];
      if (kind) world.count(kind);
    },
    /** True with this probability, and counted then. */
    occurs(rate: number, kind: Kind): boolean {
      const isSo = chance.happens(rate);
      if (isSo) world.count(kind);
      return isSo;
    },
    trace(what: string): void {
      traced.push({ atMs: clock.atMs, what });
      watch?.(clock.atMs, what);
    },
    hash: () => hash('sha256', traced.map(({ atMs, what }) => `${atMs} ${what}\n`).join('')).slice(0, 16),
    breach(invariant: string, what: string): void {
      if (breaches.length < 30) breaches.push({ invariant, what });
    },
    /** Only the store may fail. */
    onError(error: unknown): void {
      if (error instanceof StoreUnavailable) return;
      world.breach('nothing throws', error instanceof Error ? `${error.stack}` : String(error));
    },
    /** Tries at one process after the other, until one confirms or `isDone` says so. */
    insist<To, Result>(at: () => To | undefined, work: (to: To) => Promise<Result>, isDone = () => false) {
      return new Promise<Result>((resolve) => {
        const attempt = (): void => {
          let isOver = false;
          const once = (next: () => void) => () => {
            if (!isOver) next();
            isOver = true;
          };
          const again = once(() => isDone() || attempt());
          const to = at();
          clock.plan(to === undefined ? AGAIN_MS : PATIENCE_MS, again);
          if (to === undefined) return;
          work(to).then(
            (result) => once(() => resolve(result))(),
            (error: unknown) => {
              world.onError(error);
              clock.plan(AGAIN_MS, again);
            },
          );
        };
        attempt();
      });
    },
    endFaults(): void {
      // Each rate is zero if chance says so.
      world.rates = drawRates({ ...chance, happens: () => true });
    },
  };
  return world;
}
export type World = ReturnType<typeof createWorld>;

/** How AntCRM is all the time: how many records a page has, in which order, and what clock they have. */
function drawManners({ between, happens }: Chance) {
  return {
    pageSize: happens(1 / 3) ? 20 : between(1, 50),
    isNewestFirst: happens(1 / 2),
    recordsAheadMs: happens(3 / 4) ? 0 : between(-60, 60) * 60_000,
  };
}

/**
 * The rates of faults, drawn from the seed: a history has some of the faults, and those hard, so that rare
 * pairs of them meet (swarm testing).
 */
function drawRates({ happens, random }: Chance) {
  /** Of the faults, how many this history has. */
  const share = 0.1 + 0.5 * random();
  const hard = (most: number): number => most * (0.5 + random());
  const upTo = (most: number): number => (happens(1 - share) ? 0 : hard(most));
  /** In fewer histories, so that most lost answers are looked up in peace. */
  const odd = (most: number): number => (happens(1 - 0.75 * share) ? 0 : hard(most));
  return {
    /** A process is killed at a call; a command's answer is lost; it executes twice; a call is slow. */
    killed: upTo(0.02),
    lost: upTo(0.02),
    repeated: upTo(0.05),
    slow: upTo(0.02),
    /** Each second: the store fails over and loses its last writes; a node falls ill, for a while. */
    failover: upTo(0.2),
    ill: upTo(0.03),
    /** Once a reply is delivered, its node, or each, refuses writes for a moment. */
    hiccup: upTo(0.03),
    /** Each second: a record breaks, or vanishes; the store's clock is put back. */
    damaged: happens(1 / 3) ? 0 : upTo(0.06),
    putBack: happens(2 / 3) ? 0 : upTo(0.005),
    /** A platform throttles, fails after delivery, is silent, cannot be reached, asks for a wait. */
    throttled: upTo(0.1),
    failedLate: upTo(0.05),
    silent: upTo(0.05),
    unconnected: upTo(0.1),
    waits: upTo(0.05),
    /** A reply ends each process that sends it, some also as text alone. */
    deadly: odd(0.006),
    /** Each second: a platform's outage begins; a process is stopped in order. */
    outage: upTo(0.02),
    stopped: upTo(0.05),
    /** Too few replicas acknowledge an intent, or they do so late. */
    unreplicated: upTo(0.2),
    slowIntents: upTo(0.4),
    /** AntCRM's answer is lost, the call never arrives, there is no connection, the record appears late. */
    answerLost: upTo(0.3),
    unheard: upTo(0.2),
    refused: upTo(0.2),
    late: upTo(0.3),
    /** A call or read is answered by a 429 or 5xx; a read by AntCRM's own error in a 200. */
    failed: upTo(0.2),
    errorBody: upTo(0.2),
    /**
     * Pages begin with the page before, or a record too early or late; of a customer, all are the same, or
     * endless.
     */
    repeats: odd(0.5),
    shifts: odd(0.5),
    ignored: odd(0.2),
    endless: odd(0.1),
    /** A record lacks a field, or has texts for numbers; a page has an entry of an unknown type. */
    missing: odd(0.3),
    asText: odd(1),
    unknownTypes: odd(0.1),
    /** Answers that say nothing: garbage, redirects, too long, too late, a 429 with `Retry-After`. */
    garbage: odd(0.1),
    redirects: odd(0.1),
    huge: odd(0.1),
    dawdles: odd(0.05),
    throttles: odd(0.1),
    /**
     * A proxy answers some questions with what it kept of them: often both the list and the points of a
     * customer.
     */
    cached: odd(0.8),
    /** Of a customer, AntCRM never lists anything. */
    mute: odd(0.3),
    /** Every two seconds: a cashier redeems for a customer, two customers become one. */
    cashiers: odd(0.3),
    merges: odd(0.1),
    /** Each time an operator looks: an old operation is settled by hand. */
    settles: 0.2,
    /** At each change of the hour: the store's clock is put back to the hour before. */
    hourBack: 0.3,
    /** An update is delivered twice. */
    doubled: upTo(0.3),
  };
}
