import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { ROOT_CONTEXT, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { SpanExporter } from '@opentelemetry/sdk-trace-node';
import packageJson from '../../package.json' with { type: 'json' };
import { atMostEvery, type Log } from './log.ts';

/*
 * Spans, and the fields that name them in the log. OpenTelemetry's SDK is loaded only if
 * OTEL_EXPORTER_OTLP_ENDPOINT is set; its other variables work as it documents. Nothing is registered
 * globally, and no library is instrumented: that would export tokens in paths and phones in queries.
 */

type SpanWord = 'channel' | 'conversation' | 'operation' | 'input' | 'effect' | 'outcome' | 'result';

/** The closed list of span attributes: hashes, references and words of ours, never what a customer wrote. */
export type SpanFields = Readonly<Partial<Record<SpanWord, string | undefined>>> & {
  /** How often the turn was begun, this time included. */
  readonly attempt?: number;
};

/** What a chain of awaits works on. It may change meanwhile: log lines and new spans then name the change. */
export type AtWork = {
  readonly conversation?: string | undefined;
  operation?: string | undefined;
  span?: Span | undefined;
};

/** `parent`: a W3C `traceparent`. Null begins a new trace. Undefined: the parent is the current span. */
type SpanStart = SpanFields & {
  /** A name in the code, never a value: the fields tell spans of one name apart. */
  readonly name: string;
  readonly parent?: string | null | undefined;
  /** Epoch; now by default. */
  readonly sinceMs?: number;
};

/**
 * Adds the current conversation and operation to spans and log lines. Without a collector there are no spans,
 * but log lines still have these fields.
 *
 * @example
 * const span = spans.begin({ name: 'accept', channel, conversation });
 * const filed = await file(message);
 * spans.end(span, { result: filed.kind });
 */
export class Spans {
  readonly #atWork = new AsyncLocalStorage<AtWork>();
  #tracer: Tracer | undefined;
  #provider: { shutdown(): Promise<void> } | undefined;

  /** Whether there is a collector. Work that only makes spans can be skipped without one. */
  get isTracing(): boolean {
    return this.#tracer !== undefined;
  }

  /** From now on sends spans to the OpenTelemetry collector at `endpoint`. */
  async open(endpoint: string, log: Pick<Log, 'warn'>): Promise<void> {
    const provider = await createProvider(endpoint, log);
    this.#tracer = provider.getTracer(packageJson.name, packageJson.version);
    this.#provider = provider;
  }

  /** Sends the spans that have ended. Never rejects. */
  async close(): Promise<void> {
    await this.#provider?.shutdown().catch(() => {});
  }

  /** From here on, this chain of awaits does `work`. */
  enter(work: AtWork): void {
    this.#atWork.enterWith(work);
  }

  /** Begins a span. Undefined without a collector. */
  begin({ name, parent, sinceMs, ...about }: SpanStart): Span | undefined {
    if (this.#tracer === undefined) return undefined;
    const { conversation, operation, span } = this.#atWork.getStore() ?? {};
    const attributes = attributesOf({ conversation, operation, ...about });
    const options = { attributes, ...(sinceMs !== undefined && { startTime: sinceMs }) };
    return this.#tracer.startSpan(name, options, contextOf(parent === undefined ? span : parent));
  }

  /** Ends a span. Of an error only its name is sent. */
  end(span: Span | undefined, about: SpanFields, error?: unknown): void {
    if (span === undefined) return;
    span.setAttributes(attributesOf(about));
    if (error !== undefined) {
      const type = error instanceof Error ? error.name : typeof error;
      span.setAttribute('error.type', type);
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  }

  /** Records a span that began at `sinceMs` (epoch), perhaps in another process, and ends now. */
  mark(start: SpanStart & { readonly sinceMs: number }): void {
    this.begin(start)?.end();
  }

  /** A span, by default the current one, for another process that continues the work. */
  traceparent(span = this.#atWork.getStore()?.span): string | undefined {
    return span && traceparentOf(span);
  }

  /** Fields that are added to each log line. */
  fields(): Record<string, string> {
    const { conversation, operation, span } = this.#atWork.getStore() ?? {};
    return {
      ...(conversation !== undefined && { conversation }),
      ...(operation !== undefined && { operation }),
      ...(span !== undefined && { trace_id: span.spanContext().traceId }),
    };
  }
}

/** Other attributes become `other`, so that no sentence or address is sent. */
const WORD = /^[\w.:-]{1,64}$/;

function attributesOf(about: SpanFields) {
  const entries = Object.entries(about).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return [[`bot.${key}`, typeof value === 'number' || WORD.test(value) ? value : 'other']];
  });
  return Object.fromEntries(entries);
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/;

function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

function contextOf(parent: Span | string | null | undefined) {
  if (typeof parent === 'object' && parent !== null) return trace.setSpan(ROOT_CONTEXT, parent);
  const [, traceId, spanId, flags = ''] = TRACEPARENT.exec(parent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags, 16) & 1;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

/** How long sending a batch may take, with its retries. */
const EXPORT_MS = 5000;

/** How often the log says that the collector is out of reach. */
const WARN_EVERY_MS = 60_000;

/** While the collector is out of reach, spans are dropped. */
async function createProvider(endpoint: string, log: Pick<Log, 'warn'>) {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
  const resources = await import('@opentelemetry/resources');
  const { BasicTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-node');
  const warn = atMostEvery(WARN_EVERY_MS, () =>
    log.warn({}, 'traces cannot be sent to OTEL_EXPORTER_OTLP_ENDPOINT: they are dropped'),
  );
  const collector = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: EXPORT_MS });
  const service = resources.resourceFromAttributes({
    'service.name': packageJson.name,
    'service.version': packageJson.version,
    'service.instance.id': randomUUID(),
  });
  const detected = resources.detectResources({ detectors: [resources.envDetector] });
  return new BasicTracerProvider({
    resource: resources.defaultResource().merge(service).merge(detected),
    spanProcessors: [new BatchSpanProcessor(warnOfFailures(collector, warn))],
  });
}

/** The exporter, with `warn` called whenever it could not send. */
function warnOfFailures(exporter: SpanExporter, warn: () => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.code !== 0) warn();
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
