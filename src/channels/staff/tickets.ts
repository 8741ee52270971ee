import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { localizedSchema, MEDIA_KINDS } from '../../conversation/message.ts';
import { waitingSinceMs } from '../../conversation/outline.ts';
import { doingSchema, REASONS } from '../../conversation/state.ts';
import { FAILURES } from '../../engine/messages.ts';
import type { Guard } from '../../http/guard.ts';
import { problem, problemOf } from '../../http/problem.ts';
import type { SeenTicket, Tickets } from '../../operators/tickets.ts';
import type { ChannelParts } from '../channel.ts';
import { type StreamLimits, Streams } from '../events.ts';
import { fileSchema, MAX_FILE_BODY, mediaRouteOf, sendMedia } from './media.ts';
import { cleanText, maybe, nameSchema, refusals, routeOf, streamed } from './schemas.ts';

/** With a name it fits into one message: Telegram takes 4,096 characters. */
const MAX_ANSWER = 4000;

const time = z.iso.datetime();
const params = z.object({ id: z.string().trim().toUpperCase().min(1).max(40) });

const closeSchema = z.strictObject({
  by: nameSchema.describe(
    'Who of staff: customers see it before each answer. With the token of a person it is that person.',
  ),
});
const claimSchema = closeSchema
  .extend({ release: maybe(z.literal(true), 'Gives it back. Only who has it can.') })
  .transform(({ by, release }) => ({ by, claim: !release }));
const messageSchema = closeSchema.extend({
  text: z
    .string()
    .max(MAX_ANSWER, `Wants at most ${MAX_ANSWER} characters`)
    .regex(/[^\s\p{Cc}\p{Cf}]/u, 'Wants some text')
    .transform(cleanText)
    .describe('Leaves as it is written.'),
  id: maybe(z.string().min(1).max(128), 'The same id in the same ticket counts once.'),
});

const noteSchema = messageSchema.transform((note) => ({ ...note, inner: true as const }));
const assignSchema = closeSchema.extend({ to: nameSchema.describe('The colleague who is to take it.') });

const mediaSchema = z.object({
  n: z.int().describe('`GET /staff/tickets/{id}/media/{n}` shows it.'),
  kind: z.enum(MEDIA_KINDS),
  name: maybe(z.string(), 'Of the file, or of the place with its coordinates.'),
  bytes: z.number().optional(),
  elsewhere: maybe(z.literal(true), 'The bot does not fetch it (SharePoint).'),
});
const messageViewSchema = z.object({
  at: time,
  text: z.string(),
  by: maybe(z.string(), 'Who of staff wrote it; absent if the customer did.'),
  note: maybe(z.literal(true), 'Customers never see it.'),
  media: maybe(z.array(mediaSchema), 'Of customers: pictures, voice, files, places.'),
  delivery: maybe(z.enum(['waiting', 'delivered', 'failed']), "Of staff's messages."),
  why: maybe(z.enum(FAILURES), 'Why it was not delivered; `late`: perhaps it was.'),
});
const ticketSchema = z.object({
  id: z.string().describe('The reference that the customer was told.'),
  conversation: z.string(),
  channel: z.string(),
  reason: z.enum(REASONS),
  openedAt: time,
  state: z.enum(['open', 'closed']),
  closedBy: z.enum(['customer', 'staff', 'time']).optional(),
  closedByName: maybe(z.string(), 'Who of staff closed it.'),
  claimedBy: z.string().optional(),
  assignedTo: maybe(z.string(), 'Who is to take it, until somebody claims it.'),
  name: z.string().optional(),
  lastText: maybe(z.string(), 'What the customer wrote last, cut.'),
  last: maybe(messageViewSchema, 'The last message of either side, cut; notes do not count.'),
  waitingSinceMs: z.number().nullable().describe('Epoch ms; null once answered.'),
  doing: maybe(doingSchema, 'What was being done when it was opened.'),
  led: maybe(z.array(z.string()), 'What the customer wrote that led to it.'),
  notUnderstood: maybe(z.array(z.string()), 'What was not understood right before.'),
  operations: z.array(z.object({ reference: z.string(), kind: z.string(), status: z.string() })),
  takes: maybe(z.array(z.enum(['picture', 'file'])), 'What can be sent beside text.'),
  undelivered: maybe(z.int(), "How many of staff's messages were not delivered."),
  messages: maybe(z.array(messageViewSchema), 'Not in the list; oldest first.'),
});
const unclearSchema = z.object({
  at: time,
  text: z.string(),
  question: maybe(z.string(), 'The key of the question that it answered.'),
  channel: z.string(),
});
const meSchema = z.object({
  name: maybe(z.string(), 'The person whose token it is.'),
  people: z.array(z.string()).describe('The names of STAFF_PEOPLE.'),
});
const answersSchema = z.array(z.object({ id: z.string(), answer: localizedSchema(z.string()) }));

const isoOf = (ms: number): string => new Date(ms).toISOString();

/** Of the last texts, in characters. */
const MAX_LAST = 120;
const cut = (text: string): string => [...text].slice(0, MAX_LAST).join('');

/** The schema takes away what staff need not see. */
function toTicketView(
  { ticket, operations, deliveries, origin: { channel, conversation } }: SeenTicket,
  isListed = false,
): z.infer<typeof ticketSchema> {
  const { openedMs, closed, led, notUnderstood, notes } = ticket;
  const own = notes.findLast(({ by }) => by === undefined)?.text ?? led?.at(-1) ?? notUnderstood?.at(-1);
  const last = notes.findLast(({ inner }) => !inner);
  return {
    channel,
    conversation,
    ...ticket,
    openedAt: isoOf(openedMs),
    state: closed ? 'closed' : 'open',
    closedBy: closed?.by,
    closedByName: closed?.staff,
    lastText: own && cut(own),
    last: last && { ...toMessageView(last), text: cut(last.text) },
    waitingSinceMs: waitingSinceMs(ticket),
    operations: operations.map(({ id: reference, kind, status }) => ({ reference, kind, status })),
    undelivered: [...deliveries.values()].filter(({ delivery }) => delivery === 'failed').length || undefined,
    messages: isListed
      ? undefined
      : notes.map((note) => ({ ...toMessageView(note), ...deliveries.get(note.id ?? '') })),
  };
}

type SeenNote = SeenTicket['ticket']['notes'][number];
const toMessageView = ({ atMs, text, by, inner: note, media }: SeenNote) => {
  return { at: isoOf(atMs), text, by, note, media: media?.map(toMediaView) };
};

/** Where the platform keeps it stays with us: the address may hold our token. */
const toMediaView = ({ at, ...media }: NonNullable<SeenNote['media']>[number]) => ({
  ...media,
  ...(at === undefined && media.kind !== 'place' && { elsewhere: true as const }),
});

const answerWith = <Schema extends z.ZodType>(schema: Schema) => ({
  response: { 200: schema, ...refusals },
});
const describeFiling = <Body extends z.ZodType>(body: Body) => {
  const { response } = answerWith(z.object({ status: z.literal('filed') }));
  return { params, response: { ...response, 409: problemOf('The ticket is closed.') }, body };
};

const ROUTES = {
  me: routeOf('showMe', 'Who asks, and their colleagues', answerWith(meSchema)),
  list: routeOf('listTickets', 'Who waits for a person, the longest first; then answered, then closed ones', {
    querystring: z.object({ state: z.enum(['open', 'closed']).optional() }),
    ...answerWith(
      z.object({
        tickets: z.array(ticketSchema),
        total: z.int().describe('How many there are, also beyond a list that is cut.'),
      }),
    ),
  }),
  search: routeOf('searchTickets', 'Find tickets by name, reference, phone, or words of open ones', {
    description: 'Reads open tickets and the newest closed ones, 300 at most, and stops at 50 that fit.',
    body: z.strictObject({ q: z.string().trim().min(2).max(100), by: maybe(nameSchema, 'Who searches.') }),
    ...answerWith(
      z.object({
        tickets: z.array(ticketSchema),
        searched: z.int().describe('How many were read.'),
        total: z.int().describe('How many there are.'),
      }),
    ),
  }),
  show: routeOf('showTicket', 'A ticket', { params, ...answerWith(ticketSchema) }),
  events: routeOf('followTickets', 'Follow what is new', {
    description: 'Server-sent events: `{ "ticket", "what": "opened" | "message" | "answered" | … }`.',
    response: streamed,
  }),
  answers: routeOf(
    'listAnswers',
    "The operator's answers (ANSWERS_FILE), to be sent by staff",
    answerWith(z.object({ answers: answersSchema })),
  ),
  unclear: routeOf(
    'listUnclear',
    'What was not understood in the last two weeks, masked, of those who agreed to be remembered',
    answerWith(z.object({ unclear: z.array(unclearSchema) })),
  ),
};

const MEDIA = mediaRouteOf(params.extend({ n: z.coerce.number().int().min(1) }));

const SEND = describeFiling(fileSchema);
const SEND_FILE = routeOf('sendFile', 'Send a customer a picture or file', {
  ...SEND,
  response: {
    ...SEND.response,
    413: problemOf('It is larger than 5 MB.'),
    415: problemOf("The customer's channel takes nothing of its kind (`takes`)."),
  },
});

const FILINGS = {
  messages: routeOf('answerTicket', 'Answer a customer', describeFiling(messageSchema)),
  notes: routeOf('noteInTicket', 'Note what customers never see', describeFiling(noteSchema)),
  assign: routeOf('assignTicket', 'Hand a ticket to a colleague', describeFiling(assignSchema)),
  claim: routeOf('claimTicket', 'Claim a ticket, or take it over', describeFiling(claimSchema)),
  close: routeOf('closeTicket', 'Close a ticket: the bot answers again', describeFiling(closeSchema)),
};

const UNKNOWN = [404, 'There is no ticket of that id.'] as const;
const CLOSED = [409, 'The ticket is closed: the bot answers again.'] as const;

function answerFiling(reply: FastifyReply, status: 'filed' | 'unknown' | 'closed'): FastifyReply {
  if (status === 'unknown') return problem(reply, ...UNKNOWN);
  return status === 'closed' ? problem(reply, ...CLOSED) : reply.send({ status });
}

type TicketRouteOptions = Partial<Pick<ChannelParts, 'handover' | 'answers'>> & {
  readonly guard: Pick<Guard, 'api' | 'inbox' | 'speaker' | 'visitorOf' | 'people'>;
  readonly limits?: StreamLimits | undefined;
};

/** What customers sent, and what staff send them. */
function addMediaRoutes(scope: FastifyInstance, tickets: Tickets): void {
  const routes = scope.withTypeProvider<ZodTypeProvider>();
  const media = { schema: MEDIA, exposeHeadRoute: false };
  routes.get('/staff/tickets/:id/media/:n', media, async (request, reply) => {
    const { id, n } = request.params;
    const found = await tickets.media(id, n);
    return found ? sendMedia(reply, found) : problem(reply, 404, 'There is nothing of that number.');
  });
  const sending = { schema: SEND_FILE, bodyLimit: MAX_FILE_BODY };
  routes.post('/staff/tickets/:id/media', sending, async ({ params, body }, reply) => {
    const status = await tickets.send(params.id, body);
    if (status === 'refused') return problem(reply, 415, 'The chat app of this customer takes text alone.');
    return answerFiling(reply, status);
  });
}

/** The routes of tickets. Without `handover` there are no tickets. */
export function ticketRoutes(
  tickets: Tickets,
  { handover = false, answers = [], guard, limits }: TicketRouteOptions,
): FastifyPluginAsync {
  return async (scope) => {
    scope.addHook('onRequest', guard.inbox);
    scope.addHook('preValidation', guard.speaker);
    scope.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
    const routes = scope.withTypeProvider<ZodTypeProvider>();
    routes.get('/staff/me', { schema: ROUTES.me }, async (request, reply) =>
      reply.send({ name: guard.visitorOf(request)?.person, people: [...guard.people()] }),
    );
    const unclear = { schema: ROUTES.unclear, onRequest: guard.api };
    routes.get('/staff/unclear', unclear, async (_request, reply) => {
      const found = await tickets.unclear();
      return reply.send({ unclear: found.map(({ atMs, ...one }) => ({ ...one, at: isoOf(atMs) })) });
    });
    if (!handover) return;
    routes.get('/staff/answers', { schema: ROUTES.answers }, async (_request, reply) =>
      reply.send({ answers: [...answers] }),
    );

    let seq = 0;
    const streams = new Streams(limits);
    scope.addHook('preClose', async () => streams.close());

    routes.get('/staff/tickets', { schema: ROUTES.list }, async ({ query }, reply) => {
      const { tickets: listed, total } = await tickets.list(query.state);
      return reply.send({ tickets: listed.map((one) => toTicketView(one, true)), total });
    });
    // A phone in an address would get into the logs of proxies.
    routes.post('/staff/tickets/search', { schema: ROUTES.search }, async ({ body }, reply) => {
      const { tickets: found, ...counts } = await tickets.search(body.q);
      return reply.send({ tickets: found.map((one) => toTicketView(one, true)), ...counts });
    });
    const sse = { schema: ROUTES.events, exposeHeadRoute: false };
    routes.get('/staff/tickets/events', sse, async (request, reply) => {
      const follow = (onEvent: (event: unknown, seq: number) => void) =>
        tickets.follow((news) => onEvent(news, ++seq));
      return streams.answer(reply, follow, () => guard.visitorOf(request) !== undefined);
    });
    routes.get('/staff/tickets/:id', { schema: ROUTES.show }, async (request, reply) => {
      const found = await tickets.find(request.params.id);
      if (!found) return problem(reply, ...UNKNOWN);
      return reply.send({ ...toTicketView(found), takes: [...tickets.takes(found)] });
    });
    addMediaRoutes(scope, tickets);
    for (const [what, schema] of Object.entries(FILINGS)) {
      routes.post(`/staff/tickets/:id/${what}`, { schema }, async ({ params, body }, reply) => {
        return answerFiling(reply, await tickets.file(params.id, body));
      });
    }
  };
}
