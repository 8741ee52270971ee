import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { conversationName, type Delivery, type Outgoing } from '../engine/messages.ts';
import { comeLater } from '../http/problem.ts';
import type { Observe } from '../observability/metrics.ts';
import type { FeedEvent } from '../store/port.ts';
import type { ChannelParts } from './channel.ts';

/** The feed as a channel uses it: events in, events out, sealed in between. */
export type Events<Event> = {
  /** How the conversation is called in the feed and in logs. */
  name(conversation: string): string;
  /**
   * As a channel's `deliver`: appends a reply's event. Drops the earlier events if the customer is to be
   * forgotten. `undelivered` if the store takes nothing.
   */
  deliver(outgoing: Pick<Outgoing, 'conversation' | 'forget'>, event: Event): Promise<Delivery>;
  /** As `Feed.follow`; each event is opened only when it is `read`. */
  follow(
    conversation: string,
    afterSeq: number,
    onEvent: (event: Unread<Event>) => void,
  ): Promise<() => void>;
};

/** An event still sealed. `read` gives null where it cannot be opened (a lost key), and raises the alarm. */
export type Unread<Event> = { readonly seq: number; read(): Event | null };

export type EventsOptions<Event> = Pick<ChannelParts, 'feed' | 'encryption'> & {
  /** The channel's name. */
  readonly channel: string;
  readonly schema: z.ZodType<Event>;
  readonly observe: Pick<Observe, 'alarm' | 'log'>;
};

/** The feed of a channel, whose events look like `schema`. */
export function createEvents<Event extends { readonly seq: number }>({
  channel,
  schema,
  feed,
  encryption,
  observe,
}: EventsOptions<Event>): Events<Event> {
  const nameOf = (conversation: string) => conversationName(encryption, channel, conversation);
  const sealedAs = (name: string) => `f:${name}`;

  function read(name: string, event: FeedEvent): Event | null {
    try {
      return schema.parse(JSON.parse(encryption.open(sealedAs(name), event.body).toString()));
    } catch {
      observe.alarm('seal_broken', { channel, conversation: name });
      return null;
    }
  }

  return {
    name: nameOf,
    async deliver({ conversation, forget }, event) {
      const name = nameOf(conversation);
      try {
        const body = encryption.seal(sealedAs(name), Buffer.from(JSON.stringify(event)));
        await feed.publish(name, { seq: event.seq, body }, { forget: forget === true });
        return { kind: 'delivered' };
      } catch (error) {
        const what = error instanceof Error ? error.name : typeof error;
        observe.log.warn({ channel, error: what }, 'a reply could not be published');
        return { kind: 'undelivered' };
      }
    },
    async follow(conversation, afterSeq, onEvent) {
      const name = nameOf(conversation);
      const tell = (event: FeedEvent) => onEvent({ seq: event.seq, read: () => read(name, event) });
      return feed.follow(name, afterSeq, tell);
    },
  };
}

/** Open event streams (server-sent events) of this process. */
export type Streams = {
  /**
   * Answers with the events after `afterSeq` and every later one, until the reader goes away, lags behind, or `close` is
   * called; 503 where too many are open, or none may be any more. Rejects as `Events.follow` does.
   */
  answer(reply: FastifyReply, conversation: string, afterSeq: number): Promise<FastifyReply>;
  /** Ends all streams, for good. */
  close(): void;
};

export type StreamLimits = {
  /** Streams open at a time. */
  readonly streams: number;
  /** A comment keeps proxies from cutting a silent stream. */
  readonly heartbeatMs: number;
  /** Bytes a slow reader may be behind; past it the stream is cut, and the reader resumes by `Last-Event-ID`. */
  readonly lag: number;
};

const STREAM_LIMITS: StreamLimits = { streams: 200, heartbeatMs: 15_000, lag: 1024 * 1024 };

/** How soon a browser reconnects. */
const RETRY_MS = 2000;

export function createStreams<Event>(
  events: Pick<Events<Event>, 'follow'>,
  limits: StreamLimits = STREAM_LIMITS,
): Streams {
  const open = new Set<Readable>();
  let closed = false;

  const heartbeat = setInterval(() => {
    for (const stream of open) push(stream, ': still here\n\n');
  }, limits.heartbeatMs).unref();

  function push(stream: Readable, chunk: string): void {
    if (closed || stream.destroyed) return;
    stream.push(chunk);
    if (stream.readableLength > limits.lag) stream.destroy();
  }

  return {
    async answer(reply, conversation, afterSeq) {
      if (closed || open.size >= limits.streams) return comeLater(reply, 503, 'Too many streams are open.');
      const stream = new Readable({ read() {} });
      open.add(stream);
      stream.once('close', () => open.delete(stream));
      push(stream, `retry: ${RETRY_MS}\n\n`);
      try {
        const unfollow = await events.follow(conversation, afterSeq, ({ seq, read }) => {
          const event = read();
          if (event) push(stream, `id: ${seq}\ndata: ${JSON.stringify(event)}\n\n`);
        });
        stream.once('close', unfollow);
        if (stream.destroyed) unfollow();
        // Proxies must neither keep nor gather events, and an idle connection after the stream would delay a stop.
        const headers = { 'cache-control': 'no-store', 'x-accel-buffering': 'no', connection: 'close' };
        return reply.type('text/event-stream').headers(headers).send(stream);
      } catch (error) {
        stream.destroy();
        throw error;
      }
    },
    close() {
      closed = true;
      clearInterval(heartbeat);
      for (const stream of open) stream.push(null);
    },
  };
}
