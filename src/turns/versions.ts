import { z } from 'zod';
import { type Upgrades, upgrade, VERSION } from '../conversation/upgrades.ts';

/** The bodies of this version do not say theirs. */
const UNSAID = 2;
const said = z.looseObject({ v: z.int().min(UNSAID).default(UNSAID) });

/** A body as it is stored: `{ …, v }`. */
export const marked = (body: object): object => ({ ...body, v: VERSION });

/** A stored body, as this version would have written it, and the version that did. Throws `NewerVersion`. */
export function upgraded(stored: unknown, upgrades: Upgrades): { body: unknown; version: number } {
  const { v: version, ...body } = said.parse(stored);
  return { body: upgrade(body, version, upgrades), version };
}
