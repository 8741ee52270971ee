import { z } from 'zod';
import type { Customer } from './customers.ts';
import type { Entry } from './entry.ts';
import type { Balance } from './ledger.ts';

/*
 * Requests and answers in the shapes of docs/antcrm.md.
 */

const ORG = '62c10674cbe832bc9245a5b8';
const PAGE = 20;

const addresses = z.array(z.object({ type: z.string().optional(), value: z.string().min(1) })).default([]);

export const accumulateSchema = z.object({
  code: z.string().min(1),
  data: z.object({ emails: addresses, name: z.string().optional(), phones: addresses }),
});

/** Flat strings, unlike an accumulation. */
export const redeemSchema = z.object({
  code: z.string().min(1),
  data: z.object({ email: z.string().optional(), phone: z.string().optional() }),
});

const page = z.coerce.number().int().min(1).default(1);
const sought = { phone: z.string().min(1).optional(), email: z.string().min(1).optional(), page };

export const historySchema = z.object({
  type: z.literal('point').optional(),
  createdAtRangeFrom: z.coerce.number().optional(),
  createdAtRangeTo: z.coerce.number().optional(),
  ...sought,
});

export const contactsSchema = z.object({
  contactType: z.literal('customer'),
  limit: z.coerce.number().int().min(1).max(100).default(PAGE),
  ...sought,
});

export const pageOf = <T>(all: readonly T[], number: number, size = PAGE): T[] =>
  all.slice((number - 1) * size, number * size);

export const recordJson = ({ visibleAt: _, person, product, ...entry }: Entry) => ({
  ...entry,
  product: product && { code: product.code, name: product.name, id: product.id },
  contact: person.card,
  org: ORG,
});

export const contactJson = ({ card }: Customer, { available, earned }: Balance) => ({
  ...card,
  contactType: 'customer',
  scoreAvailable: available,
  scoreRank: earned,
  rankName: rankOf(earned),
  org: ORG,
});

function rankOf(points: number): string {
  if (points >= 5000) return 'Vàng';
  return points >= 1000 ? 'Bạc' : 'Đồng';
}
