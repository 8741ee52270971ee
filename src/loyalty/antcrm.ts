import type { World } from '../engine/world.ts';
import type { Transport } from '../http/transport.ts';
import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import { createSpans, type Spans } from '../observability/tracing.ts';
import { type Attempt, type Attempts, createBreaker, type Tried } from './breaker.ts';
import { createRemoteClock } from './clock.ts';
import { momentIn } from './intent.ts';
import { type AntCrm, type CallOutcome, HISTORY_PAGE, type Moment, type Read } from './port.ts';
import * as wire from './wire.ts';

export type AntCrmOptions = {
  readonly transport: Pick<Transport, 'exchange'>;
  readonly world: World;
  /** With or without a path, with or without a slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** The deadline of one call of the port, waiting, connecting and repeating included. */
  readonly timeoutMs: number;
  /** `off`: there is no `/contacts`, and `contact` finds nobody. */
  readonly contacts: 'on' | 'off';
  /** How many calls may be under way at once: half the turn slots. */
  readonly maxCalls: number;
  /** How long the circuit breaker stays open; 5 s unless told. */
  readonly breakerMs?: number | undefined;
  readonly observe: Pick<Observe, 'log' | 'alarm' | 'call' | 'breaker'>;
  readonly spans?: Spans | undefined;
  /** Called with every attempt of a call, in order, before the call's outcome is returned. Personal data: not for logs. */
  readonly onCall?: ((call: MadeCall) => void) | undefined;
};

/** One try of a call in AntCRM's terms, for people who look into a turn; `reason` is what was said against it. */
export type MadeCall = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly status?: number;
  readonly reason?: string;
  readonly outcome: string;
  readonly ms: number;
};

export type AntCrmClient = AntCrm & {
  /** False while the circuit breaker is open: no call would be made. Cheap. */
  isUp(): boolean;
  /** What keeps it from serving customers, as far as the last calls told, a line for operators each. Cheap. */
  faults(): readonly string[];
  close(): void;
};

/** What is asked; `values` are what is sent, so that none of it comes back into the log in AntCRM's words. */
type Asked = Pick<MadeCall, 'method' | 'path' | 'body'> & {
  readonly call: Parameters<Observe['call']>[0];
  readonly values: wire.Sendable;
};

const BREAKER_MS = 5000;
const ALARM_EVERY_MS = 60_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
/** AntCRM's number of it is not documented. */
const FIRST_PAGE = 1;

/** The port over HTTP, by docs/antcrm.md; where that is silent, by the assumptions of its last table. */
export function createAntCrm(options: AntCrmOptions): AntCrmClient {
  const { transport, world, observe, timeoutMs, spans = createSpans() } = options;
  const base = new URL(options.baseUrl);
  const prefix = base.pathname.replace(/(?<!\/)\/+$/, '');
  const headers = { apikey: options.apiKey, accept: 'application/json', 'content-type': 'application/json' };
  const remote = createRemoteClock(world);
  const breaker = createBreaker({
    world,
    maxCalls: options.maxCalls,
    breakerMs: options.breakerMs ?? BREAKER_MS,
    probe: () => send(wire.historyOfNobody(FIRST_PAGE), world.monotonicMs() + timeoutMs),
    onState: observe.breaker,
  });
  let keyRefused = false;
  const alarmKey = atMostEvery(
    ALARM_EVERY_MS,
    () => observe.alarm('antcrm_key_refused', {}),
    () => world.monotonicMs(),
  );

  /** The call is over at `endMs`, monotonic; not a byte of it leaves from `writeBefore` on. */
  async function send(
    { method, path, body }: Pick<Asked, 'method' | 'path' | 'body'>,
    endMs: number,
    { writeBefore, isFresh }: { readonly writeBefore?: Moment; readonly isFresh?: true } = {},
  ): Promise<Tried> {
    const mayBegin = () => writeBefore === undefined || !isOver(writeBefore, world);
    if (!mayBegin()) return { kind: 'declined', reason: 'TooLate' };
    const sentMs = world.monotonicMs();
    const exchange = await transport.exchange({
      method,
      origin: base.origin,
      path: prefix + path,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      timeoutMs: Math.max(0, endMs - sentMs),
      maxBytes: MAX_ANSWER_BYTES,
      mayBegin,
      isFresh,
    });
    if (exchange.kind === 'large') return { kind: 'lost', reason: 'large' };
    if (exchange.kind !== 'answered') return exchange;
    remote.note(exchange.headers.date, sentMs, world.monotonicMs());
    return { kind: 'answered', status: exchange.status, json: wire.readJson(exchange.content) };
  }

  async function write(asked: Asked, latest?: Moment): Promise<CallOutcome> {
    const startMs = world.monotonicMs();
    const endMs = startMs + timeoutMs;
    const { monotonicMs, wallMs } = momentIn(timeoutMs, world);
    const writeBefore = {
      monotonicMs: Math.min(monotonicMs, latest?.monotonicMs ?? monotonicMs),
      wallMs: Math.min(wallMs, latest?.wallMs ?? wallMs),
    };
    const how = { writeBefore, ...(latest && { isFresh: true as const }) };
    const leftMs = () => writeBefore.monotonicMs - world.monotonicMs();
    return spans.around(`antcrm ${asked.call}`, {}, async () => {
      const attempts = await breaker.call('write', () => send(asked, endMs, how), leftMs);
      const kind = writeOutcome(attempts.last.exchange);
      report(asked, attempts, kind, writeOutcome, startMs);
      return { kind };
    });
  }

  async function read<T>(
    call: Asked['call'],
    path: string,
    query: URLSearchParams,
    parse: (json: unknown) => T | 'unreadable',
  ): Promise<Read<T>> {
    const startMs = world.monotonicMs();
    const endMs = startMs + timeoutMs;
    const values = Object.fromEntries(query);
    const asked: Asked = { call, method: 'GET', path: `${path}?${query}`, values };
    const leftMs = () => endMs - world.monotonicMs();
    return spans.around(`antcrm ${call}`, {}, async () => {
      const attempts = await breaker.call('read', () => send(asked, endMs), leftMs);
      const result = readOutcome(attempts.last.exchange, parse);
      report(asked, attempts, nameOf(result), (exchange) => nameOf(readOutcome(exchange, parse)), startMs);
      return result;
    });
  }

  /** `outcome` is the last attempt's, which the call has read already. */
  function report(
    asked: Asked,
    { repeated, last }: Attempts,
    outcome: string,
    outcomeOf: (exchange: Tried) => string,
    startMs: number,
  ): void {
    for (const attempt of repeated) options.onCall?.(made(asked, outcomeOf(attempt.exchange), attempt));
    const tried = made(asked, outcome, last);
    options.onCall?.(tried);
    const { call, values } = asked;
    const { exchange } = last;
    observe.call(call, outcome, (world.monotonicMs() - startMs) / 1000);
    spans.note({ outcome });
    if (exchange.kind === 'answered') keyRefused = isKeyRefused(exchange);
    if (isKeyRefused(exchange)) alarmKey();
    if (outcome === 'applied' || outcome === 'ok') return;
    const reason = wire.scrub(tried.reason, Object.values(values));
    const says = exchange.kind === 'answered' ? { status: exchange.status, reason } : { reason };
    observe.log.warn({ call, outcome, ...says }, outcome === 'unknown' ? UNKNOWN : FAILED[exchange.kind]);
  }

  return {
    accumulate(request) {
      const values = wire.inAntCrmForm(request);
      const body = wire.accumulateBody(values);
      return write({ call: 'accumulate', method: 'POST', path: '/accumulate', body, values });
    },

    redeem({ gift, phone, email, writeBefore }) {
      const values = wire.inAntCrmForm({ code: gift, phone, email });
      const body = wire.redeemBody(values);
      return write({ call: 'redeem', method: 'POST', path: '/redeem', body, values }, writeBefore);
    },

    history(query) {
      const search = wire.historySearch(query, FIRST_PAGE + query.page - 1);
      return read('history', wire.HISTORY, search, (json) => {
        const page = wire.readHistory(json, query);
        return page ? { records: page.records, full: page.count >= HISTORY_PAGE } : 'unreadable';
      });
    },

    async contact(by) {
      if (options.contacts === 'off') return { ok: true, value: null };
      return read('contact', '/contacts', wire.contactSearch(by, FIRST_PAGE), (json) =>
        wire.readContact(json, by),
      );
    },

    clock: remote.read,
    isUp: breaker.isUp,
    faults: () => [
      ...(breaker.isUp() ? [] : ['AntCRM does not answer']),
      ...(keyRefused ? ['AntCRM refused ANTCRM_API_KEY when it was last called'] : []),
    ],
    close: breaker.close,
  };
}

const UNKNOWN = 'Outcome unknown: AntCRM may have done it';
/** What the log says about a call that surely did nothing. */
const FAILED: Readonly<Record<Tried['kind'], string>> = {
  answered: 'AntCRM did not do as asked',
  lost: 'AntCRM gave no answer',
  unsent: 'AntCRM could not be reached',
  declined: 'AntCRM was not asked',
};

const isOver = ({ monotonicMs, wallMs }: Moment, world: Pick<World, 'monotonicMs' | 'nowMs'>): boolean =>
  world.monotonicMs() >= monotonicMs || world.nowMs() >= wallMs;

/** AntCRM refuses our key: an operator's problem, never the customer's. */
const isKeyRefused = (exchange: Tried): boolean =>
  exchange.kind === 'answered' && (exchange.status === 401 || exchange.status === 403);
const isAmbiguous = (status: number) => status === 408 || status === 429 || status >= 500;
const isOk = (status: number) => status >= 200 && status < 300;

/** What an exchange means is the last table of docs/antcrm.md. */
function writeOutcome(exchange: Tried): CallOutcome['kind'] {
  if (exchange.kind === 'lost') return 'unknown';
  if (exchange.kind !== 'answered' || isKeyRefused(exchange)) return 'unavailable';
  const { status, json } = exchange;
  if (isAmbiguous(status)) return 'unknown';
  if (status >= 400) return 'refused';
  const said = isOk(status) ? wire.readSuccess(json) : 'unreadable';
  return said === 'unreadable' ? 'unknown' : said;
}

function readOutcome<T>(exchange: Tried, parse: (json: unknown) => T | 'unreadable'): Read<T> {
  if (exchange.kind !== 'answered' || isKeyRefused(exchange) || isAmbiguous(exchange.status))
    return { ok: false, reason: 'unavailable' };
  const value = isOk(exchange.status) ? parse(exchange.json) : 'unreadable';
  return value === 'unreadable' ? { ok: false, reason: 'unreadable' } : { ok: true, value };
}

const nameOf = (read: Read<unknown>): string => (read.ok ? 'ok' : read.reason);

function made({ method, path, body }: Asked, outcome: string, { exchange, ms }: Attempt): MadeCall {
  const isAnswered = exchange.kind === 'answered';
  const reason = isAnswered ? wire.readReason(exchange.json) : exchange.reason;
  return {
    ...{ method, path, outcome, ms },
    ...(body !== undefined && { body }),
    ...(isAnswered && { status: exchange.status }),
    ...(reason && { reason }),
  };
}
