import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { conversationName, type Delivery, type Outgoing } from '../engine/messages.ts';
import { problem } from '../http/problem.ts';
import type { Observe } from '../observability/metrics.ts';
import type { ChannelParts } from './channel.ts';

type EventsOptions<Event> = Pick<ChannelParts, 'feed' | 'encryption'> & {
  readonly channel: string;
  readonly schema: z.ZodType<Event>;
  readonly observe: Pick<Observe, 'alarm'>;
};

/** The feed of a channel: events like `schema` go in and out, sealed in between. */
export class Events<Event extends { readonly seq: number }> {
  readonly #options: EventsOptions<Event>;

  constructor(options: EventsOptions<Event>) {
    this.#options = options;
  }

  /** The conversation's name in the feed and in logs. */
  name(conversation: string): string {
    return conversationName(this.#options.encryption, this.#options.channel, conversation);
  }

  /** Appends a reply's event, for a channel's `deliver`. `forget` drops the earlier ones. */
  async deliver(
    { conversation, forget }: Pick<Outgoing, 'conversation' | 'forget'>,
    event: Event,
  ): Promise<Delivery> {
    const { feed, encryption } = this.#options;
    const name = this.name(conversation);
    try {
      const body = encryption.seal(`f:${name}`, Buffer.from(JSON.stringify(event)));
      await feed.publish(name, { seq: event.seq, body }, { forget: forget === true });
      return { kind: 'delivered' };
    } catch {
      return { kind: 'undelivered' };
    }
  }

  /** As `Feed.follow`. Passes over what does not open (a lost key), with an alarm. */
  follow(
    conversation: string,
    afterSeq: number,
    onEvent: (event: Event, seq: number) => void,
  ): Promise<() => void> {
    const { feed, schema, encryption, observe, channel } = this.#options;
    const name = this.name(conversation);
    return feed.follow(name, afterSeq, ({ seq, body }) => {
      let event: Event;
      try {
        event = schema.parse(JSON.parse(encryption.open(`f:${name}`, body).toString()));
      } catch {
        observe.alarm('seal_broken', { channel, conversation: name });
        return;
      }
      onEvent(event, seq);
    });
  }
}

const STREAM_LIMITS = {
  streams: 200,
  /** A comment keeps proxies from cutting a silent stream. */
  heartbeatMs: 15_000,
  /** Bytes that a reader may be behind. Then the stream is cut, and may be resumed. */
  lag: 1024 * 1024,
};
export type StreamLimits = Readonly<typeof STREAM_LIMITS>;

/** How soon a browser reconnects. */
const RETRY_MS = 2000;

/** Proxies must not keep events. An idle connection would delay a stop. */
const HEADERS = { 'cache-control': 'no-store', 'x-accel-buffering': 'no', connection: 'close' };

/** Open event streams (server-sent events) of this process. */
export class Streams {
  readonly #limits: StreamLimits;
  /** Each stream with the check of its reader. */
  readonly #open = new Map<Readable, () => boolean>();
  readonly #heartbeat: NodeJS.Timeout;
  #isClosed = false;

  constructor(limits: StreamLimits = STREAM_LIMITS) {
    this.#limits = limits;
    this.#heartbeat = setInterval(() => this.#beat(), limits.heartbeatMs).unref();
  }

  /**
   * Answers with the events of `follow`; 503 if too many read. A reader who may no longer read gets no event,
   * and the stream ends with the next event or heartbeat. Rejects as `follow` does.
   */
  async answer(
    reply: FastifyReply,
    follow: (onEvent: (event: unknown, seq: number) => void) => Promise<() => void>,
    mayRead: () => boolean = () => true,
  ): Promise<FastifyReply> {
    if (this.#isClosed || this.#open.size >= this.#limits.streams) {
      return problem(reply, 503, 'Too many streams are open.');
    }
    const stream = new Readable({ read() {}, highWaterMark: this.#limits.lag });
    this.#open.set(stream, mayRead);
    stream.once('close', () => this.#open.delete(stream));
    this.#push(stream, `retry: ${RETRY_MS}\n\n`);
    try {
      const unfollow = await follow((event, seq) => {
        if (mayRead()) this.#push(stream, `id: ${seq}\ndata: ${JSON.stringify(event)}\n\n`);
        else this.#end(stream);
      });
      stream.once('close', unfollow);
      if (stream.destroyed) unfollow();
      return reply.type('text/event-stream').headers(HEADERS).send(stream);
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }

  /** Ends all streams, for good. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#heartbeat);
    for (const stream of this.#open.keys()) this.#end(stream);
  }

  #beat(): void {
    for (const [stream, mayRead] of this.#open) {
      if (mayRead()) this.#push(stream, ': still here\n\n');
      else this.#end(stream);
    }
  }

  #push(stream: Readable, chunk: string): void {
    if (this.#open.has(stream) && !stream.destroyed && !stream.push(chunk)) stream.destroy();
  }

  /** Ends a stream behind what was pushed before. */
  #end(stream: Readable): void {
    if (this.#open.delete(stream)) stream.push(null);
  }
}
