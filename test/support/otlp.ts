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
  /** Headers of the requests so far. */
  readonly headers: readonly Readonly<Record<string, unknown>>[];
  /** Resolves to the spans so far as soon as `enough` of them have come. */
  until(enough: (spans: readonly ReceivedSpan[]) => boolean): Promise<readonly ReceivedSpan[]>;
  /** From now on each request is answered with this status. */
  answer(status: number): void;
  stop(): Promise<void>;
};

export async function startCollector(): Promise<Collector> {
  const spans: ReceivedSpan[] = [];
  const lines: string[] = [];
  const headers: Record<string, unknown>[] = [];
  const news = new EventEmitter().setMaxListeners(0);
  let status = 200;
  scanLater(lines, {});

  const app = Fastify({ forceCloseConnections: true });
  app.addContentTypeParser('application/x-protobuf', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.post('/v1/traces', async (request, reply) => {
    headers.push(request.headers);
    if (status === 200 && Buffer.isBuffer(request.body)) {
      for (const span of readRequest(request.body)) {
        spans.push(span);
        lines.push(JSON.stringify(span));
      }
    }
    news.emit('request');
    return reply.code(status).type('application/x-protobuf').send(Buffer.alloc(0));
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });

  return {
    url,
    spans,
    headers,
    async until(enough) {
      while (!enough(spans)) await once(news, 'request');
      return [...spans];
    },
    answer(next) {
      status = next;
    },
    stop: () => app.close(),
  };
}

/*
 * What OTLP says in protobuf, by its field numbers:
 * https://github.com/open-telemetry/opentelemetry-proto (collector/trace/v1, trace/v1, common/v1, resource/v1)
 */

function readRequest(body: Buffer): ReceivedSpan[] {
  return fields(body)
    .all(1)
    .flatMap((resourceSpans) => {
      const resource = attributesOf(fields(resourceSpans).message(1).all(1));
      return fields(resourceSpans)
        .all(2)
        .flatMap((scopeSpans) => fields(scopeSpans).all(2))
        .map((span) => readSpan(span, resource));
    });
}

function readSpan(bytes: Buffer, resource: ReceivedSpan['resource']): ReceivedSpan {
  const span = fields(bytes);
  const status = span.message(15);
  return {
    traceId: span.bytes(1).toString('hex'),
    spanId: span.bytes(2).toString('hex'),
    parentSpanId: span.bytes(4).toString('hex'),
    name: span.bytes(5).toString(),
    startMs: Number(span.number(7)) / 1e6,
    endMs: Number(span.number(8)) / 1e6,
    attributes: attributesOf(span.all(9)),
    status: Number(status.number(3)),
    resource,
  };
}

function attributesOf(keyValues: readonly Buffer[]): Record<string, unknown> {
  return Object.fromEntries(
    keyValues.map((bytes) => {
      const value = fields(bytes).message(2);
      const text = value.all(1)[0];
      return [fields(bytes).bytes(1).toString(), text?.toString() ?? Number(value.number(3))];
    }),
  );
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** What a message of protobuf has, by the numbers of its fields. */
type Message = {
  /** Fields of bytes: strings and messages, too. */
  all(field: number): Buffer[];
  /** The first one; empty where there is none. */
  bytes(field: number): Buffer;
  message(field: number): Message;
  number(field: number): bigint;
};

/** Reads a message: https://protobuf.dev/programming-guides/encoding/ */
function fields(message: Buffer): Message {
  const found: { readonly field: number; readonly value: Buffer | bigint }[] = [];
  let at = 0;

  function varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at);
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  function value(wire: number): Buffer | bigint {
    if (wire === VARINT) return varint();
    const length =
      wire === FIXED64 ? 8 : wire === FIXED32 ? 4 : wire === BYTES ? Number(varint()) : Number.NaN;
    const bytes = message.subarray(at, at + length);
    if (bytes.length !== length) throw new Error('this is no protobuf');
    at += length;
    if (wire === BYTES) return bytes;
    return wire === FIXED64 ? bytes.readBigUInt64LE() : BigInt(bytes.readUInt32LE());
  }

  while (at < message.length) {
    const tag = Number(varint());
    found.push({ field: tag >> 3, value: value(tag & 7) });
  }
  const all = (field: number): Buffer[] =>
    found.flatMap((one) => (one.field === field && Buffer.isBuffer(one.value) ? [one.value] : []));
  const bytes = (field: number): Buffer => all(field)[0] ?? Buffer.alloc(0);
  return {
    all,
    bytes,
    message: (field) => fields(bytes(field)),
    number(field) {
      const first = found.find((one) => one.field === field)?.value;
      return typeof first === 'bigint' ? first : 0n;
    },
  };
}
