import type { Gift } from '../conversation/context.ts';
import type { Identifier, Intent, Lookup, Skew } from '../conversation/effect.ts';
import type { EffectContext } from '../engine/perform.ts';
import type { Log } from '../observability/log.ts';
import { waitAtMost } from '../resilience/deadline.ts';
import type { TokenBucket } from '../resilience/token-bucket.ts';
import type { Runtime } from '../runtime.ts';
import type { Canary } from './canary.ts';
import type * as port from './port.ts';

/** What effects are performed with. */
export type Tools = {
  readonly antcrm: port.AntCrm;
  /** Whether AntCRM has `/contacts` (`ANTCRM_CONTACTS`). */
  readonly contacts: 'on' | 'off';
  /** How long one call may take, ms (`ANTCRM_TIMEOUT_MS`). */
  readonly timeoutMs: number;
  /** Limits refused codes. A good code gives a refused one back: customers mistype. */
  readonly guesses: TokenBucket;
  alarmGuessing(): void;
  /** The history cannot be read whole: AntCRM ignores `page`, or has too many of them. */
  alarmPages(why: 'ignored' | 'endless'): void;
  /** The operator's list: codes that AntCRM may not tell apart. */
  readonly gifts: readonly Pick<Gift, 'code'>[];
  readonly canary: Canary;
  readonly log: Log;
  readonly runtime: Runtime;
};

/** `Date` is cut to whole seconds: half a second is missing on average. */
const HALF_SECOND_MS = 500;
const MIN_ERROR_MS = 1000;
const INTERRUPTED_READ = { ok: false, reason: 'unavailable' } as const;

/**
 * AntCRM and the store, as one effect uses them. Once the lease is lost or the process is stopping, it is
 * `isInterrupted`: nothing begins any more, and the effect has no outcome. Once a call that changes points is
 * made, it is not: later reads are optional. Each answer measures AntCRM's clock.
 */
export class Session {
  readonly context: EffectContext;
  readonly tools: Tools;
  /** The skew that the last answer with a `Date` showed; undefined if no answer had one. */
  skew: Skew | undefined;
  /** The latest `Date` of all answers, epoch ms. */
  dateMs: number | undefined;
  /** Whether AntCRM answered at all. */
  isAnswered = false;
  /** Something was refused, because the lease is lost or the process is stopping. */
  isInterrupted = false;
  #isCalled = false;

  constructor(context: EffectContext, tools: Tools) {
    this.context = context;
    this.tools = tools;
  }

  async history(query: port.HistoryQuery): Promise<port.Read<port.HistoryPage>> {
    if (!this.mayBegin()) return INTERRUPTED_READ;
    return this.#noteTime(await this.tools.antcrm.history(query));
  }

  async contact(by: Identifier): Promise<port.Read<port.Contact | null>> {
    if (!this.mayBegin()) return INTERRUPTED_READ;
    return this.#noteTime(await this.tools.antcrm.contact(by));
  }

  async redeem(request: port.RedeemRequest): Promise<port.CallOutcome> {
    this.#isCalled = true;
    return this.#noteTime(await this.tools.antcrm.redeem(request));
  }

  async accumulate(request: port.AccumulateRequest): Promise<port.CallOutcome> {
    this.#isCalled = true;
    const { guesses, antcrm, alarmGuessing } = this.tools;
    // Taken before the answer: guesses that are sent at once must not all pass.
    if (!guesses.take()) {
      alarmGuessing();
      return { kind: 'unavailable' };
    }
    const outcome = await antcrm.accumulate(request);
    guesses.give(outcome.kind === 'applied' ? 2 : outcome.kind === 'refused' ? 0 : 1);
    return this.#noteTime(outcome);
  }

  /** Stores the intent. After a permit the call must follow, stopping or not. */
  async intend(operation: string, intent: Intent): ReturnType<EffectContext['intend']> {
    if (!this.mayBegin()) return 'interrupted';
    const intended = await this.context.intend(operation, intent);
    if (intended === 'interrupted' || this.context.signal.aborted) this.isInterrupted = true;
    return this.isInterrupted ? 'interrupted' : intended;
  }

  /** The times of a call that begins now, for its lookup. */
  callTimes(): Pick<Lookup, 'calledMs' | 'deadlineMs' | 'skew' | 'dateMs'> {
    const calledMs = this.context.nowMs();
    const { skew, dateMs } = this;
    return { calledMs, deadlineMs: calledMs + this.tools.timeoutMs, skew, dateMs };
  }

  /** An earlier turn of the operation got answers until `dateMs`. Those of this turn must be later. */
  goOnAfter({ dateMs }: Pick<Lookup, 'dateMs'>): void {
    if (dateMs !== undefined) this.dateMs = dateMs + 1;
  }

  /** Whether an answer is older than an earlier one of the operation, or comes from a cache. */
  isStale(time: port.AnswerTime | undefined): boolean {
    const { dateMs, isCached } = time ?? {};
    return isCached === true || (dateMs !== undefined && dateMs < (this.dateMs ?? 0));
  }

  /** The result of optional work; undefined if it takes longer than `ms`, or if the lease is lost. */
  waitAtMost<Result>(ms: number, work: Promise<Result>): Promise<Result | undefined> {
    return waitAtMost(ms, work, { runtime: this.tools.runtime, signal: this.context.signal });
  }

  /** Whether optional work may begin. */
  mayRead(): boolean {
    return !this.context.signal.aborted && !this.context.stopping.aborted;
  }

  /** Whether the effect may go on. */
  mayBegin(): boolean {
    if (this.#isCalled) return true;
    const { signal, stopping } = this.context;
    if (signal.aborted || stopping.aborted) this.isInterrupted = true;
    return !this.isInterrupted;
  }

  /** AntCRM wrote its `Date` half a round trip ago. */
  #noteTime<Reply extends port.TimedAnswer>(reply: Reply): Reply {
    const { time } = reply;
    if (time === undefined) return reply;
    this.isAnswered = true;
    const { dateMs, tookMs } = time;
    if (dateMs === undefined || this.isStale(time)) return reply;
    this.dateMs = dateMs;
    const ms = Math.round(dateMs + HALF_SECOND_MS - (this.context.nowMs() - tookMs / 2));
    this.skew = { ms, errorMs: Math.max(MIN_ERROR_MS, HALF_SECOND_MS + tookMs / 2) };
    return reply;
  }
}
