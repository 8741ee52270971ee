import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import { type Attempt, type Attempts, noteAttempts } from './antcrm/attempts.ts';
import { isKeyRefused, readOutcome, writeOutcome } from './antcrm/outcomes.ts';
import { readContact, readHistory, readReason, scrub } from './antcrm/records.ts';
import { createRemoteClock } from './antcrm/remote-clock.ts';
import * as requests from './antcrm/requests.ts';
import { createResilience } from './antcrm/resilience.ts';
import { createTransport, type Deadline, type Exchange } from './antcrm/transport.ts';
import { type CallOutcome, HISTORY_PAGE, type Loyalty, type Moment, type Read } from './loyalty.ts';

export type AntCrmOptions = {
  /** With or without a path, with or without a slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** The deadline of one call of the port, waiting, connecting and repeating included. */
  readonly timeoutMs: number;
  /** `off`: the backend has no `/contacts`, and `contact` finds nobody. */
  readonly contacts: 'on' | 'off';
  /** The number of AntCRM's first page. */
  readonly firstPage: number;
  /** How many calls may be under way at once: half the turn slots. */
  readonly maxCalls: number;
  /** How long the circuit breaker stays open; 5 s unless told. */
  readonly breakerMs?: number | undefined;
  readonly observe: Pick<Observe, 'log' | 'alarm' | 'call' | 'breaker'>;
  /** Called with every attempt of a call, in order, before the call's outcome is returned. Personal data: not for logs. */
  readonly onCall?: ((call: MadeCall) => void) | undefined;
};

/**
 * A call in AntCRM's terms, for people who look into a turn; one that was repeated is several. `reason` is what AntCRM,
 * or the connection, said against it.
 */
export type MadeCall = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly status?: number;
  readonly reason?: string;
  readonly outcome: string;
  readonly ms: number;
};

export type AntCrm = Loyalty & {
  /** False while the circuit breaker is open: no call would be made. Cheap. */
  isUp(): boolean;
  /** What keeps it from serving customers, as far as the last calls told, a line for operators each. Cheap. */
  faults(): readonly string[];
  close(): Promise<void>;
};

/** What is asked; `values` are what is sent, so that none of it comes back into the log in AntCRM's words. */
type Asked = Pick<MadeCall, 'method' | 'path' | 'body'> & {
  readonly call: Parameters<Observe['call']>[0];
  readonly values: requests.Sendable;
};

const BREAKER_MS = 5000;
const ALARM_EVERY_MS = 60_000;
const HISTORY = '/history-point';

/** The port `Loyalty` over HTTP, by docs/antcrm.md; where that is silent, by the assumptions of its last table. */
export function createAntCrm(options: AntCrmOptions): AntCrm {
  const { observe, timeoutMs } = options;
  const remote = createRemoteClock();
  const transport = createTransport({ ...options, onAnswer: remote.note });
  const resilience = createResilience({
    maxCalls: options.maxCalls,
    breakerMs: options.breakerMs ?? BREAKER_MS,
    onBreaker: observe.breaker,
    probe() {
      return transport.get(HISTORY, nobodys(pageNumber(1)), performance.now() + timeoutMs);
    },
  });
  let keyRefused = false;
  const alarmKey = atMostEvery(ALARM_EVERY_MS, () => observe.alarm('antcrm_key_refused', {}));
  const pageNumber = (page: number) => options.firstPage + page - 1;

  async function write(
    asked: Asked,
    send: (deadline: Deadline) => Promise<Exchange>,
    latest: Moment = { monotonicMs: Number.POSITIVE_INFINITY, wallMs: Number.POSITIVE_INFINITY },
  ): Promise<CallOutcome> {
    const start = performance.now();
    const end = start + timeoutMs;
    const writeBefore = {
      monotonicMs: Math.min(end, latest.monotonicMs),
      wallMs: Math.min(Date.now() + timeoutMs, latest.wallMs),
    };
    const deadline = { end, writeBefore };
    const left = () => writeBefore.monotonicMs - performance.now();
    const attempts = await noteAttempts(
      (attempt) => resilience.write(attempt, left),
      () => send(deadline),
    );
    const kind = writeOutcome(attempts.last.exchange);
    tell(asked, attempts, kind, writeOutcome);
    report(asked, kind, attempts.last.exchange, start);
    return { kind };
  }

  async function read<T>(
    call: Asked['call'],
    path: string,
    query: URLSearchParams,
    parse: (json: unknown) => T | 'unreadable',
  ): Promise<Read<T>> {
    const start = performance.now();
    const end = start + timeoutMs;
    const left = () => end - performance.now();
    const attempts = await noteAttempts(
      (attempt) => resilience.read(attempt, left),
      () => transport.get(path, query, end),
    );
    const result = readOutcome(attempts.last.exchange, parse);
    const asked: Asked = { call, method: 'GET', path: `${path}?${query}`, values: Object.fromEntries(query) };
    tell(asked, attempts, nameOf(result), (exchange) => nameOf(readOutcome(exchange, parse)));
    report(asked, nameOf(result), attempts.last.exchange, start);
    return result;
  }

  /** `outcome` is the last attempt's, which the call has read already. */
  function tell(
    asked: Asked,
    { repeated, last }: Attempts,
    outcome: string,
    outcomeOf: (exchange: Exchange) => string,
  ): void {
    for (const attempt of repeated) options.onCall?.(made(asked, outcomeOf(attempt.exchange), attempt));
    options.onCall?.(made(asked, outcome, last));
  }

  function report(asked: Asked, outcome: string, exchange: Exchange, start: number): void {
    const { call, values } = asked;
    observe.call(call, outcome, (performance.now() - start) / 1000);
    if (exchange.kind === 'answered') keyRefused = isKeyRefused(exchange);
    if (isKeyRefused(exchange)) alarmKey();
    if (outcome === 'applied' || outcome === 'ok') return;
    const { kind } = exchange;
    const what = outcome === 'unknown' ? 'Outcome unknown: AntCRM may have done it' : FAILED[kind];
    if (exchange.kind !== 'answered') {
      observe.log.warn({ call, outcome, reason: exchange.reason }, what);
      return;
    }
    const reason = scrub(readReason(exchange.json) ?? '', Object.values(values));
    observe.log.warn({ call, outcome, status: exchange.status, reason }, what);
  }

  return {
    accumulate({ code, phone, email, name }) {
      const values = requests.inAntCrmForm({ code, phone, email, name });
      const body = requests.accumulateBody(values);
      const asked: Asked = { call: 'accumulate', method: 'POST', path: '/accumulate', body, values };
      return write(asked, (deadline) => transport.post(asked.path, body, deadline));
    },

    redeem({ gift, phone, email, writeBefore }) {
      const values = requests.inAntCrmForm({ code: gift, phone, email });
      const body = requests.redeemBody(values);
      const asked: Asked = { call: 'redeem', method: 'POST', path: '/redeem', body, values };
      return write(asked, (deadline) => transport.postFresh(asked.path, body, deadline), writeBefore);
    },

    history(query) {
      const search = requests.historySearch(query, pageNumber(query.page));
      return read('history', HISTORY, search, (json) => {
        const page = readHistory(json, query);
        return page ? { records: page.records, full: page.count >= HISTORY_PAGE } : 'unreadable';
      });
    },

    async contact(by) {
      if (options.contacts === 'off') return { ok: true, value: null };
      const search = requests.contactSearch(by, pageNumber(1));
      return read('contact', '/contacts', search, (json) => readContact(json, by));
    },

    clock: remote.read,

    isUp: resilience.isUp,

    faults: () => [
      ...(resilience.isUp() ? [] : ['AntCRM does not answer']),
      ...(keyRefused ? ['AntCRM refused ANTCRM_API_KEY when it was last called'] : []),
    ],

    close() {
      resilience.close();
      return transport.close();
    },
  };
}

/** What the log says about a call that surely did nothing. */
const FAILED: Readonly<Record<Exchange['kind'], string>> = {
  answered: 'AntCRM did not do as asked',
  broken: 'AntCRM gave no answer',
  unsent: 'AntCRM could not be reached',
  declined: 'AntCRM was not asked',
};

const nameOf = (read: Read<unknown>): string => (read.ok ? 'ok' : read.reason);

function made({ method, path, body }: Asked, outcome: string, { exchange, ms }: Attempt): MadeCall {
  const answered = exchange.kind === 'answered';
  const reason = answered ? readReason(exchange.json) : exchange.reason;
  return {
    method,
    path,
    ...(body !== undefined && { body }),
    ...(answered && { status: exchange.status }),
    ...(reason && { reason }),
    outcome,
    ms,
  };
}

/** A cheap read that shows whether AntCRM works again: the history of nobody. */
function nobodys(page: number): URLSearchParams {
  const by = { kind: 'phone', value: '+84000000000' } as const;
  return requests.historySearch({ type: 'point', by }, page);
}
