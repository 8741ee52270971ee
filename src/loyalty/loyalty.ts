import type { Effect, Outcome } from '../conversation/effect.ts';
import type { Perform } from '../engine/perform.ts';
import { type Alarm, atMostEvery, type Fields } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import { TokenBucket } from '../resilience/token-bucket.ts';
import type { Runtime } from '../runtime.ts';
import { accumulate } from './accumulate.ts';
import { AntCrmClient, type AntCrmOptions } from './antcrm.ts';
import { Canary, keepInMemory, type SeenStore } from './canary.ts';
import { isSmallSkew } from './evidence.ts';
import { readBalance, readExactBalance, readHistory } from './history.ts';
import { lockAll } from './locks.ts';

import { check } from './reconcile.ts';
import { redeem } from './redeem.ts';
import { Session, type Tools } from './session.ts';

export type LoyaltyOptions = AntCrmOptions & {
  readonly contacts: Tools['contacts'];
  readonly gifts: Tools['gifts'];
  readonly observe: Pick<Observe, 'skew' | 'historyLag'>;
  /** Keeps what AntCRM has shown; by default in memory. */
  readonly seen?: SeenStore | undefined;
  /** Later than this after a call, nothing is looked up any more, ms: a history must not be later. */
  readonly lastCheckMs?: number | undefined;
  /** Wraps the client, for tests that inject faults. */
  readonly around?: ((antcrm: AntCrmClient) => AntCrmClient) | undefined;
};

/**
 * Creates the client of AntCRM, and the rules by which effects are performed with it. Time and network come
 * in by `runtime` and `transport`. If `perform` throws, the same effect may be performed again: an operation
 * is never called twice.
 */
export function createLoyalty({ around = (antcrm) => antcrm, ...options }: LoyaltyOptions) {
  const { runtime, observe, seen = keepInMemory(), lastCheckMs = Number.POSITIVE_INFINITY } = options;
  const canary = new Canary({ store: seen, runtime, observe });
  const antcrm = around(new AntCrmClient({ ...options, firstPage: () => canary.firstPage }));
  const silenced = { log: observe.log, alarm() {}, skew() {} };
  return {
    perform: createPerform({ ...options, antcrm, canary }),
    /** Measures no clock: its time is this process's, not the store's. */
    read: toReader(createPerform({ ...options, antcrm, canary, observe: silenced }), runtime),
    isUp: antcrm.isUp,
    /** Learns what other processes saw of AntCRM. */
    open: () => canary.open(),
    faults: () => {
      const isLate = (canary.lagMs ?? 0) > lastCheckMs;
      return isLate
        ? [...antcrm.faults(), 'AntCRM shows records later than the last check']
        : antcrm.faults();
    },
    close() {
      canary.close();
      antcrm.close();
    },
  };
}

const ALARM_EVERY_MS = 60_000;
/** Limits codes guessed by many accounts, per process: 60 refused codes at once, then one a second. */
const GUESSES = { burst: 60, perSecond: 1 };

/** What is read outside of a turn. */
type ReadEffect = Extract<Effect, { kind: 'history' | 'balance' }>;
/** Reads for staff, until `signal` aborts. AntCRM that does not answer is `unavailable`. */
export type ReadForStaff = (effect: ReadEffect, signal: AbortSignal) => Promise<Outcome | 'interrupted'>;

/** Without a lease: whatever could change points is refused. */
function toReader(perform: Perform, { nowMs }: Runtime): ReadForStaff {
  const refuse = async () => {
    throw new TypeError('Only reads work outside of a turn');
  };
  const context = { lock: refuse, unlock: refuse, intend: refuse, findCall: () => null, nowMs };
  return (effect, signal) => perform(effect, { ...context, signal, stopping: signal });
}

type Rules = Pick<Tools, 'antcrm' | 'canary' | 'contacts' | 'gifts' | 'timeoutMs' | 'runtime'> & {
  readonly observe: Pick<Observe, 'log' | 'alarm' | 'skew'>;
};

/** The rules alone, for any implementation of the port. */
export function createPerform({ observe, ...parts }: Rules): Perform {
  const { runtime } = parts;
  const alarm = (name: Alarm) =>
    atMostEvery(ALARM_EVERY_MS, (fields: Fields) => observe.alarm(name, fields), runtime.monotonicMs);
  const alarmSkew = alarm('antcrm_clock_skew');
  const alarmGuessing = alarm('code_guessing');
  const alarmPages = alarm('antcrm_pages');
  const tools: Tools = {
    ...parts,
    guesses: new TokenBucket({ ...GUESSES, runtime }),
    alarmGuessing: () => alarmGuessing({}),
    alarmPages: (why) => alarmPages({ why }),
    log: observe.log,
  };

  /** Silent if AntCRM does not answer at all: that is another fault, with another alarm. */
  function reportClock({ skew, isAnswered }: Session): void {
    if (skew !== undefined) observe.skew(skew.ms / 1000);
    const isWrong = skew === undefined ? isAnswered : !isSmallSkew(skew);
    if (isWrong) alarmSkew({ seconds: skew && Math.round(skew.ms / 1000) });
  }

  return async (effect, context) => {
    const session = new Session(context, tools);
    try {
      const outcome = await dispatch(effect, session);
      return session.isInterrupted ? 'interrupted' : outcome;
    } finally {
      reportClock(session);
    }
  };
}

async function dispatch(effect: Effect, session: Session): Promise<Outcome> {
  switch (effect.kind) {
    case 'accumulate':
      return (await readInterrupted(effect.operation, session)) ?? accumulate(effect, session);
    case 'redeem':
      return (await readInterrupted(effect.operation, session)) ?? redeem(effect, session);
    case 'check':
      return check(effect, session);
    case 'history':
      return readHistory(effect, session);
    case 'balance':
      return effect.exact ? readExactBalance(effect.by, session) : readBalance(effect.by, session);
  }
}

/**
 * The outcome of an earlier attempt that a crash interrupted; null if there was none. That attempt may have
 * called AntCRM, so its locks and its baseline are used, and this attempt makes no call.
 */
async function readInterrupted(operation: string, { context, tools }: Session): Promise<Outcome | null> {
  const call = context.findCall(operation);
  if (call?.kind !== 'unknown') return call;
  tools.log.warn({ operation }, 'a call was interrupted: it is looked up');
  await lockAll(context, { names: call.lookup.locks, operation });
  return call;
}
