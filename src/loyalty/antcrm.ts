import type { Observe } from '../observe.ts';
import { isKeyRefused, readOutcome, writeOutcome } from './antcrm/outcomes.ts';
import { readContact, readHistory, readReason } from './antcrm/records.ts';
import * as requests from './antcrm/requests.ts';
import { createResilience } from './antcrm/resilience.ts';
import { scrub } from './antcrm/scrub.ts';
import { createTransport, type Deadline, type Exchange } from './antcrm/transport.ts';
import { type CallOutcome, HISTORY_PAGE, type Loyalty, type Read } from './loyalty.ts';

export type AntCrmOptions = {
  /** With or without a path, with or without a slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** The deadline of one call of the port, everything counted: waiting, connecting, repeating. */
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
};

export type AntCrm = Loyalty & { close(): Promise<void> };

type Call = Parameters<Observe['call']>[0];

const BREAKER_MS = 5000;
const ALARM_EVERY_MS = 60_000;
const HISTORY = '/history-point';

/** The port `Loyalty` over HTTP, by antcrm-api.md; where that is silent, by the assumptions of its last table. */
export function createAntCrm(options: AntCrmOptions): AntCrm {
  const { observe, timeoutMs } = options;
  const transport = createTransport(options);
  const resilience = createResilience({
    maxCalls: options.maxCalls,
    breakerMs: options.breakerMs ?? BREAKER_MS,
    onBreaker: observe.breaker,
  });
  const alarmKey = atMostEvery(ALARM_EVERY_MS, () => observe.alarm('antcrm_key_refused', {}));
  const pageNumber = (page: number) => options.firstPage + page - 1;

  async function write(
    call: Call,
    values: requests.Sendable,
    send: (deadline: Deadline) => Promise<Exchange>,
    latest = Number.POSITIVE_INFINITY,
  ): Promise<CallOutcome> {
    const start = performance.now();
    const end = start + timeoutMs;
    const deadline = { end, writeBefore: Math.min(end, latest) };
    const exchange = await resilience.write(
      () => send(deadline),
      () => transport.get(HISTORY, probe(values, pageNumber(1)), deadline),
      () => deadline.writeBefore - performance.now(),
    );
    const kind = writeOutcome(exchange);
    report(call, kind, exchange, start, values);
    return { kind };
  }

  async function read<T>(
    call: Call,
    path: string,
    query: URLSearchParams,
    parse: (json: unknown) => T | 'unreadable',
  ): Promise<Read<T>> {
    const start = performance.now();
    const end = start + timeoutMs;
    const exchange = await resilience.read(
      () => transport.get(path, query, { end, writeBefore: end }),
      () => end - performance.now(),
    );
    const result = readOutcome(exchange, parse);
    report(call, result.ok ? 'ok' : result.reason, exchange, start, Object.fromEntries(query));
    return result;
  }

  /** `values` are what was sent, so that none of it comes back into the log in AntCRM's words. */
  function report(
    call: Call,
    outcome: string,
    exchange: Exchange,
    start: number,
    values: Readonly<Record<string, string | undefined>>,
  ): void {
    observe.call(call, outcome, (performance.now() - start) / 1000);
    if (isKeyRefused(exchange)) alarmKey();
    if (outcome === 'applied' || outcome === 'ok') return;
    if (exchange.kind !== 'answered') {
      observe.log.warn({ call, outcome, reason: exchange.reason }, 'AntCRM could not be asked');
      return;
    }
    const reason = scrub(readReason(exchange.json) ?? '', Object.values(values));
    observe.log.warn({ call, outcome, status: exchange.status, reason }, 'AntCRM did not do as asked');
  }

  return {
    accumulate({ code, phone, email, name }) {
      const values = requests.inAntCrmForm({ code, phone, email, name });
      const body = requests.accumulateBody(values);
      return write('accumulate', values, (deadline) => transport.post('/accumulate', body, deadline));
    },

    redeem({ gift, phone, email, writeBefore }) {
      const values = requests.inAntCrmForm({ code: gift, phone, email });
      const body = requests.redeemBody(values);
      const send = (deadline: Deadline) => transport.postFresh('/redeem', body, deadline);
      return write('redeem', values, send, writeBefore);
    },

    history(query) {
      const search = requests.historySearch(query, pageNumber(query.page));
      return read('history', HISTORY, search, (json) => {
        const page = readHistory(json, query.type);
        return page ? { records: page.records, full: page.count >= HISTORY_PAGE } : 'unreadable';
      });
    },

    async contact(by) {
      if (options.contacts === 'off') return { ok: true, value: null };
      const search = requests.contactSearch(by, pageNumber(1));
      return read('contact', '/contacts', search, (json) => readContact(json, by));
    },

    close: transport.close,
  };
}

/** A cheap read about the same customer, nearly always of nothing: is AntCRM well again? */
function probe({ phone, email = '' }: requests.Sendable, page: number): URLSearchParams {
  const by =
    phone === undefined
      ? ({ kind: 'email', value: email } as const)
      : ({ kind: 'phone', value: phone } as const);
  return requests.historySearch({ type: 'point', by, fromMs: Date.now() }, page);
}

function atMostEvery(ms: number, act: () => void): () => void {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    if (performance.now() - last < ms) return;
    last = performance.now();
    act();
  };
}
