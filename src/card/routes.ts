import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Identifier } from '../conversation/effect.ts';
import { REASONS, type State, type Ticket } from '../conversation/state.ts';
import type { Guard } from '../http/guard.ts';
import { problem, problemOf } from '../http/problem.ts';
import {
  cleanText,
  describeRoute,
  guardStaffRoutes,
  isoTime,
  maybe,
  nameSchema,
  refusals,
  ticketParams,
  toIso,
} from '../http/staff-routes.ts';
import type { ReadForStaff } from '../loyalty/loyalty.ts';
import type { Log } from '../observability/log.ts';
import type { Tickets } from '../operators/tickets.ts';
import { TokenBuckets } from '../resilience/token-buckets.ts';
import type { Runtime } from '../runtime.ts';
import type { Encryption } from '../store/port.ts';
import {
  findIdentifiers,
  type Holdings,
  type KnownIdentifier,
  maskIdentifier,
  readHoldings,
  showIdentifier,
  UNREAD,
} from './customer.ts';

/*
 * The card of a ticket's customer. An identifier without proof may be anybody's, so AntCRM is asked about it
 * only for a reason. Colleagues see the reason, and the log says who asked.
 */

export type CardRouteOptions = {
  readonly guard: Pick<Guard, 'inbox' | 'speaker' | 'visitorOf'>;
  readonly tickets: Pick<Tickets, 'conversationOf' | 'file'>;
  /** Reads of AntCRM. */
  readonly read: ReadForStaff;
  readonly encryption: Pick<Encryption, 'name'>;
  readonly runtime: Pick<Runtime, 'timer' | 'monotonicMs'>;
  /** Records who looked at whose card. */
  readonly log: Pick<Log, 'info'>;
};

/** The limit for cards without proof: of each staff member (else each address), in a process. */
const UNPROVED = { burst: 10, perSecond: 1 / 60 };
/** A reason is a few words. */
const REASON = { min: 5, max: 200 };

const identifierId = z.string().min(1).max(64);
const recordSchema = z.object({
  at: maybe(isoTime, 'When it was created; AntCRM may not say it.'),
  what: maybe(z.string(), 'The product or gift.'),
  code: z.string().optional(),
  score: maybe(z.number(), 'Points.'),
  failed: z.boolean().describe('AntCRM lists failed attempts, too.'),
});
const cardSchema = z.object({
  identifiers: z
    .array(
      z.object({
        id: identifierId.describe('Its name in `of`.'),
        kind: z.enum(['phone', 'email']),
        value: z.string().describe('Masked, unless it is proved or read for a reason.'),
        proved: z.boolean().describe("false: the customer typed it, and it may be anybody's."),
      }),
    )
    .describe('Proved ones first, then typed ones, the newest first.'),
  of: maybe(identifierId, 'The identifier that AntCRM was asked about.'),
  needsReason: z.boolean().describe('No identifier is proved: POST with a reason asks AntCRM.'),
  antcrm: z
    .enum(['ok', 'slow', 'unreachable', 'unread'])
    .describe('`unread`: AntCRM was not asked. `slow`, `unreachable`: a part of the card is missing.'),
  points: maybe(z.number().nullable(), 'null: AntCRM does not know this customer.'),
  rank: z.string().optional(),
  rankPoints: z.number().optional(),
  earned: maybe(z.array(recordSchema), 'The last ten.'),
  redeemed: maybe(z.array(recordSchema), 'The last ten.'),
  tickets: z
    .array(
      z.object({
        id: z.string(),
        reason: z.enum(REASONS),
        openedAt: isoTime,
        state: z.enum(['open', 'closed']),
        answeredBy: z.array(z.string()),
      }),
    )
    .describe("The conversation's other tickets, the newest first."),
});
type Card = z.infer<typeof cardSchema>;

const reasonSchema = z.strictObject({
  reason: z
    .string()
    .transform(cleanText)
    .pipe(
      z
        .string()
        .trim()
        .min(REASON.min, `Wants at least ${REASON.min} characters`)
        .max(REASON.max, `Wants at most ${REASON.max} characters`),
    )
    .describe('Why staff must see it. Colleagues read it as a note of the ticket.'),
  of: maybe(identifierId, 'One of `identifiers`; by default the first that is not proved.'),
  by: maybe(nameSchema, 'The staff member who asks. With the token of a person it is that person.'),
});

const answers = { 200: cardSchema, ...refusals, 404: problemOf('There is no such ticket or identifier.') };
const ROUTES = {
  show: describeRoute('showCustomer', "The ticket's customer: points, histories, earlier tickets", {
    description: 'AntCRM is asked only if an identifier is proved. Each look is audited.',
    params: ticketParams,
    querystring: z.object({
      of: maybe(identifierId, 'A proved one of `identifiers`; by default the first.'),
    }),
    response: { ...answers, 409: problemOf('It is not proved: POST with a reason shows it.') },
  }),
  reveal: describeRoute('revealCustomer', 'The same for an identifier that is not proved, with a reason', {
    description: 'The reason becomes a note of the ticket before AntCRM is asked.',
    params: ticketParams,
    body: reasonSchema,
    response: { ...answers, 409: problemOf('The ticket is closed, or it is proved and needs no reason.') },
  }),
};

const NO_TICKET = [404, 'There is no ticket with that id.'] as const;
const NO_IDENTIFIER = [404, 'The customer has no such phone or e-mail.'] as const;
const WANTS_REASON = [409, 'It is not proved: POST with a reason shows it.'] as const;
const NO_REASON = [409, 'It is proved: GET shows it without a reason.'] as const;
const CLOSED = [409, 'The ticket is closed: identifiers without proof stay masked.'] as const;
const TOO_MANY = [429, 'Too many cards without proof. Wait a minute.'] as const;

/** An identifier and its name in requests: a keyed hash, which does not change when others are added. */
type NamedIdentifier = KnownIdentifier & { readonly id: string };

/** The routes of a customer's card. They only read AntCRM. */
export function cardRoutes(options: CardRouteOptions): FastifyPluginAsync {
  const { guard, tickets, runtime, log } = options;
  const reveals = new TokenBuckets({ ...UNPROVED, runtime });
  const audit = (request: FastifyRequest, fields: Parameters<Log['info']>[0]) =>
    log.info({ ...fields, from: request.ip }, 'staff open the card of a customer');

  return async (scope) => {
    const routes = guardStaffRoutes(scope, guard);
    const quiet = { exposeHeadRoute: false };

    routes.get('/staff/tickets/:id/customer', { schema: ROUTES.show, ...quiet }, async (request, reply) => {
      const { of } = request.query;
      const customer = await findCustomer(request.params.id, options);
      if (!customer) return problem(reply, ...NO_TICKET);
      const { ticket, identifiers } = customer;
      const chosen = identifiers.find(({ id, proved }) => (of === undefined ? proved : id === of));
      if (of !== undefined && !chosen) return problem(reply, ...NO_IDENTIFIER);
      if (chosen?.proved === false) return problem(reply, ...WANTS_REASON);
      const by = guard.visitorOf(request)?.person;
      audit(request, { ticket: ticket.id, by, customer: chosen?.id, proved: chosen && true });
      return reply.send(toCard(customer, chosen ? await readHoldings(chosen, options) : UNREAD, chosen));
    });

    routes.post('/staff/tickets/:id/customer', { schema: ROUTES.reveal }, async (request, reply) => {
      const { reason, of, by = 'Staff' } = request.body;
      const customer = await findCustomer(request.params.id, options);
      if (!customer) return problem(reply, ...NO_TICKET);
      const { ticket, identifiers } = customer;
      const chosen = identifiers.find(({ id, proved }) => (of === undefined ? !proved : id === of));
      if (!chosen) return problem(reply, ...NO_IDENTIFIER);
      if (chosen.proved) return problem(reply, ...NO_REASON);
      const person = guard.visitorOf(request)?.person;
      const visitor = person === undefined ? `address ${request.ip}` : `person ${person}`;
      if (!reveals.of(visitor).take()) return problem(reply, ...TOO_MANY);
      // The reason goes into the ticket, because the log never has words of people.
      const text = `🔓 ${maskIdentifier(chosen)}: ${reason}`;
      if ((await tickets.file(ticket.id, { by, text, inner: true })) !== 'filed')
        return problem(reply, ...CLOSED);
      audit(request, { ticket: ticket.id, by, customer: chosen.id, proved: false });
      return reply.send(toCard(customer, await readHoldings(chosen, options), chosen));
    });
  };
}

type FoundCustomer = {
  readonly state: State;
  readonly ticket: Ticket;
  readonly identifiers: readonly NamedIdentifier[];
};

async function findCustomer(
  id: string,
  { tickets, encryption }: Pick<CardRouteOptions, 'tickets' | 'encryption'>,
): Promise<FoundCustomer | null> {
  const state = (await tickets.conversationOf(id))?.state;
  const ticket = state?.tickets?.find((opened) => opened.id === id);
  if (!state || !ticket) return null;
  const nameOf = ({ kind, value }: Identifier) => encryption.name('customer', `${kind}\0${value}`);
  const identifiers = findIdentifiers(state, ticket).map((identifier) => ({
    ...identifier,
    id: nameOf(identifier),
  }));
  return { state, ticket, identifiers };
}

function toCard(
  { state, ticket, identifiers }: FoundCustomer,
  { earned, redeemed, ...points }: Holdings,
  of: NamedIdentifier | undefined,
): Card {
  const others = (state.tickets ?? []).filter(({ id }) => id !== ticket.id);
  return {
    ...points,
    identifiers: identifiers.map((identifier) => {
      const { id, kind, proved } = identifier;
      const isShown = proved || id === of?.id;
      return { id, kind, proved, value: isShown ? showIdentifier(identifier) : maskIdentifier(identifier) };
    }),
    of: of?.id,
    needsReason: of === undefined && identifiers.length > 0,
    earned: earned?.map(toRecordView),
    redeemed: redeemed?.map(toRecordView),
    tickets: others.toReversed().map(toTicketLine),
  };
}

function toRecordView({ atMs, what, code, score, failed }: NonNullable<Holdings['earned']>[number]) {
  return { at: atMs === undefined ? undefined : toIso(atMs), what, code, score, failed };
}

function toTicketLine({ id, reason, openedMs, closed, notes }: Ticket): Card['tickets'][number] {
  const names = notes.flatMap(({ by, inner }) => (by === undefined || inner ? [] : by));
  const state = closed ? 'closed' : 'open';
  return { id, reason, openedAt: toIso(openedMs), state, answeredBy: [...new Set(names)] };
}
