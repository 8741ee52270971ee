import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { localizedSchema, MEDIA_KINDS } from '../../conversation/message.ts';
import { waitingSinceMs } from '../../conversation/outline.ts';
import { doingSchema, REASONS } from '../../conversation/state.ts';
import { FAILURES } from '../../engine/messages.ts';
import type { Guard } from '../../http/guard.ts';
import { problem, problemOf } from '../../http/problem.ts';
import {
  cleanText,
  describeRoute,
  guardStaffRoutes,
  isoTime,
  maybe,
  nameSchema,
  refusals,
  streamed,
  ticketParams,
  toIso,
} from '../../http/staff-routes.ts';
import type { SeenTicket, Tickets } from '../../operators/tickets.ts';
import type { ChannelParts } from '../channel.ts';
import { type StreamLimits, Streams } from '../events.ts';
import { fileSchema, MAX_FILE_BODY, mediaRouteOf, sendMedia } from './media.ts';

/** The answer and the writer's name fit into one message: Telegram takes 4,096 characters. */
const MAX_ANSWER = 4000;

const closeSchema = z.strictObject({
  by: nameSchema.describe(
    'The staff member. Customers see the name before each answer. ' +
      'With the token of a person it is that person.',
  ),
});
const claimSchema = closeSchema
  .extend({ release: maybe(z.literal(true), 'Gives it back. Only the staff member who has it can.') })
  .transform(({ by, release }) => ({ by, claim: !release }));
const messageSchema = closeSchema.extend({
  text: z
    .string()
    .max(MAX_ANSWER, `Wants at most ${MAX_ANSWER} characters`)
    .regex(/[^\s\p{Cc}\p{Cf}]/u, 'Wants some text')
    .transform(cleanText)
    .describe('The customer gets it unchanged.'),
  id: maybe(z.string().min(1).max(128), 'The same id in the same ticket counts once.'),
});

const noteSchema = messageSchema.transform((note) => ({ ...note, inner: true as const }));
const assignSchema = closeSchema.extend({ to: nameSchema.describe('The colleague who should take it.') });

const mediaSchema = z.object({
  n: z.int().describe('`GET /staff/tickets/{id}/media/{n}` shows it.'),
  kind: z.enum(MEDIA_KINDS),
  name: maybe(z.string(), 'The name of the file, or of the place with its coordinates.'),
  bytes: z.number().optional(),
  elsewhere: maybe(z.literal(true), 'The bot does not fetch it (SharePoint).'),
});
const messageViewSchema = z.object({
  at: isoTime,
  text: z.string(),
  by: maybe(z.string(), 'The staff member who wrote it; absent if the customer did.'),
  note: maybe(z.literal(true), 'Customers never see it.'),
  edited: maybe(z.literal(true), 'The customer edited it.'),
  before: maybe(z.string(), 'The text before the last edit.'),
  deleted: maybe(z.literal(true), 'The customer deleted it.'),
  media: maybe(z.array(mediaSchema), 'What a customer sent: pictures, voice, files, places.'),
  delivery: maybe(z.enum(['waiting', 'delivered', 'failed']), 'Whether a staff message arrived.'),
  why: maybe(z.enum(FAILURES), 'Why it was not delivered; `late`: perhaps it was.'),
});
const ticketSchema = z.object({
  id: z.string().describe('The reference that the customer was told.'),
  conversation: z.string(),
  channel: z.string(),
  reason: z.enum(REASONS),
  openedAt: isoTime,
  state: z.enum(['open', 'closed']),
  closedBy: z.enum(['customer', 'staff', 'time']).optional(),
  closedByName: maybe(z.string(), 'The staff member who closed it.'),
  claimedBy: z.string().optional(),
  assignedTo: maybe(z.string(), 'The colleague who should take it, until somebody claims it.'),
  name: z.string().optional(),
  lastText: maybe(z.string(), 'The last text of the customer, cut.'),
  last: maybe(messageViewSchema, 'The last message of customer or staff, cut. Notes do not count.'),
  waitingSinceMs: z.number().nullable().describe('Epoch ms; null once answered.'),
  doing: maybe(doingSchema, 'What the customer was doing when it was opened.'),
  led: maybe(z.array(z.string()), 'The texts of the customer that led to it.'),
  notUnderstood: maybe(z.array(z.string()), 'The texts right before it that the bot did not understand.'),
  operations: z.array(z.object({ reference: z.string(), kind: z.string(), status: z.string() })),
  takes: maybe(z.array(z.enum(['picture', 'file'])), 'What the channel takes besides text.'),
  undelivered: maybe(z.int(), 'How many staff messages were not delivered.'),
  messages: maybe(z.array(messageViewSchema), 'The oldest first. Absent in lists.'),
});
const unclearSchema = z.object({
  at: isoTime,
  text: z.string(),
  question: maybe(z.string(), 'The key of the question that it answered.'),
  channel: z.string(),
});
const meSchema = z.object({
  name: maybe(z.string(), 'The person whose token it is.'),
  people: z.array(z.string()).describe('The names of STAFF_PEOPLE.'),
});
const answersSchema = z.array(z.object({ id: z.string(), answer: localizedSchema(z.string()) }));

/** The last texts are cut after this many characters. */
const MAX_LAST = 120;
const cut = (text: string): string => [...text].slice(0, MAX_LAST).join('');

/** The schema removes the fields that staff need not see. */
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
    openedAt: toIso(openedMs),
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
const toMessageView = ({ atMs, inner: note, media, text, by, edited, before, deleted }: SeenNote) => {
  const shown = { at: toIso(atMs), text, by, note, edited, before, deleted };
  return { ...shown, media: media?.map(toMediaView) };
};

/** The address at the platform is left out, because it may contain our token. */
const toMediaView = ({ at, ...media }: NonNullable<SeenNote['media']>[number]) => ({
  ...media,
  ...(at === undefined && media.kind !== 'place' && { elsewhere: true as const }),
});

const answerWith = <Schema extends z.ZodType>(schema: Schema) => ({
  response: { 200: schema, ...refusals },
});
const describeFiling = <Body extends z.ZodType>(body: Body) => {
  const { response } = answerWith(z.object({ status: z.literal('filed') }));
  return { params: ticketParams, response: { ...response, 409: problemOf('The ticket is closed.') }, body };
};

const ROUTES = {
  me: describeRoute('showMe', 'Your name, and those of your colleagues', answerWith(meSchema)),
  list: describeRoute(
    'listTickets',
    'Tickets: first those who wait, the longest wait on top; then answered, then closed ones',
    {
      querystring: z.object({ state: z.enum(['open', 'closed']).optional() }),
      ...answerWith(
        z.object({
          tickets: z.array(ticketSchema),
          total: z.int().describe('How many there are, even if the list is cut.'),
        }),
      ),
    },
  ),
  search: describeRoute(
    'searchTickets',
    'Find tickets by name, reference or phone, and open tickets also by their words',
    {
      description: 'Reads open tickets and the newest closed ones, at most 300, and stops after 50 results.',
      body: z.strictObject({
        q: z.string().trim().min(2).max(100),
        by: maybe(nameSchema, 'The staff member who searches.'),
      }),
      ...answerWith(
        z.object({
          tickets: z.array(ticketSchema),
          searched: z.int().describe('How many were read.'),
          total: z.int().describe('How many there are.'),
        }),
      ),
    },
  ),
  show: describeRoute('showTicket', 'A ticket', { params: ticketParams, ...answerWith(ticketSchema) }),
  events: describeRoute('followTickets', 'Follow the news of tickets', {
    description: 'Server-sent events: `{ "ticket", "what": "opened" | "message" | "answered" | … }`.',
    response: streamed,
  }),
  answers: describeRoute(
    'listAnswers',
    "The operator's answers (ANSWERS_FILE), which staff may send",
    answerWith(z.object({ answers: answersSchema })),
  ),
  unclear: describeRoute(
    'listUnclear',
    'Texts of the last two weeks that the bot did not understand, masked, of customers who agreed',
    answerWith(z.object({ unclear: z.array(unclearSchema) })),
  ),
};

const MEDIA = mediaRouteOf(ticketParams.extend({ n: z.coerce.number().int().min(1) }));

const SEND = describeFiling(fileSchema);
const SEND_FILE = describeRoute('sendFile', 'Send a customer a picture or file', {
  ...SEND,
  response: {
    ...SEND.response,
    413: problemOf('It is larger than 5 MB.'),
    415: problemOf("The customer's channel takes nothing of its kind (`takes`)."),
  },
});

const FILINGS = {
  messages: describeRoute('answerTicket', 'Answer a customer', describeFiling(messageSchema)),
  notes: describeRoute('noteInTicket', 'Write a note that customers never see', describeFiling(noteSchema)),
  assign: describeRoute('assignTicket', 'Hand a ticket to a colleague', describeFiling(assignSchema)),
  claim: describeRoute('claimTicket', 'Claim a ticket, or take it over', describeFiling(claimSchema)),
  close: describeRoute('closeTicket', 'Close a ticket: the bot answers again', describeFiling(closeSchema)),
};

const UNKNOWN = [404, 'There is no ticket with that id.'] as const;
const CLOSED = [409, 'The ticket is closed: the bot answers again.'] as const;

function answerFiling(reply: FastifyReply, status: 'filed' | 'unknown' | 'closed'): FastifyReply {
  if (status === 'unknown') return problem(reply, ...UNKNOWN);
  return status === 'closed' ? problem(reply, ...CLOSED) : reply.send({ status });
}

type TicketRouteOptions = Partial<Pick<ChannelParts, 'handover' | 'answers'>> & {
  readonly guard: Pick<Guard, 'api' | 'inbox' | 'speaker' | 'visitorOf' | 'people'>;
  readonly limits?: StreamLimits | undefined;
};

/** The routes of media and files, in both directions. */
function addMediaRoutes(scope: FastifyInstance, tickets: Tickets): void {
  const routes = scope.withTypeProvider<ZodTypeProvider>();
  const showing = { schema: MEDIA, exposeHeadRoute: false };
  routes.get('/staff/tickets/:id/media/:n', showing, async (request, reply) => {
    const { id, n } = request.params;
    const media = await tickets.media(id, n);
    return media ? sendMedia(reply, media) : problem(reply, 404, 'There is nothing with that number.');
  });
  const sending = { schema: SEND_FILE, bodyLimit: MAX_FILE_BODY };
  routes.post('/staff/tickets/:id/media', sending, async ({ params, body }, reply) => {
    const status = await tickets.send(params.id, body);
    if (status === 'refused') return problem(reply, 415, 'The chat app of this customer takes only text.');
    return answerFiling(reply, status);
  });
}

/** The routes of tickets. Without `handover` there are no tickets. */
export function ticketRoutes(
  tickets: Tickets,
  { handover = false, answers = [], guard, limits }: TicketRouteOptions,
): FastifyPluginAsync {
  return async (scope) => {
    const routes = guardStaffRoutes(scope, guard);
    routes.get('/staff/me', { schema: ROUTES.me }, async (request, reply) =>
      reply.send({ name: guard.visitorOf(request)?.person, people: [...guard.people()] }),
    );
    const unclear = { schema: ROUTES.unclear, onRequest: guard.api };
    routes.get('/staff/unclear', unclear, async (_request, reply) => {
      const sentences = await tickets.unclear();
      return reply.send({ unclear: sentences.map(({ atMs, ...rest }) => ({ ...rest, at: toIso(atMs) })) });
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
      return reply.send({ tickets: listed.map((ticket) => toTicketView(ticket, true)), total });
    });
    // The query is in the body, because proxies log addresses, and it may be a phone.
    routes.post('/staff/tickets/search', { schema: ROUTES.search }, async ({ body }, reply) => {
      const { tickets: results, ...counts } = await tickets.search(body.q);
      return reply.send({ tickets: results.map((ticket) => toTicketView(ticket, true)), ...counts });
    });
    const sse = { schema: ROUTES.events, exposeHeadRoute: false };
    routes.get('/staff/tickets/events', sse, async (request, reply) => {
      const follow = (onEvent: (event: unknown, seq: number) => void) =>
        tickets.follow((news) => onEvent(news, ++seq));
      return streams.answer(reply, follow, () => guard.visitorOf(request) !== undefined);
    });
    routes.get('/staff/tickets/:id', { schema: ROUTES.show }, async (request, reply) => {
      const ticket = await tickets.find(request.params.id);
      if (!ticket) return problem(reply, ...UNKNOWN);
      return reply.send({ ...toTicketView(ticket), takes: [...tickets.takes(ticket)] });
    });
    addMediaRoutes(scope, tickets);
    for (const [route, schema] of Object.entries(FILINGS)) {
      routes.post(`/staff/tickets/:id/${route}`, { schema }, async ({ params, body }, reply) => {
        return answerFiling(reply, await tickets.file(params.id, body));
      });
    }
  };
}
