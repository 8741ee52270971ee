import { createHash } from 'node:crypto';
import { z } from 'zod';
import * as teams from '../../src/channels/teams/address.ts';
import * as telegram from '../../src/channels/telegram/address.ts';
import { identitySchema, stateSchema } from '../../src/conversation/state.ts';
import { intentSchema as callSchema } from '../../src/loyalty/journal.ts';
import { intentSchema, outboxItemSchema, storedSchema } from '../../src/store/bodies.ts';
import { incomingSchema } from '../../src/store/messages.ts';
import { lengthen } from '../../src/store/shorthand.ts';

/** Everything that is sealed and stored, by a name for people. */
const stored = {
  state: stateSchema,
  'state, what turns keep with it': storedSchema,
  message: incomingSchema,
  'reply or unlock': outboxItemSchema,
  intent: intentSchema,
  'intent, what the call needs': callSchema,
  'none, slots': identitySchema,
  'Telegram, address': telegram.addressSchema,
  'Telegram, press': telegram.pressSchema,
  'Teams, address': teams.addressSchema,
  'Teams, press': teams.pressSchema,
} satisfies Record<string, z.ZodType>;

/** A hash of each stored shape, and of the phrases that stand for parts of a stored state. */
export function shapes(): Record<string, string> {
  const hashes = Object.entries(stored).map(([name, schema]) => [
    name,
    hash(z.toJSONSchema(schema, { unrepresentable: 'any' })),
  ]);
  const phrases = Array.from({ length: 31 }, (_, at) => lengthen(String.fromCharCode(at + 1)));
  return { ...Object.fromEntries(hashes), 'shorthand, phrases': hash(phrases) };
}

/** The same for any order of keys. */
function hash(value: unknown): string {
  const sorted = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
  return createHash('sha256').update(sorted).digest('hex').slice(0, 16);
}
