import { createHash } from 'node:crypto';
import { z } from 'zod';
import * as teams from '../../src/channels/teams/address.ts';
import * as telegram from '../../src/channels/telegram/update.ts';
import { intentSchema as callSchema, conclusionSchema } from '../../src/conversation/effect.ts';
import { identitySchema, stateSchema } from '../../src/conversation/state.ts';
import { incomingSchema, intentSchema, outboxItemSchema, storedSchema } from '../../src/engine/messages.ts';

/** Everything that is sealed and stored, by a name for people. */
const stored = {
  state: stateSchema,
  'state, what turns keep with it': storedSchema,
  message: incomingSchema,
  'reply or unlock': outboxItemSchema,
  intent: intentSchema,
  'intent, what the call needs': callSchema,
  'intent, how the call ended': conclusionSchema,
  'none, slots': identitySchema,
  'Telegram, address': telegram.addressSchema,
  'Telegram, press': telegram.pressSchema,
  'Teams, address': teams.addressSchema,
  'Teams, press': teams.pressSchema,
} satisfies Record<string, z.ZodType>;

export function shapes(): Record<string, string> {
  const hashes = Object.entries(stored).map(([name, schema]) => [
    name,
    hash(z.toJSONSchema(schema, { unrepresentable: 'any' })),
  ]);
  return Object.fromEntries(hashes);
}

function hash(value: unknown): string {
  const sorted = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
  return createHash('sha256').update(sorted).digest('hex').slice(0, 16);
}
