import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyPluginAsync } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { PhotoReading } from '../../conversation/message.ts';
import type { Outgoing } from '../../engine/messages.ts';
import type { Guard } from '../../http/guard.ts';
import { comeLater } from '../../http/problem.ts';
import type { Words } from '../../i18n.ts';
import type { Observe } from '../../observability/metrics.ts';
import type { Channel, ChannelEntry, ChannelParts } from '../channel.ts';
import { createEvents, createStreams, type StreamLimits, type Unread } from '../events.ts';
import {
  eventSchema,
  eventsRoute,
  MAX_BODY_BYTES,
  messageOf,
  messageRouteOf,
  requestSchemaOf,
  STAFF,
  type StaffAnswer,
  type StaffEvent,
  type StaffRequest,
  senderOf,
} from './schemas.ts';
import { ticketRoutes } from './tickets.ts';

type Parts = 'accept' | 'feed' | 'encryption' | 'words' | 'channels' | 'photoReader';

export type StaffOptions = Pick<ChannelParts, Parts> & {
  readonly guard: Pick<Guard, 'api'>;
  /** Absent: these routes are, too. */
  readonly tickets?: ChannelParts['tickets'] | undefined;
  readonly handover?: boolean | undefined;
  readonly answers?: ChannelParts['answers'] | undefined;
  readonly observe: Pick<Observe, 'alarm' | 'log' | 'update' | 'photo'>;
  /** A real AntCRM is behind: what staff earn and spend is alarmed (the configuration warns of it at the start). */
  readonly audited: boolean;
  /** How long a request waits for its turn to end. */
  readonly answerMs?: number | undefined;
  readonly limits?: StreamLimits | undefined;
};

const ANSWER_MS = 10_000;
/** How long requests that wait for a turn may still wait when the process stops. */
const LAST_REPLIES_MS = 250;

export const staff: ChannelEntry<{ readonly staffToken: string | undefined }> = {
  traits: STAFF,
  traced: true,
  async open({ staffToken }, { sandboxed, ...parts }) {
    const channel = createStaff({ ...parts, audited: !sandboxed });
    // With a real AntCRM and no token nobody passes the guard.
    if (staffToken === undefined && !sandboxed) {
      return { ...channel, greeting: () => ['Staff webhook and console are off (STAFF_TOKEN is unset)'] };
    }
    return { ...channel, greeting: ({ adminUrl }) => greeting(adminUrl, staffToken !== undefined) };
  },
};

/** Where to chat, and a line to paste. */
function greeting(url: string, needsToken: boolean): readonly string[] {
  const token = needsToken ? ` -H "Authorization: Bearer $STAFF_TOKEN"` : '';
  const body = '{"conversation":"qa-1","text":"tích điểm TIVInpmx8b98pfg"}';
  return [
    `Chat:  ${url}/console  ·  API: ${url}/docs`,
    `Try:   curl -sw '\\n' ${url}/webhooks/staff -H 'Content-Type: application/json'${token} -d '${body}'`,
  ];
}

/**
 * The staff webhook: JSON in, the turn's replies out, and every reply as a server-sent event. Which process runs the
 * turn does not matter: answers and streams both come from the feed.
 */
export function createStaff(
  options: StaffOptions,
): Channel & Required<Pick<Channel, 'staffPlugin' | 'close' | 'begins'>> {
  const { accept, words, guard, observe, channels, audited, answerMs = ANSWER_MS } = options;
  const channel = STAFF.name;
  const events = createEvents({ ...options, channel, schema: eventSchema });
  const streams = createStreams(events, options.limits);
  const waiting = new Set<Turn>();

  /** A turn's last reply may be on its way through the feed. */
  async function close(): Promise<void> {
    const ended = Promise.all([...waiting].map((turn) => turn.ended));
    await Promise.race([ended, delay(waiting.size > 0 ? LAST_REPLIES_MS : 0)]);
    for (const turn of waiting) turn.giveUp();
    streams.close();
  }

  /** Follows the feed first, so that no reply can be missed, then hands the message in and waits. */
  async function answer(body: StaffRequest): Promise<StaffAnswer | 'full'> {
    const { conversation, id = randomUUID() } = body;
    const message = await messageOf(body, readPhoto);
    const turn = followTurn(id);
    const unfollow = await events.follow(conversation, 0, turn.see);
    try {
      turn.begin();
      const sender = senderOf(body, channels);
      const accepted = await accept({ channel, conversation, id, message, sender, address: null });
      if (accepted === 'full') return 'full';
      const isDone = accepted === 'accepted' && (await ended(turn));
      const status = accepted === 'duplicate' ? accepted : isDone ? 'done' : 'queued';
      const { replies } = turn;
      const told = isDone
        ? { replies, trace: body.trace ? replies.at(-1)?.trace : undefined }
        : { replies: [] };
      return { conversation, status, ...told, state: turn.state() };
    } finally {
      unfollow();
    }
  }

  async function readPhoto(bytes: Uint8Array): Promise<PhotoReading> {
    const startMs = performance.now();
    const reading = await options.photoReader.read(bytes);
    observe.photo(channel, reading.kind, (performance.now() - startMs) / 1000);
    return reading;
  }

  async function ended(turn: Turn): Promise<boolean> {
    const timer = setTimeout(turn.giveUp, answerMs);
    waiting.add(turn);
    const done = await turn.ended;
    waiting.delete(turn);
    clearTimeout(timer);
    return done;
  }

  const staffPlugin: FastifyPluginAsync = async (scope) => {
    scope.setValidatorCompiler(validatorCompiler);
    scope.setSerializerCompiler(serializerCompiler);
    scope.addHook('onRequest', guard.api);
    scope.addHook('onResponse', async ({ method }, { statusCode }) => {
      if (method === 'POST' && (statusCode === 400 || statusCode === 401)) observe.update(channel, 'refused');
    });
    scope.addHook('preClose', close);
    const routes = scope.withTypeProvider<ZodTypeProvider>();

    routes.post(
      '/webhooks/staff',
      { schema: messageRouteOf(requestSchemaOf(channels)), bodyLimit: MAX_BODY_BYTES },
      async ({ body }, reply) => {
        const answered = await answer(body);
        if (answered === 'full') return comeLater(reply, 429, 'Too many messages of this conversation wait.');
        return reply.header('cache-control', 'no-store').send(answered);
      },
    );

    const { tickets, handover = false, answers = [] } = options;
    if (tickets) scope.register(ticketRoutes(tickets, { handover, answers }));

    routes.get(
      '/webhooks/staff/:conversation/events',
      { schema: eventsRoute, exposeHeadRoute: false },
      async ({ params, headers }, reply) =>
        streams.answer(reply, params.conversation, headers['last-event-id'] ?? 0),
    );
  };

  return {
    ...STAFF,
    hearsQuiet: true,
    staffPlugin,
    begins({ conversation, id: message }, operation) {
      if (!audited) return;
      observe.alarm('staff_operation', {
        channel,
        conversation: events.name(conversation),
        message,
        operation,
      });
    },
    deliver: (outgoing, seq) => events.deliver(outgoing, render(outgoing, seq, words)),
    close,
  };
}

/** A reply as staff get it: worded, its buttons labelled, its flags kept. */
function render(
  { reply, locale, turn, last, state, trace }: Outgoing,
  seq: number,
  words: Words,
): StaffEvent {
  const labelled = reply.choices?.map(({ id, label }) => ({ id, label: words.line(label, locale) }));
  const form = reply.form?.map(({ reason, ...field }) => ({
    ...field,
    reason: reason && words.line(reason, locale),
  }));
  const text = words.text(reply, locale);
  return eventSchema.parse({ ...reply, seq, text, choices: labelled, form, turn, last, state, trace });
}

type Turn = ReturnType<typeof followTurn>;

/** Gathers the events that answer one message. */
function followTurn(id: string) {
  const done = Promise.withResolvers<boolean>();
  const replies: StaffEvent[] = [];
  let latest: Unread<StaffEvent> | undefined;
  let hasBegun = false;

  return {
    /** To be called with every event of the conversation, the old ones too. */
    see(event: Unread<StaffEvent>): void {
      latest = event;
      const reply = hasBegun ? event.read() : null;
      if (reply?.turn !== id) return;
      if (!reply.quiet) replies.push(reply);
      if (reply.last) done.resolve(true);
    },
    /** The message goes in now: only events from here on can answer it, so older ones need not be opened. */
    begin(): void {
      hasBegun = true;
    },
    /** True once the turn's last reply was seen, false if `giveUp` was called first. */
    ended: done.promise,
    giveUp: () => done.resolve(false),
    replies,
    /** Where the conversation stood at the latest event seen. */
    state: () => latest?.read()?.state,
  };
}
