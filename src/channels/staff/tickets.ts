import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { REASONS } from '../../conversation/state.ts';
import type { News, SeenTicket, Tickets } from '../../engine/tickets.ts';
import { problem, problemOf } from '../../http/problem.ts';
import { createStreams } from '../events.ts';
import { refusals, routeOf, streamed } from './schemas.ts';

/*
 * The staff's inbox: who waits for a person, answering, closing, what is new; and what was not understood.
 */

const MAX_ANSWER = 4000;

const time = z.iso.datetime();
const by = z.string().trim().min(1, 'Wants a name').max(100).describe('Who of staff.');
const ticketId = z.object({ id: z.string().trim().toUpperCase().min(1).max(40) });

const answerSchema = z.strictObject({
  text: z
    .string()
    .max(MAX_ANSWER, `Wants at most ${MAX_ANSWER} characters`)
    .regex(/\S/, 'Wants some text')
    .transform((text) => text.replace(/[^\P{Cc}\n\t]/gu, '').toWellFormed())
    .describe('Leaves as it is written.'),
  by,
  id: z.string().min(1).max(128).optional().describe('The same id in the same ticket counts once.'),
});

const listedSchema = z.object({
  id: z.string().describe('The reference that the customer was told.'),
  conversation: z.string().describe("The channel's own name of it."),
  channel: z.string(),
  reason: z.enum(REASONS),
  openedAt: time,
  state: z.enum(['open', 'closed']),
  closedBy: z.enum(['customer', 'staff', 'time']).optional(),
  waitsSince: time.optional().describe('Since when the customer waits for staff; absent: they do not.'),
  doing: z
    .object({ flow: z.string(), codes: z.array(z.string()).optional(), gift: z.string().optional() })
    .optional()
    .describe('What was being done when it was opened.'),
  led: z.array(z.string()).optional().describe('What the customer wrote that led to it.'),
  operations: z.array(z.object({ reference: z.string(), kind: z.string(), status: z.string() })),
});
const shownSchema = listedSchema.extend({
  messages: z.array(
    z.object({ at: time, text: z.string(), by: z.string().optional().describe('Who of staff wrote.') }),
  ),
});

const isoOf = (ms: number): string => new Date(ms).toISOString();

function listed({ ticket, channel, conversation, operations }: SeenTicket): z.infer<typeof listedSchema> {
  const { id, reason, openedMs, closed, waitsMs, doing, led } = ticket;
  return {
    ...{ id, conversation, channel, reason, openedAt: isoOf(openedMs), state: closed ? 'closed' : 'open' },
    ...(closed && { closedBy: closed.by }),
    ...(waitsMs !== undefined && !closed && { waitsSince: isoOf(waitsMs) }),
    ...(doing && { doing }),
    ...(led && { led }),
    operations: operations.map(({ id: reference, kind, status }) => ({ reference, kind, status })),
  };
}

function shown(seen: SeenTicket): z.infer<typeof shownSchema> {
  const messages = seen.ticket.notes.map(({ atMs, text, by: who }) => ({
    ...{ at: isoOf(atMs), text },
    ...(who !== undefined && { by: who }),
  }));
  return { ...listed(seen), messages };
}

const answering = (schema: z.ZodType, description: string) => ({
  200: { description, content: { 'application/json': { schema } } },
  ...refusals,
});
const filed = answering(z.object({ status: z.literal('filed') }), 'It is stored, and leaves in order.');
const gone = { 409: problemOf('The ticket is closed.') };

const ROUTES = {
  list: routeOf('listTickets', 'Who waits for a person, oldest first', {
    querystring: z.object({ state: z.enum(['open', 'closed']).optional() }),
    response: answering(z.object({ tickets: z.array(listedSchema) }), 'Without their messages.'),
  }),
  show: routeOf('showTicket', 'A ticket and what was written in it', {
    params: ticketId,
    response: answering(shownSchema, 'Oldest message first.'),
  }),
  answer: routeOf('answerTicket', 'Answer a customer', {
    params: ticketId,
    body: answerSchema,
    response: { ...filed, ...gone },
  }),
  close: routeOf('closeTicket', 'Close a ticket: the bot answers again', {
    params: ticketId,
    body: z.strictObject({ by }),
    response: { ...filed, ...gone },
  }),
  events: routeOf('followTickets', 'Follow what is new', {
    description:
      'Server-sent events, from now on: `{ "ticket", "what": "opened" | "message" | "answered" | "closed" }`.',
    response: streamed,
  }),
  unclear: routeOf('listUnclear', 'What was not understood, newest first', {
    description:
      'Sentences that got a fallback, of customers who agreed to be remembered; phones, e-mails, codes and names are masked.',
    response: answering(
      z.object({
        unclear: z.array(
          z.object({
            at: time,
            text: z.string(),
            question: z.string().optional().describe('The key of the question that it answered.'),
            channel: z.string(),
          }),
        ),
      }),
      'The last two weeks.',
    ),
  }),
};

/** The routes, behind the guard of whoever registers them. `handover`: there are tickets at all. */
export function ticketRoutes(
  tickets: Tickets,
  { handover }: { readonly handover: boolean },
): FastifyPluginAsync {
  return async (scope) => {
    scope.addHook('onRequest', async (_request, reply) => {
      reply.header('cache-control', 'no-store');
    });
    const routes = scope.withTypeProvider<ZodTypeProvider>();
    routes.get('/staff/unclear', { schema: ROUTES.unclear }, async (_request, reply) => {
      const found = await tickets.unclear();
      return reply.send({
        unclear: found.map(({ atMs, ...sentence }) => ({ ...sentence, at: isoOf(atMs) })),
      });
    });
    if (!handover) return;

    let seq = 0;
    const streams = createStreams<News>({
      follow: (_name, _after, tell) =>
        tickets.follow((news) => {
          seq += 1;
          tell({ seq, read: () => news });
        }),
    });
    scope.addHook('preClose', async () => streams.close());

    function refuse(reply: FastifyReply, why: 'unknown' | 'closed'): FastifyReply {
      if (why === 'unknown') return problem(reply, 404, 'Not Found', 'There is no ticket of that id.');
      return problem(reply, 409, 'Conflict', 'The ticket is closed: the bot answers again.');
    }

    routes.get('/staff/tickets', { schema: ROUTES.list }, async ({ query }, reply) =>
      reply.send({ tickets: (await tickets.list(query.state)).map(listed) }),
    );

    const sse = { schema: ROUTES.events, exposeHeadRoute: false };
    routes.get('/staff/tickets/events', sse, async (_request, reply) => streams.answer(reply, '', 0));

    routes.get('/staff/tickets/:id', { schema: ROUTES.show }, async ({ params }, reply) => {
      const found = await tickets.find(params.id);
      return found ? reply.send(shown(found)) : refuse(reply, 'unknown');
    });

    async function file(reply: FastifyReply, ...wanted: Parameters<Tickets['file']>): Promise<FastifyReply> {
      const done = await tickets.file(...wanted);
      return done === 'filed' ? reply.send({ status: done }) : refuse(reply, done);
    }

    routes.post('/staff/tickets/:id/messages', { schema: ROUTES.answer }, async ({ params, body }, reply) =>
      file(reply, params.id, body),
    );

    routes.post('/staff/tickets/:id/close', { schema: ROUTES.close }, async ({ params, body }, reply) =>
      file(reply, params.id, body),
    );
  };
}
