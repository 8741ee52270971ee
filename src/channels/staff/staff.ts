import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyPluginAsync } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { PhotoReading } from '../../conversation/message.ts';
import type { Delivery, Incoming, Outgoing } from '../../engine/messages.ts';
import type { Guard } from '../../http/guard.ts';
import { problem } from '../../http/problem.ts';
import type { Words } from '../../i18n.ts';
import type { Observe } from '../../observability/metrics.ts';
import type { Channel, ChannelEntry, ChannelParts } from '../channel.ts';
import { Events, type StreamLimits, Streams } from '../events.ts';
import {
  eventSchema,
  eventsRoute,
  MAX_BASE64,
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
  /** Absent: the routes of tickets are absent. */
  readonly tickets?: ChannelParts['tickets'] | undefined;
  readonly handover?: boolean | undefined;
  readonly answers?: ChannelParts['answers'] | undefined;
  readonly observe: Pick<Observe, 'alarm' | 'log' | 'update' | 'photo'>;
  /** The backend is a real AntCRM: what staff earn and spend raises an alarm. */
  readonly audited: boolean;
  /** How long a request waits for its turn to end. */
  readonly answerMs?: number | undefined;
  readonly limits?: StreamLimits | undefined;
};

const ANSWER_MS = 10_000;
/** How long requests still wait for their turn when the process stops. */
const LAST_REPLIES_MS = 250;

/** The staff webhook's entry in the list of channels. */
export const staff: ChannelEntry<{ readonly staffToken: string | undefined }> = {
  traits: STAFF,
  async open({ staffToken }, { sandboxed, ...parts }) {
    // With a real AntCRM and no token, the guard refuses every caller.
    const isOff = staffToken === undefined && !sandboxed;
    const off = ['Staff webhook and console are off (STAFF_TOKEN is unset)'];
    const channel: Channel = new StaffChannel({ ...parts, audited: !sandboxed });
    channel.greeting = ({ adminUrl }) => (isOff ? off : greeting(adminUrl, staffToken !== undefined));
    return channel;
  },
};

/** The console's address, and a command to try. */
function greeting(url: string, needsToken: boolean): readonly string[] {
  const token = needsToken ? ` -H "Authorization: Bearer $STAFF_TOKEN"` : '';
  const body = '{"conversation":"qa-1","text":"tích điểm TIVInpmx8b98pfg"}';
  return [
    `Chat:  ${url}/console  ·  API: ${url}/docs`,
    `Try:   curl -sw '\\n' ${url}/webhooks/staff -H 'Content-Type: application/json'${token} -d '${body}'`,
  ];
}

/** The staff webhook. Any process may run the turn: answers and streams both come from the feed. */
export class StaffChannel implements Channel {
  /** Quiet replies are delivered, too: a request waits for the last reply of its turn. */
  readonly hearsQuiet = true;
  readonly #options: StaffOptions;
  readonly #events: Events<StaffEvent>;
  readonly #streams: Streams<StaffEvent>;
  /** Gives up the requests that wait for their turn. */
  readonly #waiting = new Set<() => void>();

  constructor(options: StaffOptions) {
    this.#options = options;
    this.#events = new Events({ ...options, channel: STAFF.name, schema: eventSchema });
    this.#streams = new Streams((...following) => this.#events.follow(...following), options.limits);
  }

  readonly staffPlugin: FastifyPluginAsync = async (scope) => {
    const { guard, observe, channels, tickets, handover = false, answers = [] } = this.#options;
    scope.setValidatorCompiler(validatorCompiler);
    scope.setSerializerCompiler(serializerCompiler);
    scope.addHook('onRequest', guard.api);
    scope.addHook('onResponse', async ({ method }, { statusCode }) => {
      if (method !== 'POST' || (statusCode !== 400 && statusCode !== 401)) return;
      observe.update(STAFF.name, 'refused');
    });
    scope.addHook('preClose', () => this.close());
    const parseJson = scope.getDefaultJsonParser('error', 'error');
    scope.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
      if (isCrowded(String(body))) return void done(Object.assign(new Error(CROWDED), { statusCode: 413 }));
      parseJson(request, String(body), done);
    });
    const routes = scope.withTypeProvider<ZodTypeProvider>();
    const message = { schema: messageRouteOf(requestSchemaOf(channels)), bodyLimit: MAX_BODY_BYTES };
    routes.post('/webhooks/staff', message, async ({ body }, reply) => {
      const answered = await this.#answer(body);
      if (answered === 'full') return problem(reply, 429, 'Too many messages of this conversation wait.');
      return reply.header('cache-control', 'no-store').send(answered);
    });
    if (tickets) scope.register(ticketRoutes(tickets, { handover, answers }));
    const events = { schema: eventsRoute, exposeHeadRoute: false };
    routes.get('/webhooks/staff/:conversation/events', events, async ({ params, headers }, reply) =>
      this.#streams.answer(reply, params.conversation, headers['last-event-id'] ?? 0),
    );
  };

  begins({ conversation, id: message }: Pick<Incoming, 'conversation' | 'id'>, operation: string): void {
    const { audited, observe } = this.#options;
    if (!audited) return;
    const where = { channel: STAFF.name, conversation: this.#events.name(conversation), message };
    observe.alarm('staff_operation', { ...where, operation });
  }

  deliver(outgoing: Outgoing, seq: number): Promise<Delivery> {
    return this.#events.deliver(outgoing, render(outgoing, seq, this.#options.words));
  }

  /** Waits a moment: a turn's last reply may be on its way through the feed. */
  async close(): Promise<void> {
    if (this.#waiting.size > 0) await delay(LAST_REPLIES_MS);
    for (const giveUp of this.#waiting) giveUp();
    this.#streams.close();
  }

  /** Follows the feed first, to miss no reply, passes the message to `accept`, and waits. */
  async #answer(body: StaffRequest): Promise<StaffAnswer | 'full'> {
    const { accept, channels } = this.#options;
    const { conversation, id = randomUUID() } = body;
    const message = await messageOf(body, (bytes) => this.#readPhoto(bytes));
    const replies: StaffEvent[] = [];
    const ended = Promise.withResolvers<boolean>();
    let latest: StaffEvent | undefined;
    const unfollow = await this.#events.follow(conversation, 0, (event) => {
      latest = event;
      if (event.turn !== id) return;
      if (!event.quiet) replies.push(event);
      if (event.last) ended.resolve(true);
    });
    try {
      const sender = senderOf(body, channels);
      const where = { channel: STAFF.name, conversation, address: null };
      const accepted = await accept({ ...where, id, message, sender });
      if (accepted === 'full') return 'full';
      const isDone = accepted === 'accepted' && (await this.#inTime(ended));
      const status = accepted === 'duplicate' ? accepted : isDone ? 'done' : 'queued';
      const trace = body.trace && isDone ? replies.at(-1)?.trace : undefined;
      return { conversation, status, replies: isDone ? replies : [], trace, state: latest?.state };
    } finally {
      unfollow();
    }
  }

  async #readPhoto(bytes: Uint8Array): Promise<PhotoReading> {
    const startMs = performance.now();
    const reading = await this.#options.photoReader.read(bytes);
    this.#options.observe.photo(STAFF.name, reading.kind, (performance.now() - startMs) / 1000);
    return reading;
  }

  /** Whether the turn ended in time. */
  async #inTime({ promise, resolve }: PromiseWithResolvers<boolean>): Promise<boolean> {
    const giveUp = (): void => resolve(false);
    const timer = setTimeout(giveUp, this.#options.answerMs ?? ANSWER_MS);
    this.#waiting.add(giveUp);
    const isDone = await promise;
    this.#waiting.delete(giveUp);
    clearTimeout(timer);
    return isDone;
  }
}

const CROWDED = 'A request has few fields. Only its picture may be large.';

/** Whether a large body is more than a picture: to read a million fields takes ten seconds. */
function isCrowded(body: string): boolean {
  return body.length > MAX_BODY_BYTES - MAX_BASE64 && body.split(/[[{,]/, 1000).length === 1000;
}

/** The event of a reply: worded, with labelled buttons and all flags. */
function render(
  { reply, locale, turn, last, state, trace }: Outgoing,
  seq: number,
  words: Words,
): StaffEvent {
  const choices = reply.choices?.map(({ id, label }) => ({ id, label: words.line(label, locale) }));
  const form = reply.form?.map(({ reason, ...field }) => ({
    ...field,
    reason: reason && words.line(reason, locale),
  }));
  const text = words.text(reply, locale);
  return eventSchema.parse({ ...reply, seq, text, choices, form, turn, last, state, trace });
}
