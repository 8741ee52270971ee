import { rmSync, writeFileSync } from 'node:fs';
import * as teams from '../../src/channels/teams/address.ts';
import * as telegram from '../../src/channels/telegram/update.ts';
import { intentSchema as callSchema } from '../../src/conversation/effect.ts';
import { stateSchema, VERSION } from '../../src/conversation/state.ts';
import {
  incomingSchema,
  intentSchema,
  outboxItemSchema,
  readIntent,
  readMessage,
  readOutboxItem,
  readStored,
  storedSchema,
  withVersion,
} from '../../src/engine/messages.ts';
import { completeValues } from './complete.ts';
import { readState } from './conversation.ts';
import { readStoredSamples, type StoredSample } from './samples.ts';
import { shapes } from './shapes.ts';

export const SAMPLE_KINDS = ['states', 'bodies'] as const;
export type SampleKind = (typeof SAMPLE_KINDS)[number];

/** A sample of any version, as this version stores the same. */
export function rewritten(name: string, body: unknown): object {
  if (/^(message|letter-message)/.test(name)) return withVersion(readMessage(body));
  if (/^(reply|unlock|gift)/.test(name)) return withVersion(readOutboxItem(body));
  if (name.startsWith('intent')) return withVersion(readIntent(body));
  return withVersion(readStored(JSON.stringify(body), readState));
}

/** What this version stores: the samples of the version before, and bodies that have every field there is. */
export function currentSamples(kind: SampleKind): StoredSample[] {
  const before = [...readStoredSamples(kind, VERSION - 1)]
    .filter(([name]) => !name.includes('-complete-'))
    .map(([name, body]) => ({ name, body: rewritten(name, body) }));
  return [...before, ...(kind === 'states' ? completeStates() : completeBodies())];
}

function completeStates(): StoredSample[] {
  const states = completeValues(stateSchema);
  const [origin, ...others] = completeValues(storedSchema).map((stored) => Object(stored));
  return [
    ...states.map((state) => ({ ...origin, state })),
    ...others.map((stored) => ({ ...stored, state: states[0] })),
  ].map((body, at) => ({ name: `state-complete-${at + 1}`, body: withVersion(body) }));
}

function completeBodies(): StoredSample[] {
  // Each channel has an address and a press of its own.
  const places = [telegram, teams].map(({ addressSchema, pressSchema }) => ({
    address: completeValues(addressSchema)[0],
    press: completeValues(pressSchema)[0],
  }));
  const messages = completeValues(incomingSchema).map((incoming, at) => ({
    name: `message-complete-${at + 1}`,
    body: withVersion({ ...Object(incoming), ...places[at % places.length] }),
  }));
  const items = outboxItemSchema.array().parse(completeValues(outboxItemSchema));
  const intents = completeValues(intentSchema).map((intent) => ({
    ...Object(intent),
    body: completeValues(callSchema)[0],
  }));
  return [
    ...messages,
    ...items.map((item, at) => ({ name: `${item.kind}-complete-${at + 1}`, body: withVersion(item) })),
    ...intents.map((intent, at) => ({ name: `intent-complete-${at + 1}`, body: withVersion(intent) })),
  ];
}

/*
 * `node test/support/freeze.ts` writes the samples of this version, `test/states/<version>.jsonl` and
 * `test/bodies/<version>.jsonl`, with the hashes of its shapes. Once a release has stored this version, they
 * are never written again: raise `VERSION` first (docs/recipes/stored.md).
 */
if (import.meta.main) {
  for (const kind of SAMPLE_KINDS) {
    const lines = currentSamples(kind).map((sample) => `${JSON.stringify(sample)}\n`);
    writeFileSync(new URL(`../${kind}/${VERSION}.jsonl`, import.meta.url), lines.join(''));
  }
  rmSync(new URL(`../bodies/${VERSION - 1}-shapes.json`, import.meta.url), { force: true });
  const shapesFile = new URL(`../bodies/${VERSION}-shapes.json`, import.meta.url);
  writeFileSync(shapesFile, `${JSON.stringify(shapes(), null, 2)}\n`);
}
