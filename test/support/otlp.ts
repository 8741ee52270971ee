import { EventEmitter, once } from 'node:events';
import Fastify from 'fastify';
import { scanLater } from './logs.ts';

export type ReceivedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: the first of its trace. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
};

export type Collector = Awaited<ReturnType<typeof startCollector>>;

/** An HTTP server that takes traces as OTLP in protobuf. All that it gets is searched as logs are. */
export async function startCollector() {
  const spans: ReceivedSpan[] = [];
  const lines: string[] = [];
  const news = new EventEmitter().setMaxListeners(0);
  scanLater(lines, {});

  const app = Fastify({ forceCloseConnections: true });
  app.addContentTypeParser('application/x-protobuf', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.post('/v1/traces', async (request, reply) => {
    const received = Buffer.isBuffer(request.body) ? readRequest(request.body) : [];
    spans.push(...received);
    lines.push(...received.map((span) => JSON.stringify(span)));
    news.emit('request');
    return reply.type('application/x-protobuf').send(Buffer.alloc(0));
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });

  return {
    url,
    spans: spans as readonly ReceivedSpan[],
    /** Resolves to the spans so far as soon as `enough` of them have come. */
    async until(enough: (spans: readonly ReceivedSpan[]) => boolean): Promise<readonly ReceivedSpan[]> {
      while (!enough(spans)) await once(news, 'request');
      return [...spans];
    },
    stop: () => app.close(),
  };
}

/* OTLP in protobuf, by its field numbers: https://github.com/open-telemetry/opentelemetry-proto */

function readRequest(body: Buffer): ReceivedSpan[] {
  return parts(body, 1).flatMap((resourceSpans) => {
    const resource = attributesOf(parts(part(resourceSpans, 1), 1));
    const spans = parts(resourceSpans, 2).flatMap((scopeSpans) => parts(scopeSpans, 2));
    return spans.map((span) => readSpan(span, resource));
  });
}

function readSpan(span: Buffer, resource: ReceivedSpan['resource']): ReceivedSpan {
  const [traceId, spanId, parentSpanId] = [1, 2, 4].map((field) => part(span, field).toString('hex'));
  return {
    traceId: traceId ?? '',
    spanId: spanId ?? '',
    parentSpanId: parentSpanId ?? '',
    name: part(span, 5).toString(),
    resource,
    attributes: attributesOf(parts(span, 9)),
  };
}

const attributesOf = (pairs: readonly Buffer[]): Record<string, unknown> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const value = part(pair, 2);
      return [part(pair, 1).toString(), parts(value, 1)[0]?.toString() ?? numberIn(value, 3)];
    }),
  );

const part = (message: Buffer, field: number): Buffer => parts(message, field)[0] ?? Buffer.of();
const numberIn = (message: Buffer, field: number): number => varint(parts(message, field)[0] ?? Buffer.of(0));

const varint = (bytes: Buffer): number => bytes.reduceRight((sum, byte) => sum * 128 + (byte & 0x7f), 0);

/** The bytes of each such field of a message: https://protobuf.dev/programming-guides/encoding/ */
function parts(message: Buffer, field: number): Buffer[] {
  const found: Buffer[] = [];
  let rest = message;
  const take = (length: number): Buffer => {
    const bytes = rest.subarray(0, length);
    rest = rest.subarray(length);
    return bytes;
  };
  const takeVarint = () => take(rest.findIndex((byte) => byte < 0x80) + 1);
  while (rest.length > 0) {
    const tag = varint(takeVarint());
    const wire = tag & 7;
    const value = wire === 0 ? takeVarint() : take(wire === 1 ? 8 : wire === 5 ? 4 : varint(takeVarint()));
    if (tag >> 3 === field) found.push(value);
  }
  return found;
}
