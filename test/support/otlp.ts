import { EventEmitter, once } from 'node:events';
import Fastify from 'fastify';
import { scanLater } from './logs.ts';

/** A span as a collector gets it. Ids are hex; times are epoch ms. */
export type ReceivedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: the first of its trace. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: number;
  /** Who sent it. */
  readonly resource: Readonly<Record<string, unknown>>;
};

/** A collector: an HTTP server that takes traces as OTLP in protobuf. All that it gets is searched as logs are. */
export type Collector = {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Resolves to the spans so far as soon as `enough` of them have come. */
  until(enough: (spans: readonly ReceivedSpan[]) => boolean): Promise<readonly ReceivedSpan[]>;
  stop(): Promise<void>;
};

export async function startCollector(): Promise<Collector> {
  const spans: ReceivedSpan[] = [];
  const lines: string[] = [];
  const news = new EventEmitter().setMaxListeners(0);
  scanLater(lines, {});

  const app = Fastify({ forceCloseConnections: true });
  app.addContentTypeParser('application/x-protobuf', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.post('/v1/traces', async (request, reply) => {
    if (Buffer.isBuffer(request.body)) {
      for (const span of readRequest(request.body)) {
        spans.push(span);
        lines.push(JSON.stringify(span));
      }
    }
    news.emit('request');
    return reply.type('application/x-protobuf').send(Buffer.alloc(0));
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });

  return {
    url,
    spans,
    async until(enough) {
      while (!enough(spans)) await once(news, 'request');
      return [...spans];
    },
    stop: () => app.close(),
  };
}

/*
 * What OTLP says in protobuf, by its field numbers:
 * https://github.com/open-telemetry/opentelemetry-proto (collector/trace/v1, trace/v1, common/v1, resource/v1)
 */

function readRequest(body: Buffer): ReceivedSpan[] {
  return parts(body, 1).flatMap((resourceSpans) => {
    const [about = Buffer.of()] = parts(resourceSpans, 1);
    const resource = attributesOf(parts(about, 1));
    const spans = parts(resourceSpans, 2).flatMap((scopeSpans) => parts(scopeSpans, 2));
    return spans.map((span) => readSpan(span, resource));
  });
}

function readSpan(span: Buffer, resource: ReceivedSpan['resource']): ReceivedSpan {
  const part = (field: number) => parts(span, field)[0] ?? Buffer.of();
  return {
    traceId: part(1).toString('hex'),
    spanId: part(2).toString('hex'),
    parentSpanId: part(4).toString('hex'),
    name: part(5).toString(),
    startMs: Number(part(7).readBigUInt64LE()) / 1e6,
    endMs: Number(part(8).readBigUInt64LE()) / 1e6,
    attributes: attributesOf(parts(span, 9)),
    status: numberIn(part(15), 3),
    resource,
  };
}

function attributesOf(keyValues: readonly Buffer[]): Record<string, unknown> {
  const pairs = keyValues.map((pair) => {
    const [key, value = Buffer.of()] = [...parts(pair, 1), ...parts(pair, 2)];
    return [key?.toString(), parts(value, 1)[0]?.toString() ?? numberIn(value, 3)];
  });
  return Object.fromEntries(pairs);
}

const numberIn = (message: Buffer, field: number): number => varint(parts(message, field)[0] ?? Buffer.of(0));

/** A number of seven bits a byte, the lowest first. */
const varint = (bytes: Buffer): number => bytes.reduceRight((sum, byte) => sum * 128 + (byte & 0x7f), 0);

/** The bytes of each such field of a message: https://protobuf.dev/programming-guides/encoding/ */
function parts(message: Buffer, wanted: number): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  function take(length: number): Buffer {
    at += length;
    return message.subarray(at - length, at);
  }
  function takeVarint(): Buffer {
    const end = message.subarray(at).findIndex((byte) => byte < 0x80);
    return take(end + 1);
  }
  while (at < message.length) {
    const tag = varint(takeVarint());
    const wire = tag & 7;
    const value = wire === 0 ? takeVarint() : take(wire === 1 ? 8 : wire === 5 ? 4 : varint(takeVarint()));
    if (tag >> 3 === wanted) found.push(value);
  }
  return found;
}
