import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyPluginAsync } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { PhotoReading } from '../../conversation/message.ts';
import type { Delivery, Incoming, Outgoing } from '../../engine/messages.ts';
import type { Guard } from '../../http/guard.ts';
import { problem } from '../../http/problem.ts';
import type { Addresses } from '../../http/server.ts';
import type { Words } from '../../i18n.ts';
import type { Observe } from '../../observability/metrics.ts';
import type { Channel, ChannelEntry, ChannelParts } from '../channel.ts';
import { Events, type StreamLimits, Streams } from '../events.ts';
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

/** Without `tickets` their routes are absent. */
export type StaffOptions = Pick<ChannelParts, Parts> &
  Partial<Pick<ChannelParts, 'tickets' | 'handover' | 'answers'>> & {
    readonly guard: Pick<Guard, 'api' | 'inbox' | 'speaker' | 'visitorOf' | 'people'>;
    readonly observe: Pick<Observe, 'alarm' | 'update' | 'photo'>;
    /** The backend is a real AntCRM: what staff earn and spend raises an alarm. */
    readonly audited: boolean;
    readonly needsToken?: boolean;
    /** How long a request waits for its turn to end. */
    readonly answerMs?: number | undefined;
    readonly limits?: StreamLimits | undefined;
  };

const ANSWER_MS = 10_000;
const MAX_FIELDS = 1000;
/** How long requests still wait for their turn when the process stops. */
const LAST_REPLIES_MS = 250;

export const staff: ChannelEntry<{ readonly staffToken: string | undefined }> = {
  traits: STAFF,
  async open({ staffToken }, parts) {
    const needsToken = staffToken !== undefined;
    if (!needsToken && !parts.sandboxed) return { off: 'STAFF_TOKEN is unset; so is the console' };
    return new StaffChannel({ ...parts, needsToken, audited: !parts.sandboxed });
  },
};

/** The staff webhook. Any process may run the turn: its replies come from the feed. */
export class StaffChannel implements Channel {
  /** A request waits for the last reply of its turn, quiet or not. */
  readonly hearsQuiet = true;
  readonly #options: StaffOptions;
  readonly #events: Events<StaffEvent>;
  readonly #streams: Streams;
  /** Answers the requests that wait for their turn: did it end? */
  readonly #waiting = new Set<(isDone: boolean) => void>();

  constructor(options: StaffOptions) {
    this.#options = options;
    this.#events = new Events({ ...options, channel: STAFF.name, schema: eventSchema });
    this.#streams = new Streams(options.limits);
  }

  greeting({ adminUrl: url }: Addresses): readonly string[] {
    const token = this.#options.needsToken ? ` -H "Authorization: Bearer $STAFF_TOKEN"` : '';
    const body = '{"conversation":"qa-1","text":"tích điểm TIVInpmx8b98pfg"}';
    return [
      `Chat:  ${url}/console  ·  API: ${url}/docs`,
      `Try:   curl -sw '\\n' ${url}/webhooks/staff -H 'Content-Type: application/json'${token} -d '${body}'`,
    ];
  }

  readonly staffPlugin: FastifyPluginAsync = async (scope) => {
    const { observe, tickets } = this.#options;
    scope.setValidatorCompiler(validatorCompiler);
    scope.setSerializerCompiler(serializerCompiler);
    scope.addHook('onResponse', async ({ method }, { statusCode }) => {
      if (method !== 'POST' || (statusCode !== 400 && statusCode !== 401)) return;
      observe.update(STAFF.name, 'refused');
    });
    scope.addHook('preClose', () => this.close());
    const parseJson = scope.getDefaultJsonParser('error', 'error');
    scope.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
      // A million fields would take ten seconds. Only a picture may be large.
      const fields = String(body).split(/[[{,]/, MAX_FIELDS);
      if (fields.length < MAX_FIELDS) parseJson(request, String(body), done);
      else done(Object.assign(new Error('A request has few fields.'), { statusCode: 413 }));
    });
    scope.register(this.#webhook);
    if (tickets) scope.register(ticketRoutes(tickets, this.#options));
  };

  readonly #webhook: FastifyPluginAsync = async (scope) => {
    const { guard, channels } = this.#options;
    scope.addHook('onRequest', guard.api);
    const routes = scope.withTypeProvider<ZodTypeProvider>();
    const message = { schema: messageRouteOf(requestSchemaOf(channels)), bodyLimit: MAX_BODY_BYTES };
    routes.post('/webhooks/staff', message, async ({ body }, reply) => {
      const answered = await this.#answer(body);
      if (answered === 'full') return problem(reply, 429, 'Too many messages of this conversation wait.');
      return reply.header('cache-control', 'no-store').send(answered);
    });
    const events = { schema: eventsRoute, exposeHeadRoute: false };
    routes.get('/webhooks/staff/:conversation/events', events, async (request, reply) => {
      const { params, headers } = request;
      const follow = (onEvent: (event: unknown, seq: number) => void) =>
        this.#events.follow(params.conversation, headers['last-event-id'] ?? 0, onEvent);
      return this.#streams.answer(reply, follow, () => guard.visitorOf(request) !== undefined);
    });
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
    for (const end of this.#waiting) end(false);
    this.#streams.close();
  }

  /** Follows the feed first, to miss no reply. */
  async #answer(body: StaffRequest): Promise<StaffAnswer | 'full'> {
    const { accept, channels, answerMs = ANSWER_MS } = this.#options;
    const { conversation, id = randomUUID() } = body;
    const message = await messageOf(body, (bytes) => this.#readPhoto(bytes, conversation));
    const replies: StaffEvent[] = [];
    const { promise: ending, resolve: end } = Promise.withResolvers<boolean>();
    let latest: StaffEvent | undefined;
    const unfollow = await this.#events.follow(conversation, 0, (event) => {
      latest = event;
      if (event.turn !== id) return;
      if (!event.quiet) replies.push(event);
      if (event.last) end(true);
    });
    const timer = setTimeout(end, answerMs, false);
    this.#waiting.add(end);
    try {
      const sender = senderOf(body, channels);
      const where = { channel: STAFF.name, conversation, address: null };
      const accepted = await accept({ ...where, id, message, sender });
      if (accepted === 'full') return 'full';
      const isDone = accepted === 'accepted' && (await ending);
      const status = accepted === 'duplicate' ? accepted : isDone ? 'done' : 'queued';
      const trace = body.trace && isDone ? replies.at(-1)?.trace : undefined;
      return { conversation, status, replies: isDone ? replies : [], trace, state: latest?.state };
    } finally {
      unfollow();
      clearTimeout(timer);
      this.#waiting.delete(end);
    }
  }

  async #readPhoto(bytes: Uint8Array, conversation: string): Promise<PhotoReading> {
    const startMs = performance.now();
    const reading = await this.#options.photoReader.read(bytes, `${STAFF.name} ${conversation}`);
    this.#options.observe.photo(STAFF.name, reading.kind, (performance.now() - startMs) / 1000);
    return reading;
  }
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
