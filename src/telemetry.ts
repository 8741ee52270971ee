import { randomUUID } from 'node:crypto';
import {
  type Attributes,
  type Context,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-node';
import packageJson from '../package.json' with { type: 'json' };
import type { Log } from './observe.ts';
import type { About, OpenSpan, SpanName, Tracer } from './spans.ts';

/*
 * OpenTelemetry. Loaded only where OTEL_EXPORTER_OTLP_ENDPOINT is set; the SDK's other variables (`OTEL_SERVICE_NAME`,
 * `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER`, …) hold as it documents them. Nothing of it is registered globally,
 * and no library is instrumented: that would export tokens in paths and phones in queries.
 */

/** How long sending a batch may take, repeats included. */
const EXPORT_MS = 5000;

/** The result of a turn that another process goes on with: it is no fault. */
const EXPECTED = ['GivenBack', 'LeaseLost', 'TurnInterrupted'];

export type Telemetry = Tracer & {
  /** From now on, it is logged when spans cannot be sent: once, until they can. */
  reportTo(log: Pick<Log, 'warn' | 'info'>): void;
};

/** Sends spans to the collector at `endpoint`. While that is out of reach, they are dropped and nothing waits. */
export function openTelemetry(endpoint: string): Telemetry {
  const reports = createReports();
  const exporter = reports.watch(
    new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: EXPORT_MS }),
  );
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(
        resourceFromAttributes({
          'service.name': packageJson.name,
          'service.version': packageJson.version,
          'service.instance.id': randomUUID(),
        }),
      )
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer(packageJson.name, packageJson.version);

  return {
    begin(name, about, parent, sinceMs) {
      const span = tracer.startSpan(
        name,
        {
          kind: kindOf(name),
          attributes: attributesOf(about),
          ...(sinceMs !== undefined && { startTime: sinceMs }),
        },
        contextOf(parent),
      );
      const { traceId, spanId, traceFlags } = span.spanContext();
      return {
        traceId,
        traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
        note: (more) => void span.setAttributes(attributesOf(more)),
        end(error) {
          if (error !== undefined) {
            const type = error instanceof Error ? error.name : typeof error;
            span.setAttribute('error.type', type);
            if (!EXPECTED.includes(type)) span.setStatus({ code: SpanStatusCode.ERROR });
          }
          span.end();
        },
      } satisfies OpenSpan;
    },
    close: () => provider.shutdown().catch(() => {}),
    reportTo: reports.to,
  };
}

/** What an attribute may look like, so that no sentence, long number or address gets out, whatever is passed. */
const WORD = /^[\w.:-]{1,64}$/;

function attributesOf(about: About): Attributes {
  const { status, ...rest } = about;
  const said = Object.entries(rest).flatMap(([key, value]) =>
    value === undefined
      ? []
      : [[`bot.${key}`, typeof value === 'number' || WORD.test(value) ? value : 'other']],
  );
  return {
    ...Object.fromEntries(said),
    ...(status !== undefined && { 'http.response.status_code': status }),
  };
}

const INTERNAL: readonly SpanName[] = ['wait', 'step', 'perform', 'photo'];

function kindOf(name: SpanName): SpanKind {
  if (name === 'webhook') return SpanKind.SERVER;
  if (name === 'accept') return SpanKind.PRODUCER;
  if (name === 'turn') return SpanKind.CONSUMER;
  if (INTERNAL.includes(name)) return SpanKind.INTERNAL;
  return SpanKind.CLIENT;
}

/** https://www.w3.org/TR/trace-context/#traceparent-header; what is no such parent begins a trace of its own. */
const TRACEPARENT = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/;

function contextOf(parent: string | null): Context {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(parent ?? '') ?? [];
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const context = { traceId, spanId, traceFlags, isRemote: true };
  return isSpanContextValid(context) ? trace.setSpanContext(ROOT_CONTEXT, context) : ROOT_CONTEXT;
}

/** Logs once when spans cannot be sent, and once when they can again. */
function createReports() {
  let log: Pick<Log, 'warn' | 'info'> | undefined;
  let isFailing = false;

  function note(sent: boolean): void {
    if (sent !== isFailing) return;
    isFailing = !sent;
    if (sent) log?.info({}, 'traces are sent again');
    else log?.warn({}, 'traces cannot be sent to OTEL_EXPORTER_OTLP_ENDPOINT: they are dropped');
  }

  return {
    to(where: Pick<Log, 'warn' | 'info'>): void {
      log = where;
    },
    watch: (exporter: OTLPTraceExporter): SpanExporter => ({
      export(spans, done) {
        exporter.export(spans, (result) => {
          note(result.code === 0);
          done(result);
        });
      },
      forceFlush: () => exporter.forceFlush(),
      shutdown: () => exporter.shutdown(),
    }),
  };
}
