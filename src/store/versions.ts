import { z } from 'zod';
import { type Upgrades, upgrade, VERSION } from '../conversation/upgrades.ts';

const versionSchema = z.int().min(VERSION);
const isBody = (stored: unknown): stored is { readonly v?: unknown } =>
  typeof stored === 'object' && stored !== null;

/** A body as it is stored: `{ …, v }`. */
export const marked = (body: object): object => ({ ...body, v: VERSION });

/** A stored body, as this version would have written it, and the version that did. Throws `NewerVersion`. */
export function upgraded(stored: unknown, upgrades: Upgrades): { body: unknown; version: number } {
  if (!isBody(stored)) throw new TypeError('a stored body is an object');
  const { v, ...body } = stored;
  const version = v === VERSION ? VERSION : versionSchema.parse(v);
  return { body: upgrade(body, version, upgrades), version };
}
