import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Identifier } from '../conversation/effect.ts';
import type { Transport } from '../http/transport.ts';
import { atMostEvery } from '../observability/log.ts';
import type { CallResult, Observe } from '../observability/metrics.ts';
import type { Spans } from '../observability/tracing.ts';
import { Bulkhead } from '../resilience/bulkhead.ts';
import { type BreakerState, CircuitBreaker } from '../resilience/circuit-breaker.ts';
import { type Deadline, isOver } from '../resilience/deadline.ts';
import { backoffMs } from '../resilience/retry.ts';
import { TokenBucket } from '../resilience/token-bucket.ts';
import type { Runtime, Timer } from '../runtime.ts';
import type * as port from './port.ts';
import * as wire from './wire.ts';

export type AntCrmOptions = {
  readonly transport: Pick<Transport, 'exchange'>;
  readonly runtime: Runtime;
  /** With or without a path, with or without a slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** How long one call of the port may take, ms: waiting, connecting and retries included. */
  readonly timeoutMs: number;
  /** The number of the first page; undefined: not known yet. */
  readonly firstPage?: (() => number | undefined) | undefined;
  /** How many calls may run at once: half of the turns (docs/how-it-works.md, "A message"). */
  readonly maxCalls: number;
  /** How long the circuit breaker stays open before a probe, ms. Default: 5 s. */
  readonly breakerMs?: number | undefined;
  readonly observe: Pick<Observe, 'log' | 'alarm' | 'call' | 'breaker'>;
  readonly spans?: Pick<Spans, 'mark'> | undefined;
  /** The list to which each attempt is added, if the turn is looked into. Personal data: not for logs. */
  readonly watchedCalls?: Pick<AsyncLocalStorage<CallReport[]>, 'getStore'> | undefined;
};

/**
 * One attempt in AntCRM's terms, for people who look into a turn. `reason`: its words, or an error's name.
 */
export type CallReport = Pick<AntCrmRequest, 'method' | 'path' | 'body'> &
  Pick<Attempt, 'status' | 'reason' | 'ms'> & { readonly outcome: string };

/** One call of the port. Nothing of it is written after `writeBefore`. */
type AntCrmRequest = {
  readonly name: Parameters<Observe['call']>[0];
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  /** Values that the customer gave. They are removed from AntCRM's message before it is logged. */
  readonly given: readonly (string | undefined)[];
  readonly startMs: number;
  readonly writeBefore?: Deadline;
  readonly isFresh?: true;
};

type WriteRequest = Pick<AntCrmRequest, 'body' | 'given' | 'writeBefore' | 'isFresh'>;
type Parse<Value> = (json: unknown) => Value | 'unreadable';

/** What an answer means to a write and to a read (docs/antcrm.md, last table). A 2xx answer is parsed. */
const MEANINGS = {
  keyRefused: { write: 'unavailable', read: 'unavailable' }, // 401, 403
  busy: { write: 'unknown', read: 'unavailable' }, // 408, 429
  failing: { write: 'unknown', read: 'unavailable' }, // 5xx
  absent: { write: 'unavailable', read: 'unreadable' }, // 404 and 405 of something else than AntCRM
  refused: { write: 'refused', read: 'unreadable' }, // another 4xx
  strange: { write: 'unknown', read: 'unreadable' }, // another status
  lost: { write: 'unknown', read: 'unavailable' }, // no answer, perhaps carried out
  unsent: { write: 'unavailable', read: 'unavailable' }, // surely not sent
  declined: { write: 'unavailable', read: 'unavailable' }, // not begun
} as const satisfies Record<string, { write: port.CallOutcome['kind']; read: 'unavailable' | 'unreadable' }>;

/** How an attempt ended. `json` is undefined if the answer is no JSON. `reason` is safe to log. */
type Attempt = {
  readonly verdict: keyof typeof MEANINGS | 'answered';
  readonly ms: number;
  readonly status?: number | undefined;
  readonly json?: unknown;
  readonly time?: port.AnswerTime;
  readonly reason?: string | undefined;
};

/** The verdicts of some statuses, and of the classes of the others (2xx, 4xx, 5xx). */
const STATUSES: Verdicts = { 401: 'keyRefused', 403: 'keyRefused', 408: 'busy', 429: 'busy' };
const CLASSES: Verdicts = { 2: 'answered', 4: 'refused', 5: 'failing' };
type Verdicts = Readonly<Record<number, Attempt['verdict']>>;
/** Reasons that count as failures of AntCRM, as its 5xx do. */
const NO_CONNECTION =
  /^(TimeoutError|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;

const BREAKER_MS = 5000;
/** More than half of the last 20 calls, but at least 5, could not connect, timed out or came back as 5xx. */
const BREAKER_LIMITS = { window: 20, minResults: 5 };
/** How long a call waits for a place: long enough for a burst. Longer waits would hold up turns. */
const PATIENCE_MS = 1000;
const RETRY = { times: 2, baseMs: 100, maxMs: 500 };
/** Retries of all calls: ten at once, then one a second. They must not make an outage worse. */
const RETRIES = { burst: 10, perSecond: 1 };
const ALARM_EVERY_MS = 60_000;
/** A page of 20 records has some 30 KB. JSON of 1 MB that only nests takes a second to read. */
const MAX_ANSWER_BYTES = 256 * 1024;
/** AntCRM does not document the number of the first page: what it showed of us tells (`canary.ts`). */
const FIRST_PAGE = 1;
/** Reads of one history begin at another of so many milliseconds each time: a cache cannot answer those. */
const ADDRESSES = 1000;
const CONTACT_LIMITS = 80;
/** A phone or an e-mail names few customers. */
const MAX_CONTACT_PAGES = 5;
const NOBODY = { type: 'point', by: { kind: 'phone', value: '+84000000000' } } as const;

const decline = (reason: string): Attempt => ({ verdict: 'declined', reason, ms: 0 });

/** The port over HTTP, as docs/antcrm.md says. Its last table has our assumptions about the rest. */
export class AntCrmClient implements port.AntCrm {
  readonly #options: AntCrmOptions;
  readonly #server: { readonly origin: string; readonly headers: Readonly<Record<string, string>> };
  readonly #prefix: string;
  readonly #breaker: CircuitBreaker;
  readonly #bulkhead: Bulkhead;
  readonly #retries: TokenBucket;
  readonly #alarmKey: () => void;
  /** How the last answer was meant. */
  #last: Attempt['verdict'] | undefined;
  #probe: Timer | undefined;
  #isClosed = false;
  /** Counts reads, so that no two of one history have the same address. */
  #asked: number;

  constructor(options: AntCrmOptions) {
    const { runtime, observe, baseUrl, apiKey } = options;
    const { origin, pathname } = new URL(baseUrl);
    const json = { accept: 'application/json', 'content-type': 'application/json' };
    // A proxy must not answer a look-up with the history from before the call.
    const fresh = { 'cache-control': 'no-cache, no-store, max-age=0', pragma: 'no-cache' };
    const headers = { apikey: apiKey, ...json, ...fresh };
    this.#options = options;
    this.#asked = Math.floor(runtime.random() * ADDRESSES);
    this.#server = { origin, headers };
    this.#prefix = pathname.replace(/(?<!\/)\/+$/, '');
    this.#breaker = new CircuitBreaker({ ...BREAKER_LIMITS, onState: (state) => this.#onBreaker(state) });
    this.#bulkhead = new Bulkhead({ places: options.maxCalls, patienceMs: PATIENCE_MS }, runtime);
    this.#retries = new TokenBucket({ ...RETRIES, runtime });
    const alarm = () => observe.alarm('antcrm_key_refused', {});
    this.#alarmKey = atMostEvery(ALARM_EVERY_MS, alarm, () => runtime.monotonicMs());
  }

  accumulate(request: port.AccumulateRequest): Promise<port.CallOutcome> {
    const given = [request.code, request.name];
    request.permit.use();
    return this.#write('accumulate', { body: wire.accumulateBody(request), given });
  }

  redeem(request: port.RedeemRequest): Promise<port.CallOutcome> {
    const { gift, writeBefore } = request;
    const body = wire.redeemBody(request);
    request.permit.use();
    return this.#write('redeem', { body, given: [gift], writeBefore, isFresh: true });
  }

  history(query: port.HistoryQuery): Promise<port.Read<port.HistoryPage>> {
    const { fromMs } = query;
    const from = fromMs === undefined ? {} : { fromMs: fromMs - (this.#asked++ % ADDRESSES) };
    const path = wire.historyPath({ ...query, ...from }, this.#pageOf(query.page));
    return this.#read('history', path, (json) => wire.parseHistory(json, query));
  }

  /**
   * Reads on while a page lists only others. Until the number of the first page is known, nobody is unknown who
   * is not on the page before, either.
   */
  async contact(by: Identifier): Promise<port.Read<port.Contact | null>> {
    const isSure = this.#options.firstPage?.() !== undefined;
    const more = this.#asked++ % CONTACT_LIMITS;
    for (let page = 1; page <= MAX_CONTACT_PAGES; page++) {
      const read = await this.#readContact(by, { page, more });
      if (!read.ok) return read;
      if (read.value === 'elsewhere') continue;
      const before = read.value !== null || isSure ? read : await this.#readContact(by, { page: 0, more });
      const value = before.ok && before.value !== 'elsewhere' ? before.value : read.value;
      return { ...read, value };
    }
    return { ok: false, reason: 'unreadable' };
  }

  #readContact(by: Identifier, { page, more }: { page: number; more: number }) {
    const path = wire.contactPath(by, { page: this.#pageOf(page), more });
    return this.#read('contact', path, (json) => wire.parseContact(json, by));
  }

  /** AntCRM's number of a page. 0: the page before the first. */
  #pageOf(page: number): number {
    return (this.#options.firstPage?.() ?? FIRST_PAGE) + page - 1;
  }

  /** False while the circuit breaker is not closed: no call would be made. Cheap. */
  readonly isUp = (): boolean => this.#breaker.state === 'closed';

  /** The faults that the last calls showed, one line for operators each. Cheap. */
  faults(): readonly string[] {
    const faults = this.isUp() ? [] : ['AntCRM does not answer'];
    if (this.#last === 'keyRefused') faults.push('AntCRM refused ANTCRM_API_KEY when it was last called');
    if (this.#last === 'absent') faults.push('ANTCRM_BASE_URL had not the route that was last called');
    return faults;
  }

  /** Ends the probes. */
  close(): void {
    this.#isClosed = true;
    this.#probe?.cancel();
  }

  async #write(name: 'accumulate' | 'redeem', request: WriteRequest): Promise<port.CallOutcome> {
    const startMs = this.#options.runtime.monotonicMs();
    const call: AntCrmRequest = { name, method: 'POST', path: `/${name}`, startMs, ...request };
    const attempt = await this.#call(call);
    const { verdict, json, time } = attempt;
    const kind = verdict === 'answered' ? wire.parseAnswer(json).kind : MEANINGS[verdict].write;
    this.#report(call, attempt, kind);
    return { kind, time };
  }

  async #read<Value>(
    name: 'history' | 'contact',
    path: string,
    parse: Parse<Value>,
  ): Promise<port.Read<Value>> {
    const startMs = this.#options.runtime.monotonicMs();
    const call: AntCrmRequest = { name, method: 'GET', path, given: [], startMs };
    const attempt = await this.#call(call);
    const { verdict, json, time } = attempt;
    const value = verdict === 'answered' ? parse(json) : 'unreadable';
    const reason = verdict === 'answered' ? 'unreadable' : MEANINGS[verdict].read;
    this.#report(call, attempt, value === 'unreadable' ? reason : 'ok');
    return value === 'unreadable' ? { ok: false, reason, time } : { ok: true, value, time };
  }

  /** Makes at most three attempts, within the call's time and the retry budget. The last one counts. */
  async #call(call: AntCrmRequest): Promise<Attempt> {
    const { runtime, timeoutMs } = this.#options;
    const endMs = call.writeBefore?.monotonicMs ?? call.startMs + timeoutMs;
    const entered = this.#bulkhead.enter();
    if (entered !== true && !(await entered)) return decline('bulkhead-full');
    try {
      for (let retry = 0; ; retry++) {
        const permit = this.#breaker.admit();
        const attempt = permit === null ? decline('breaker-open') : await this.#send(call);
        const isDown = attempt.verdict === 'failing' || NO_CONNECTION.test(attempt.reason ?? '');
        if (permit !== null) this.#breaker.note(permit, isDown);
        const { verdict, status, json } = attempt;
        // A write is repeated only if it was surely not sent; a read also if its answer is lost or broken.
        const isBroken =
          verdict === 'lost' || verdict === 'failing' || (status === 200 && json === undefined);
        const isRepeatable = verdict === 'unsent' || (call.method === 'GET' && isBroken);
        const mayRepeat = retry < RETRY.times && endMs - runtime.monotonicMs() > RETRY.maxMs;
        if (!isRepeatable || !mayRepeat || !this.#retries.take()) return attempt;
        const outcome = verdict === 'answered' ? 'unreadable' : 'unavailable';
        this.#options.watchedCalls?.getStore()?.push(toMadeCall(call, attempt, outcome));
        await runtime.sleep(backoffMs(retry, RETRY, runtime.random()));
      }
    } finally {
      this.#bulkhead.leave();
    }
  }

  /** One attempt, within the call's time. Never rejects. */
  async #send(call: AntCrmRequest): Promise<Attempt> {
    const { transport, runtime, timeoutMs } = this.#options;
    const { method, path, body, startMs, writeBefore, isFresh } = call;
    if (writeBefore && isOver(writeBefore, runtime)) return decline('TooLate');
    const sentMs = runtime.monotonicMs();
    const exchange = await transport.exchange({
      ...this.#server,
      method,
      path: this.#prefix + path,
      body: body === undefined ? undefined : JSON.stringify(body),
      timeoutMs: Math.max(0, startMs + timeoutMs - sentMs),
      maxBytes: MAX_ANSWER_BYTES,
      mayBegin: writeBefore && (() => !isOver(writeBefore, runtime)),
      isFresh,
    });
    const ms = runtime.monotonicMs() - sentMs;
    if (exchange.kind === 'large') return { verdict: 'lost', reason: 'large', ms };
    if (exchange.kind !== 'answered') return { verdict: exchange.kind, reason: exchange.reason, ms };
    const { status, headers, content } = exchange;
    const dateMs = Date.parse(headers.date ?? '');
    const isCached = Number(headers.age ?? 0) > 0;
    const time = {
      dateMs: Number.isNaN(dateMs) ? undefined : dateMs,
      tookMs: ms,
      ...(isCached && { isCached }),
    };
    const json = wire.parseJson(content);
    const isAbsent = (status === 404 || status === 405) && json === undefined;
    const verdict = STATUSES[status] ?? CLASSES[Math.floor(status / 100)] ?? 'strange';
    return { verdict: isAbsent ? 'absent' : verdict, status, json, time, ms };
  }

  #report(call: AntCrmRequest, attempt: Attempt, outcome: CallResult): void {
    const { observe, spans, runtime, watchedCalls } = this.#options;
    const { verdict, status, reason, json } = attempt;
    watchedCalls?.getStore()?.push(toMadeCall(call, attempt, outcome));
    const tookMs = runtime.monotonicMs() - call.startMs;
    observe.call(call.name, outcome, tookMs / 1000);
    spans?.mark({ name: `antcrm ${call.name}`, sinceMs: runtime.nowMs() - tookMs, outcome });
    if (status !== undefined) this.#last = verdict;
    if (verdict === 'keyRefused') this.#alarmKey();
    if (outcome === 'applied' || outcome === 'ok') return;
    const safeReason = reason ?? wire.scrub(wire.parseReason(json) ?? '', call.given);
    const fields = { call: call.name, outcome, ...(status !== undefined && { status }), reason: safeReason };
    if (outcome === 'unknown') observe.log.warn(fields, 'Outcome unknown: AntCRM may have done it');
    else observe.log.warn(fields, 'AntCRM did not do as asked');
  }

  #onBreaker(state: BreakerState): void {
    const { runtime, observe, breakerMs = BREAKER_MS } = this.#options;
    observe.breaker(state);
    if (state === 'open' && !this.#isClosed)
      this.#probe = runtime.timer(breakerMs, () => void this.#sendProbe());
  }

  /** A harmless read: no customer's call has to find out whether AntCRM works again. */
  async #sendProbe(): Promise<void> {
    const permit = this.#breaker.admitProbe();
    if (permit === null) return;
    const path = wire.historyPath(NOBODY, FIRST_PAGE);
    const startMs = this.#options.runtime.monotonicMs();
    const probe = await this.#send({ name: 'history', method: 'GET', path, given: [], startMs });
    this.#breaker.note(permit, probe.status === undefined || probe.verdict === 'failing');
  }
}

function toMadeCall(
  { method, path, body }: AntCrmRequest,
  attempt: Attempt,
  outcome: CallResult,
): CallReport {
  const { status, ms, json, reason = wire.parseReason(json) } = attempt;
  return { method, path, body, status, reason, outcome, ms };
}
