import type { Readable } from 'node:stream';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { giftStatusSchema } from '../conversation/gift-note.ts';
import { localizedSchema, MAX_PHOTO_BYTES, type PhotoReader } from '../conversation/message.ts';
import type { Guard } from '../http/guard.ts';
import { problem, problemOf } from '../http/problem.ts';
import {
  describeRoute,
  guardStaffRoutes,
  isoTime,
  maybe,
  nameSchema,
  refusals,
  toIso,
} from '../http/staff-routes.ts';
import type { Log } from '../observability/log.ts';
import { TokenBuckets } from '../resilience/token-buckets.ts';
import type { Runtime } from '../runtime.ts';
import { parseGiftCode } from './code.ts';
import type { Gifts } from './gifts.ts';
import type { GiftRecord, HandOver } from './record.ts';

export type GiftRouteOptions = {
  /** Lets only staff pass, also people with tokens of their own. */
  readonly guard: Pick<Guard, 'inbox' | 'speaker' | 'visitorOf'>;
  readonly gifts: Pick<Gifts, 'find' | 'handOver'>;
  readonly photoReader: Pick<PhotoReader, 'read'>;
  readonly runtime: Pick<Runtime, 'monotonicMs'>;
  /** Records who looked at what and handed what over. */
  readonly log: Pick<Log, 'info'>;
};

const params = z.object({
  code: z
    .string()
    .max(40)
    .describe('As people type it: blanks, dashes and small letters do not matter; O is 0, I and L are 1.'),
});
const handedOverSchema = z.object({ by: z.string(), at: isoTime });
const giftSchema = z.object({
  code: z.string(),
  status: giftStatusSchema.describe('Only a `confirmed` one can be handed over.'),
  reference: z.string().describe('The reference of the operation, which the customer knows.'),
  at: isoTime.describe('When it was redeemed.'),
  gift: maybe(z.string(), "The gift's code in the operator's list."),
  what: localizedSchema(z.string()).optional(),
  score: maybe(z.number(), 'The points that it cost.'),
  whose: maybe(z.string(), "The customer's phone or e-mail, masked; absent after /forget."),
  handedOver: handedOverSchema.optional(),
});

const answers = { 200: giftSchema, ...refusals, 404: problemOf('There is no gift with that code.') };
const ROUTES = {
  show: describeRoute('showGift', 'The gift of a code that a customer shows', { params, response: answers }),
  handOver: describeRoute('handOverGift', 'Hand a gift over, once', {
    description: 'AntCRM is not asked: the record says what it confirmed.',
    params,
    body: z.strictObject({ by: nameSchema }),
    response: {
      ...answers,
      409: problemOf('`by` and `at`: who handed it over before, and when. Without them it is not confirmed.'),
    },
  }),
  read: describeRoute('readGiftCodes', 'The codes of gifts in a photo, JPEG or PNG', {
    response: { 200: z.object({ codes: z.array(z.string()) }), ...refusals },
  }),
};

/** Wrong codes: thirty at once, then thirty a minute. A right code always passes. */
const MISSES = { burst: 30, perSecond: 0.5 };
const UNKNOWN = [404, 'There is no gift with that code. Codes are kept for 180 days.'] as const;
const TOO_MANY = [429, 'Too many codes that do not exist. Wait a minute.'] as const;

const BUSY = [503, 'Another picture of yours is being read. Try again.'] as const;

/** The routes of gifts for staff. They read only the store, so they work while AntCRM is down. */
export function giftRoutes({
  guard,
  gifts,
  photoReader,
  runtime,
  log,
}: GiftRouteOptions): FastifyPluginAsync {
  const misses = new TokenBuckets({ ...MISSES, runtime });
  /** A wrong code. Each person is counted alone, and so is each address with the token of all. */
  const refuseCode = (request: FastifyRequest, reply: FastifyReply) => {
    const person = guard.visitorOf(request)?.person;
    const guesser = person === undefined ? `address ${request.ip}` : `person ${person}`;
    const [status, detail] = misses.of(guesser).take() ? UNKNOWN : TOO_MANY;
    return problem(reply, status, detail);
  };
  const audit = ({ ip: from }: FastifyRequest, action: string, fields: Parameters<Log['info']>[0]) =>
    log.info({ ...fields, from }, `at the counter, staff ${action}`);

  return async (scope) => {
    const routes = guardStaffRoutes(scope, guard);
    scope.addContentTypeParser(/^image\/(jpeg|png)$/, async ({ headers }: FastifyRequest, body: Readable) =>
      readPicture(body, Number(headers['content-length'] ?? MAX_PHOTO_BYTES)),
    );

    routes.get('/staff/gifts/:code', { schema: ROUTES.show }, async (request, reply) => {
      const by = guard.visitorOf(request)?.person;
      const code = parseGiftCode(request.params.code);
      const shown = code === undefined ? undefined : toGiftView(code, await gifts.find(code));
      const result = shown?.status ?? 'unknown';
      audit(request, 'look a gift up', { by, operation: shown?.reference, result });
      return shown === undefined ? refuseCode(request, reply) : reply.send(shown);
    });

    routes.post('/staff/gifts/:code/hand-over', { schema: ROUTES.handOver }, async (request, reply) => {
      const { by } = request.body;
      const code = parseGiftCode(request.params.code);
      const handed = code === undefined ? undefined : await gifts.handOver(code, by);
      const shown = code === undefined ? undefined : toGiftView(code, handed?.record ?? null);
      const result = handed?.result ?? 'unknown';
      audit(request, 'hand a gift over', { by, operation: shown?.reference, result });
      if (shown === undefined) return refuseCode(request, reply);
      if (result === 'handedOver') return reply.send(shown);
      return problem(reply, 409, { detail: refusalOf(result, shown), ...shown.handedOver, gift: shown });
    });

    const picture = { schema: ROUTES.read, bodyLimit: MAX_PHOTO_BYTES };
    routes.post('/staff/gifts/read', picture, async (request, reply) => {
      const { body } = request;
      // Those who share the token of all are told apart by nothing.
      const owner = guard.visitorOf(request)?.person ?? request.id;
      const reading = body instanceof Uint8Array ? await photoReader.read(body, owner) : undefined;
      if (reading?.kind === 'unavailable') return problem(reply, ...BUSY);
      const texts = reading?.kind === 'read' ? reading.texts : [];
      return reply.send({ codes: texts.flatMap((text) => parseGiftCode(text) ?? []) });
    });
  };
}

/** A picture of at most that many bytes, each of which is in memory once. */
async function readPicture(body: Readable, length: number): Promise<Uint8Array> {
  const tooLarge = Object.assign(new Error('A picture has at most 10 MB.'), { statusCode: 413 });
  if (!(length <= MAX_PHOTO_BYTES)) throw tooLarge;
  const bytes = new Uint8Array(length);
  let count = 0;
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array) || count + chunk.length > length) throw tooLarge;
    bytes.set(chunk, count);
    count += chunk.length;
  }
  return count === length ? bytes : bytes.slice(0, count);
}

type GiftView = z.infer<typeof giftSchema>;

/** Undefined: nothing was redeemed under that code. */
function toGiftView(code: string, record: GiftRecord | null): GiftView | undefined {
  const { redemption, whose, handedOver } = record ?? {};
  if (redemption === undefined) return undefined;
  const { atMs, ...others } = redemption;
  return {
    code,
    ...others,
    at: toIso(atMs),
    whose: whose ?? undefined,
    handedOver: handedOver && { by: handedOver.by, at: toIso(handedOver.atMs) },
  };
}

function refusalOf(result: HandOver, { status, handedOver }: GiftView): string {
  if (result === 'before') return `${handedOver?.by} handed it over at ${handedOver?.at}.`;
  return status === 'checking'
    ? 'AntCRM has not confirmed the redemption yet: it is being checked.'
    : 'The redemption was not applied.';
}
