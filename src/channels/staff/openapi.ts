import { z } from 'zod';
import { problemOf } from '../../http/problem.ts';
import { answerSchema } from './answer.ts';
import { conversationSchema, type RequestSchema } from './request.ts';

/** The names that `docs.ts` and the routes agree on. */
export const STAFF_TAG = 'staff webhook';
export const STAFF_SECURITY = 'staffToken';

const refusals = {
  400: problemOf('The request is wrong: `faults` lists everything at once.'),
  401: problemOf('The staff token is missing or wrong.'),
  404: problemOf('Staff access is off, or not from here.'),
  429: problemOf('Too many requests from this address, or messages of this conversation: see `Retry-After`.'),
  503: problemOf('The store cannot be reached, or the server is stopping: see `Retry-After`.'),
};

export const messageRouteOf = (body: RequestSchema) => ({
  operationId: 'sendMessage',
  tags: [STAFF_TAG],
  summary: 'Write to the bot',
  description:
    'Hands in one message and answers with the replies to it. Exactly one of `text`, `choice`, `contact`, `form`, ' +
    '`start`, `photo`, `unknown`.',
  security: [{ [STAFF_SECURITY]: [] }],
  body,
  response: {
    200: { description: 'The message is stored.', content: { 'application/json': { schema: answerSchema } } },
    ...refusals,
    413: problemOf('The request is too large.'),
    415: problemOf('The request is no JSON.'),
  },
});

const seqSchema = z.coerce.number().int().min(0);

export const eventsRoute = {
  operationId: 'followConversation',
  tags: [STAFF_TAG],
  summary: 'Follow a conversation',
  description:
    'Server-sent events: every reply of the conversation, the kept ones first (the last 100, one hour). The event id ' +
    'is the `seq` of the reply; the data is a reply as in the answer of the webhook, with `turn` (the id of the ' +
    'message it answers), `last` (of its turn), `state` and, with the last one, `trace` (a look into the turn).',
  security: [{ [STAFF_SECURITY]: [] }],
  params: z.object({ conversation: conversationSchema }),
  querystring: z.object({
    after: seqSchema.optional().describe('Resumes after this `seq`, where no header can be set.'),
  }),
  headers: z.looseObject({ 'last-event-id': seqSchema.optional().describe('Resumes after this `seq`.') }),
  response: {
    200: { description: 'The events.', content: { 'text/event-stream': { schema: z.string() } } },
    ...refusals,
  },
};
