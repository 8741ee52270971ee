import { z } from 'zod';
import { parsePhone } from '../conversation/language/phone.ts';
import { problemOf } from '../http/problem.ts';

/*
 * The routes of operators, as the API page describes them, the bot answers them and `npm run operations` asks them.
 */

/** The names that `docs.ts` and the routes agree on. */
export const OPERATOR_TAG = 'operators';
export const OPERATOR_SECURITY = 'operatorToken';

const time = z.iso.datetime();
const conversation = z.string().describe('As logs and the store call it: a keyed hash.');

const operationSchema = z.object({
  reference: z.string().describe('The one that the customer was given.'),
  kind: z.enum(['accumulate', 'redeem']).nullable().describe('null: it cannot be opened.'),
  at: time.describe('When the call was about to be made.'),
  waitsFor: z.enum(['bot', 'staff']).describe('Who finds out next: the bot by its own lookups, or you.'),
  checkedUntil: time,
  channel: z.string().nullable(),
  conversation,
});
export type ListedOperation = z.infer<typeof operationSchema>;

const letterSchema = z.object({
  id: z.string(),
  reason: z.string(),
  holds: z.string().nullable().describe('The kind of the message, or `state`; null: it cannot be opened.'),
  at: time,
  channel: z.string().nullable(),
  conversation,
});
export type ListedLetter = z.infer<typeof letterSchema>;

export const listSchema = z.object({
  conversation: z.string().optional().describe('How the conversation that was looked for is called in logs.'),
  operations: z.array(operationSchema),
  deadLetters: z.array(letterSchema),
});
export type List = z.infer<typeof listSchema>;

const eventSchema = z.object({
  at: time.nullable().describe('For lookups: when it was due. null: that is not kept.'),
  what: z.enum(['intent', 'call', 'turn', 'told', 'lookup', 'settled']),
  says: z.string(),
});
export type Event = z.infer<typeof eventSchema>;

export const shownSchema = operationSchema.extend({
  code: z.string(),
  identifier: z.object({ kind: z.enum(['phone', 'email']), value: z.string() }),
  customerId: z.string().nullable(),
  recordsFrom: time.describe("Ours is a succeeded record created since then, by AntCRM's clock, …"),
  knownRecords: z.array(z.string()).describe('… and none of these, which were there before.'),
  story: z.array(eventSchema),
});
export type Shown = z.infer<typeof shownSchema>;

/** What is left of an operation once an operator has settled it, for 48 h. */
export const settledSchema = operationSchema
  .pick({ reference: true, kind: true, conversation: true })
  .extend({
    settled: z.object({
      at: time,
      result: z.enum(['done', 'not-applied']),
      by: z.string().nullable().describe('Who said that AntCRM showed it; null: nobody was named.'),
    }),
  });
export type Settled = z.infer<typeof settledSchema>;

/** What became of something filed: `filed`, or why it was refused and all left as it was. */
export const filedSchema = z.object({ status: z.enum(['filed', 'removed']) });

/** Why something was not done, as routes answer it and the API page describes it. */
export const REFUSALS = {
  unknown: [404, 'Not Found', 'There is none of that name: it was settled, or never was.'],
  unreadable: [
    422,
    'Unprocessable Content',
    'It cannot be opened (is the key that sealed it STATE_KEY or STATE_KEY_PREVIOUS? did a newer version of the bot write it?), or is no message.',
  ],
  decided: [
    409,
    'Conflict',
    'A decision on it was filed before, and counts. It stays in the list until a running bot has taken that up.',
  ],
} as const;

const refusals = {
  400: problemOf('The request is wrong: `faults` lists everything at once.'),
  401: problemOf('The operator token is missing or wrong.'),
  429: problemOf('Too many wrong tokens from this address: see `Retry-After`.'),
  503: problemOf('The store cannot be reached, or the server is stopping: see `Retry-After`.'),
};
const [, , ABSENT] = REFUSALS.unknown;
const [, , UNREADABLE] = REFUSALS.unreadable;
const ofOne = { ...refusals, 404: problemOf(ABSENT), 422: problemOf(UNREADABLE) };

function routeOf<Schemas extends object>(operationId: string, summary: string, schemas: Schemas) {
  const security = [{ [OPERATOR_SECURITY]: [] }];
  return { tags: [OPERATOR_TAG], security, operationId, summary, ...schemas };
}

const answering = (schema: z.ZodType, description: string) => ({
  200: { description, content: { 'application/json': { schema } } },
});

const by = z.string().trim().min(1).max(100).optional().describe('Who does it, for the record.');
const reference = z.object({
  reference: z.string().trim().toUpperCase().min(1).max(40).describe('However it was typed.'),
});
const letter = z.object({ id: z.string().min(1).max(100) });
const byWhom = z.strictObject({ by }).nullish();

/** The customer that is looked for: by the id that they write under on a channel, or by their phone (E.164). */
export type Sought =
  | { readonly channel: string; readonly id: string }
  | { readonly channel?: undefined; readonly phone: string };

export const PHONE = 'phone';

/** `channels`: those that a customer can be looked for on. */
export function routesOf(channels: readonly string[]) {
  const names = [...channels, PHONE];
  const whom = names.map((name) => `\`${name}\``).join(', ');
  return {
    list: routeOf('listOperations', 'Operations without an outcome, and dead letters', {
      response: { ...answering(listSchema, 'Oldest first.'), ...refusals },
    }),
    find: routeOf('findCustomer', 'The same of one customer', {
      description:
        `Whoever writes under an id of a channel, or has a phone. Exactly one of ${whom}. ` +
        'Neither is written down, or shown in the answer.',
      body: z.partialRecord(z.enum(names), z.string().min(1).max(300)).transform((body, context): Sought => {
        const [[name, value = ''] = ['', ''], ...others] = Object.entries(body);
        const phone = name === PHONE ? parsePhone(value) : undefined;
        if (others.length === 0 && phone?.ok) return { phone: phone.value };
        if (others.length === 0 && value !== '' && !phone) return { channel: name, id: value };
        const message = `Exactly one of ${names.join(', ')}; a phone as people write it`;
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      }),
      response: { ...answering(listSchema, 'Oldest first.'), ...refusals },
    }),
    show: routeOf('showOperation', 'The story of an operation, and what finds it in AntCRM', {
      params: reference,
      querystring: z.object({
        reveal: z
          .enum(['true', 'false'])
          .optional()
          .describe('Phone, e-mail or code in full; that is logged.'),
        by,
      }),
      response: { ...answering(z.union([shownSchema, settledSchema]), 'What is known of it.'), ...ofOne },
    }),
    settle: routeOf('settleOperation', 'Decide an operation: what AntCRM showed', {
      description: 'The bot tells the customer. The first decision counts.',
      params: reference,
      body: z.strictObject({ result: z.enum(['done', 'not-applied']), by }),
      response: {
        ...answering(filedSchema, 'The decision is filed: a running bot takes it up within seconds.'),
        ...ofOne,
        409: problemOf(REFUSALS.decided[2]),
      },
    }),
    replay: routeOf('replayLetter', "Hand a dead letter's message in once more", {
      params: letter,
      body: byWhom,
      response: { ...answering(filedSchema, 'The message is filed, and the letter gone.'), ...ofOne },
    }),
    remove: routeOf('removeLetter', 'Remove a dead letter that nobody needs any more', {
      params: letter,
      body: byWhom,
      response: { ...answering(filedSchema, 'The letter is gone.'), ...ofOne },
    }),
  };
}
