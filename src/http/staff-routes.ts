import type { FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { API_SECURITY, API_TAG } from './docs.ts';
import type { Guard } from './guard.ts';
import { MAX_STAFF_NAME, removeInvisible } from './people.ts';
import { problemOf } from './problem.ts';

/* What all routes for staff share: their guards, their descriptions, and the schemas of common fields. */

/**
 * Lets only staff use the routes of this scope. A person of STAFF_PEOPLE uses them under their own name. No
 * answer is cached. Returns the scope, typed by the schemas of its routes.
 */
export function guardStaffRoutes(scope: FastifyInstance, guard: Pick<Guard, 'inbox' | 'speaker'>) {
  scope.setValidatorCompiler(validatorCompiler);
  scope.setSerializerCompiler(serializerCompiler);
  scope.addHook('onRequest', guard.inbox);
  scope.addHook('preValidation', guard.speaker);
  scope.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
  return scope.withTypeProvider<ZodTypeProvider>();
}

/** A route for staff, as the API page shows it. */
export function describeRoute<Schemas extends object>(
  operationId: string,
  summary: string,
  schemas: Schemas,
) {
  return { tags: [API_TAG], security: [{ [API_SECURITY]: [] }], operationId, summary, ...schemas };
}

/** The refusals of all routes for staff. */
export const refusals = {
  400: problemOf('The request is wrong: `faults` lists everything at once.'),
  401: problemOf('The staff token is missing or wrong.'),
  403: problemOf("A person's token opens only the inbox, and nobody else may use that person's name."),
  404: problemOf('Staff access is off, or not allowed from this address.'),
  429: problemOf('Too many requests from this address, or too many messages of this conversation.'),
  503: problemOf('The store cannot be reached, or the server is stopping.'),
};

/** The response of a route with server-sent events. */
export const streamed = {
  200: { description: 'The events.', content: { 'text/event-stream': { schema: z.string() } } },
  ...refusals,
};

/** An optional field, with its description for the API page. */
export const maybe = <T extends z.ZodType>(schema: T, description: string) =>
  schema.optional().describe(description);

/** A time in an answer, as `toIso` writes it. */
export const isoTime = z.iso.datetime();
export const toIso = (ms: number): string => new Date(ms).toISOString();

/** The path of a ticket's routes. */
export const ticketParams = z.object({ id: z.string().trim().toUpperCase().min(1).max(40) });

/** The name of a staff member, as they write it themselves, without invisible characters. */
export const nameSchema = z
  .string()
  .trim()
  .max(MAX_STAFF_NAME, `Wants at most ${MAX_STAFF_NAME} characters`)
  .refine((name) => removeInvisible(name) !== '', 'Wants a name')
  .transform((name) => removeInvisible(name).toWellFormed());

/** A text of staff, without control characters. */
export const cleanText = (text: string): string => text.replace(/[^\P{Cc}\n\t]/gu, '').toWellFormed();
