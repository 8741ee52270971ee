import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { maybe, nameSchema, refusals, routeOf } from '../channels/staff/schemas.ts';
import { giftStatusSchema } from '../conversation/gift-note.ts';
import { localizedSchema, MAX_PHOTO_BYTES, type PhotoReader } from '../conversation/message.ts';
import type { Guard } from '../http/guard.ts';
import { problem, problemOf } from '../http/problem.ts';
import type { Log } from '../observability/log.ts';
import type { Runtime } from '../runtime.ts';
import { parseGiftCode } from './code.ts';
import type { Gifts } from './gifts.ts';
import { Misses } from './misses.ts';
import type { GiftRecord, HandOver } from './record.ts';

export type GiftRouteOptions = {
  /** Lets only staff pass, people with tokens of their own too. */
  readonly guard: Pick<Guard, 'inbox' | 'speaker' | 'visitorOf'>;
  readonly gifts: Pick<Gifts, 'find' | 'handOver'>;
  readonly photoReader: Pick<PhotoReader, 'read'>;
  readonly runtime: Pick<Runtime, 'monotonicMs'>;
  /** Records who looked at what and handed what over. */
  readonly log: Pick<Log, 'info'>;
};

const time = z.iso.datetime();
const params = z.object({
  code: z
    .string()
    .max(40)
    .describe('As it is typed: blanks and dashes, capitals or not; O is 0, I and L are 1.'),
});
const handedOverSchema = z.object({ by: z.string(), at: time });
const giftSchema = z.object({
  code: z.string(),
  status: giftStatusSchema.describe('Only a `confirmed` one can be handed over.'),
  reference: z.string().describe("The operation's, which the customer was told."),
  at: time.describe('When it was redeemed.'),
  gift: maybe(z.string(), "The gift's code in the operator's list."),
  what: localizedSchema(z.string()).optional(),
  score: maybe(z.number(), 'Points that it cost.'),
  whose: maybe(z.string(), 'The phone or e-mail, masked; absent once it was forgotten.'),
  handedOver: handedOverSchema.optional(),
});

const found = { 200: giftSchema, ...refusals, 404: problemOf('There is no gift of that code.') };
const ROUTES = {
  show: routeOf('showGift', 'The gift of a code that a customer shows', { params, response: found }),
  handOver: routeOf('handOverGift', 'Hand a gift over, once', {
    description: 'Needs nothing of AntCRM: it is the record of what AntCRM confirmed.',
    params,
    body: z.strictObject({ by: nameSchema }),
    response: {
      ...found,
      409: problemOf('`by` and `at` say who did and when; without them it is not confirmed.'),
    },
  }),
  read: routeOf('readGiftCodes', 'The codes of gifts in a photo, JPEG or PNG', {
    response: { 200: z.object({ codes: z.array(z.string()) }), ...refusals },
  }),
};

const UNKNOWN = [404, 'There is no gift of that code. Codes are kept for 180 days.'] as const;
const TOO_MANY = [429, 'Too many codes that do not exist. Wait a minute.'] as const;

/** The staff's routes of gifts. They read the store only, so AntCRM may be down. */
export function giftRoutes({
  guard,
  gifts,
  photoReader,
  runtime,
  log,
}: GiftRouteOptions): FastifyPluginAsync {
  const misses = new Misses(runtime);
  const record = ({ ip: from }: FastifyRequest, does: string, fields: Parameters<Log['info']>[0]) =>
    log.info({ ...fields, from }, `at the counter, staff ${does}`);

  return async (scope) => {
    scope.setValidatorCompiler(validatorCompiler);
    scope.setSerializerCompiler(serializerCompiler);
    scope.addHook('onRequest', guard.inbox);
    scope.addHook('preValidation', guard.speaker);
    scope.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
    scope.addContentTypeParser(
      /^image\/(jpeg|png)$/,
      { parseAs: 'buffer' },
      async (_: unknown, body: Buffer) => body,
    );
    const routes = scope.withTypeProvider<ZodTypeProvider>();

    routes.get('/staff/gifts/:code', { schema: ROUTES.show }, async (request, reply) => {
      const by = guard.visitorOf(request)?.person;
      const guessers = [`address ${request.ip}`, ...(by === undefined ? [] : [`person ${by}`])];
      if (!misses.take(guessers)) return problem(reply, ...TOO_MANY);
      const code = parseGiftCode(request.params.code);
      const shown = code === undefined ? undefined : toGiftView(code, await gifts.find(code));
      const result = shown?.status ?? 'unknown';
      record(request, 'look a gift up', { by, operation: shown?.reference, result });
      if (shown === undefined) return problem(reply, ...UNKNOWN);
      misses.forgive(guessers);
      return reply.send(shown);
    });

    routes.post('/staff/gifts/:code/hand-over', { schema: ROUTES.handOver }, async (request, reply) => {
      const { by } = request.body;
      const guessers = [`address ${request.ip}`, `person ${by}`];
      if (!misses.take(guessers)) return problem(reply, ...TOO_MANY);
      const code = parseGiftCode(request.params.code);
      const handed = code === undefined ? undefined : await gifts.handOver(code, by);
      const shown = code === undefined ? undefined : toGiftView(code, handed?.record ?? null);
      const result = handed?.result ?? 'unknown';
      record(request, 'hand a gift over', { by, operation: shown?.reference, result });
      if (shown === undefined) return problem(reply, ...UNKNOWN);
      misses.forgive(guessers);
      if (result === 'handedOver') return reply.send(shown);
      return problem(reply, 409, { detail: refusalOf(result, shown), ...shown.handedOver, gift: shown });
    });

    const picture = { schema: ROUTES.read, bodyLimit: MAX_PHOTO_BYTES };
    routes.post('/staff/gifts/read', picture, async ({ body }, reply) => {
      const reading = Buffer.isBuffer(body) ? await photoReader.read(body) : undefined;
      const texts = reading?.kind === 'read' ? reading.texts : [];
      return reply.send({ codes: texts.flatMap((text) => parseGiftCode(text) ?? []) });
    });
  };
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
    at: isoOf(atMs),
    whose: whose ?? undefined,
    handedOver: handedOver && { by: handedOver.by, at: isoOf(handedOver.atMs) },
  };
}

function refusalOf(result: HandOver, { status, handedOver }: GiftView): string {
  if (result === 'before') return `${handedOver?.by} handed it over at ${handedOver?.at}.`;
  return status === 'checking'
    ? 'AntCRM has not confirmed the redemption yet: it is being checked.'
    : 'The redemption was not applied.';
}

const isoOf = (ms: number): string => new Date(ms).toISOString();
