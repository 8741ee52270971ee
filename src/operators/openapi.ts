import { z } from 'zod';
import { problemOf } from '../http/problem.ts';
import { soughtBy } from './command.ts';
import type { Sought } from './find.ts';
import { EVENTS } from './story.ts';

/** The names that `docs.ts` and the routes agree on. */
export const OPERATOR_TAG = 'operators';
export const OPERATOR_SECURITY = 'operatorToken';

const time = z.iso.datetime();

const operationSchema = z.object({
  reference: z.string().describe('The one that the customer was given.'),
  kind: z.enum(['accumulate', 'redeem']).nullable().describe('null: it cannot be opened.'),
  at: time.describe('When the call was about to be made.'),
  waitsFor: z.enum(['bot', 'staff']).describe('Who finds out next: the bot by its own lookups, or you.'),
  checkedUntil: time,
  channel: z.string().nullable(),
  conversation: z.string().describe('As logs and the store call it: a keyed hash.'),
});

const letterSchema = z.object({
  id: z.string(),
  reason: z.string(),
  holds: z.string().nullable().describe('The kind of the message, or `state`; null: it cannot be opened.'),
  at: time,
  channel: z.string().nullable(),
  conversation: z.string(),
});

const listSchema = z.object({
  conversation: z.string().optional().describe('How the conversation that was looked for is called in logs.'),
  operations: z.array(operationSchema),
  deadLetters: z.array(letterSchema),
});

const eventSchema = z.object({
  at: time.nullable().describe('For lookups: when it was due. null: that is not kept.'),
  what: z.enum(EVENTS),
  says: z.string(),
});

const shownSchema = operationSchema.extend({
  code: z.string(),
  identifier: z.object({ kind: z.enum(['phone', 'email']), value: z.string() }),
  customerId: z.string().nullable(),
  recordsFrom: time.describe("Ours is a succeeded record created since then, by AntCRM's clock, …"),
  knownRecords: z.array(z.string()).describe('… and none of these, which were there before.'),
  story: z.array(eventSchema),
});

const filedSchema = z.object({
  status: z.literal('filed').describe('A running bot takes it up within seconds.'),
});

const refusals = {
  400: problemOf('The request is wrong: `faults` lists everything at once.'),
  401: problemOf('The operator token is missing or wrong.'),
  429: problemOf('Too many wrong tokens from this address: see `Retry-After`.'),
  503: problemOf('The store cannot be reached, or the server is stopping: see `Retry-After`.'),
};

const ofOne = {
  ...refusals,
  404: problemOf('There is none of that name: it was settled, or never was.'),
  422: problemOf('It cannot be opened (which keys has this process?), or it is no message.'),
};

const shared = { tags: [OPERATOR_TAG], security: [{ [OPERATOR_SECURITY]: [] }] };
const answering = (schema: z.ZodType, description: string) => ({
  200: { description, content: { 'application/json': { schema } } },
});

const reference = z.object({ reference: z.string().min(1).max(40) });

export const listRoute = {
  ...shared,
  operationId: 'listOperations',
  summary: 'Operations without an outcome, and dead letters',
  response: { ...answering(listSchema, 'Oldest first.'), ...refusals },
};

/** `names`: those of the channels, and `phone`. */
export const findRouteOf = (names: readonly string[]) => ({
  ...shared,
  operationId: 'findCustomer',
  summary: 'The same of one customer',
  description:
    `Whoever writes under an id of a channel, or has a phone. Exactly one of ${names.map((name) => `\`${name}\``).join(', ')}. ` +
    'Neither is written down, or shown in the answer.',
  body: z.partialRecord(z.enum(names), z.string().min(1).max(300)).transform((body, context): Sought => {
    const [[name, value = ''] = ['', ''], ...others] = Object.entries(body);
    const sought = others.length > 0 ? undefined : soughtBy(name, value);
    if (sought !== undefined) return sought;
    context.addIssue({
      code: 'custom',
      message: `Exactly one of ${names.join(', ')}; a phone as people write it`,
    });
    return z.NEVER;
  }),
  response: { ...answering(listSchema, 'Oldest first.'), ...refusals },
});

export const showRoute = {
  ...shared,
  operationId: 'showOperation',
  summary: 'The story of an operation, and what finds it in AntCRM',
  params: reference,
  querystring: z.object({
    reveal: z.enum(['true', 'false']).optional().describe('Phone, e-mail or code in full; that is logged.'),
  }),
  response: { ...answering(shownSchema, 'What is known of it.'), ...ofOne },
};

export const settleRoute = {
  ...shared,
  operationId: 'settleOperation',
  summary: 'Decide an operation: what AntCRM showed',
  description: 'The bot tells the customer. The first decision counts.',
  params: reference,
  body: z.strictObject({ result: z.enum(['done', 'not-applied']) }),
  response: {
    ...answering(filedSchema, 'The decision is filed.'),
    ...ofOne,
    409: problemOf('It was decided before.'),
  },
};

const letter = z.object({ id: z.string().min(1).max(100) });

export const replayRoute = {
  ...shared,
  operationId: 'replayLetter',
  summary: "Hand a dead letter's message in once more",
  params: letter,
  response: { ...answering(filedSchema, 'The message is filed, and the letter gone.'), ...ofOne },
};

export const removeRoute = {
  ...shared,
  operationId: 'removeLetter',
  summary: 'Remove a dead letter that nobody needs any more',
  params: letter,
  response: {
    ...answering(z.object({ id: z.string(), status: z.literal('removed') }), 'The letter is gone.'),
    ...refusals,
    404: problemOf('There is none of that id.'),
  },
};
