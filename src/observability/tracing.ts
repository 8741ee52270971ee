import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import {
  type Attributes,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { FastifyPluginAsync } from 'fastify';
import packageJson from '../../package.json' with { type: 'json' };
import type { Log } from './log.ts';

/*
 * What is worked on, said to traces and to the log. The SDK is loaded where OTEL_EXPORTER_OTLP_ENDPOINT is set; its other
 * variables hold as it documents them. Nothing of it is registered globally, and no library is instrumented: that would
 * export tokens in paths and phones in queries.
 */

/**
 * What spans and log lines say of the work at hand. A closed list: hashes, references and words of ours, never text,
 * phone, e-mail, code, token or URL.
 */
export type About = {
  readonly channel?: string | undefined;
  /** As a keyed hash. */
  readonly conversation?: string | undefined;
  /** The customer's reference of it. */
  readonly operation?: string | undefined;
  /** What a turn answers: the kind of a message, or `wake`. */
  readonly input?: string | undefined;
  /** How often the turn was begun, this time included. */
  readonly attempt?: number | undefined;
  /** What is asked of AntCRM. */
  readonly effect?: string | undefined;
  /** How AntCRM, a platform or the store answered. */
  readonly outcome?: string | undefined;
  /** What became of the work. */
  readonly result?: string | undefined;
  /** The HTTP status answered. */
  readonly status?: number | undefined;
};

/** Few names, each with how its work stands to others: what differs between spans of one name is in `About`. */
const KINDS = {
  webhook: SpanKind.SERVER,
  accept: SpanKind.PRODUCER,
  wait: SpanKind.INTERNAL,
  turn: SpanKind.CONSUMER,
  perform: SpanKind.INTERNAL,
  photo: SpanKind.INTERNAL,
  identify: SpanKind.CLIENT,
  deliver: SpanKind.CLIENT,
};
const kinds = new Map<string, SpanKind>(Object.entries(KINDS));
export type SpanName =
  | keyof typeof KINDS
  | `antcrm ${'accumulate' | 'redeem' | 'history' | 'contact'}`
  | `store ${'lock' | 'unlock' | 'intend' | 'commit'}`;

/** What this chain of awaits works on. */
type AtWork = Pick<About, 'conversation' | 'operation'> & { readonly span?: Span | undefined };

export type Spans = ReturnType<typeof createSpans>;

/**
 * Says what is worked on. Without a collector there are no spans, and each call costs a comparison; the log still learns
 * which conversation and operation its lines are about.
 *
 * @example
 * await spans.around('accept', { channel, conversation }, async () => {
 *   const filed = await engine.accept(message);
 *   spans.note({ result: filed.kind });
 * });
 */
export function createSpans(tracer?: Tracer) {
  const atWork = new AsyncLocalStorage<AtWork>();

  function begin(by: Tracer, name: SpanName, about: About, parent?: string | null, sinceMs?: number): Span {
    const { conversation, operation, span } = atWork.getStore() ?? {};
    const kind = kinds.get(name) ?? SpanKind.CLIENT;
    const attributes = attributesOf({ conversation, operation, ...about });
    const at = sinceMs === undefined ? {} : { startTime: sinceMs };
    return by.startSpan(name, { kind, attributes, ...at }, contextOf(parent === undefined ? span : parent));
  }

  return {
    /** Whether there is a collector: what only makes spans can be left out where there is none. */
    isTracing: tracer !== undefined,

    /**
     * Does `work` in a span of its own: a child of the span at hand, or of `parent` (W3C Trace Context; null: the first of
     * a new trace). Resolves and rejects as `work` does.
     */
    around<Result>(
      name: SpanName,
      about: About,
      work: () => Promise<Result>,
      parent?: string | null,
    ): Promise<Result> {
      const { conversation, operation } = about;
      if (tracer === undefined && conversation === undefined && operation === undefined) return work();
      const before = atWork.getStore();
      const span = tracer && begin(tracer, name, about, parent);
      const at: AtWork = {
        conversation: conversation ?? before?.conversation,
        operation: operation ?? before?.operation,
        span,
      };
      return atWork.run(at, span ? () => ending(span, work) : work);
    },
    /** A span that ends now and began at `sinceMs` (epoch), in whichever process; a child as those of `around` are. */
    since(sinceMs: number, name: SpanName, about: About, parent?: string): void {
      if (tracer !== undefined) begin(tracer, name, about, parent, sinceMs).end();
    },
    /** Adds to what the span at hand says. */
    note(about: About): void {
      if (tracer !== undefined) atWork.getStore()?.span?.setAttributes(attributesOf(about));
    },
    /** Does `work` with log lines that say what it is about, outside of the span at hand. */
    apart<Result>(about: Pick<About, 'conversation'>, work: () => Promise<Result>): Promise<Result> {
      const { conversation, operation, span } = atWork.getStore() ?? {};
      // Nothing to leave: what is at hand says the same. That is every turn of a message just accepted, untraced.
      const isSame = conversation === about.conversation && operation === undefined && span === undefined;
      return isSame ? work() : atWork.run(about, work);
    },
    /** The span at hand, for what will go on with the work elsewhere; undefined where there is none. */
    traceparent(): string | undefined {
      const span = atWork.getStore()?.span;
      return span && traceparentOf(span);
    },
    /** The keyed hash of the conversation at work. */
    conversation: (): string | undefined => atWork.getStore()?.conversation,
    /** What each log line says beside its own fields. */
    fields(): Record<string, string> {
      const { conversation, operation, span } = atWork.getStore() ?? {};
      return {
        ...(conversation !== undefined && { conversation }),
        ...(operation !== undefined && { operation }),
        ...(span !== undefined && { trace_id: span.spanContext().traceId }),
      };
    },
  };
}

/**
 * A plugin with a span around each request to POST something, once it has been let in and read. It begins a trace: no
 * caller's `traceparent` is believed, for whoever writes to the bot would decide what is traced.
 */
export function spannedWebhooks(plugin: FastifyPluginAsync, channel: string, spans: Spans) {
  if (!spans.isTracing) return plugin;
  const spanned: FastifyPluginAsync = async (scope) => {
    scope.addHook('onRoute', (route) => {
      if (route.method !== 'POST') return;
      const { handler } = route;
      route.handler = async function answer(request, reply) {
        const answered = async (): Promise<unknown> => {
          const said: unknown = await handler.call(this, request, reply);
          spans.note({ status: reply.statusCode });
          return said;
        };
        return spans.around('webhook', { channel }, answered, null);
      };
    });
    scope.register(plugin);
  };
  return spanned;
}

/** The result of a turn that another process goes on with: it is no fault. */
const EXPECTED = ['GivenBack', 'LeaseLost', 'TurnInterrupted'];

/** Ends the span with the work. Of what that threw, only the name is sent. */
async function ending<Result>(span: Span, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const type = error instanceof Error ? error.name : typeof error;
    span.setAttribute('error.type', type);
    if (!EXPECTED.includes(type)) span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

/** What an attribute may look like, so that no sentence, long number or address gets out, whatever is passed. */
const WORD = /^[\w.:-]{1,64}$/;

function attributesOf({ status, ...about }: About): Attributes {
  const said = Object.entries(about).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return [[`bot.${key}`, typeof value === 'number' || WORD.test(value) ? value : 'other']];
  });
  return {
    ...Object.fromEntries(said),
    ...(status !== undefined && { 'http.response.status_code': status }),
  };
}

/** https://www.w3.org/TR/trace-context/#traceparent-header; what is no such parent begins a trace of its own. */
const TRACEPARENT = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/;

function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

function contextOf(parent: Span | string | null | undefined) {
  if (typeof parent === 'object' && parent !== null) return trace.setSpan(ROOT_CONTEXT, parent);
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(parent ?? '') ?? [];
  const from = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(from) ? trace.setSpanContext(ROOT_CONTEXT, from) : ROOT_CONTEXT;
}

/** How long sending a batch may take, repeats included. */
const EXPORT_MS = 5000;

/**
 * Sends spans to the collector at `endpoint`. While that is out of reach, they are dropped, nothing waits, and the log says
 * so once, until they can be sent again.
 */
export async function openTraces(endpoint: string, log: Pick<Log, 'warn' | 'info'>) {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } = await import(
    '@opentelemetry/resources'
  );
  const { BasicTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-node');
  let isFailing = false;
  function report(sent: boolean): void {
    if (sent !== isFailing) return;
    isFailing = !sent;
    if (sent) log.info({}, 'traces are sent again');
    else log.warn({}, 'traces cannot be sent to OTEL_EXPORTER_OTLP_ENDPOINT: they are dropped');
  }
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: EXPORT_MS });
  const processor = new BatchSpanProcessor({
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        report(result.code === 0);
        done(result);
      }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  });
  const ours = resourceFromAttributes({
    'service.name': packageJson.name,
    'service.version': packageJson.version,
    'service.instance.id': randomUUID(),
  });
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(ours)
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [processor],
  });
  return {
    tracer: provider.getTracer(packageJson.name, packageJson.version),
    /** Sends what has ended. Never rejects. */
    close: () => provider.shutdown().catch(() => {}),
  };
}
