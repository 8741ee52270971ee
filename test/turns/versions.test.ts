import { expect, test, vi } from 'vitest';
import type { ConversationState } from '../../src/conversation/state.ts';
import { VERSION } from '../../src/conversation/upgrades.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { conversationName } from '../../src/store/messages.ts';
import type { Conversation } from '../../src/turns/steps.ts';
import { newState, readState, step } from '../support/conversation.ts';
import { SETTINGS } from '../support/dialogue.ts';
import { createWorld, incoming, type World } from './kit.ts';

const real: Conversation = { step, readState, newState, settings: SETTINGS };
const keys = ({ sent }: World): string[] => sent.map(({ outgoing }) => outgoing.reply.key);

const origin = {
  ...{ channel: 'test', conversation: 'c1', address: { chat: 1 } },
  sender: { channel: 'test', proof: 'contact' },
};
const phone = { value: '+84867123456', proved: true };

/** A conversation with this state, as version `v` would have stored it. */
async function stored(world: World, state: object, v = VERSION) {
  const { seal, memory } = world;
  const name = conversationName(seal, 'test', 'c1');
  const store = createMemoryStore({ schema: v }, memory);
  const text = (body: object): string => JSON.stringify({ ...body, v });
  const body = seal.seal(`message:${name}`, text(incoming('hello')));
  const accepted = await store.accept({ conversation: name, id: 'm', body, nonce: 'n', take: true });
  if (accepted.kind !== 'leased') throw new Error(accepted.kind);
  const { work } = accepted;
  await store.commit(work, {
    version: work.version,
    state: seal.seal(`state:${name}`, text({ state, origin, wakeAtMs: null })),
    outbox: [],
    consumed: work.head?.seq ?? null,
    wakeAtMs: null,
    settled: [],
  });
  await store.release(work, 0, { afterMs: 0 });
  return { store, name };
}

const idle = (nowMs: number): object => ({
  lastMessageMs: nowMs,
  step: { at: 'idle' },
  draft: {},
  operations: [],
});

const unknown = (nowMs: number): object => ({
  ...idle(nowMs),
  step: { at: 'asking', flow: 'tier', slot: 'year', tries: 0 },
  draft: { year: 2026 },
  profile: { phone },
  operations: [{ id: 'OP1', kind: 'redeem', status: 'escalated', atMs: nowMs, checks: 5 }],
});

test('a flow that this process does not know is left to one that knows it', async () => {
  const world = createWorld();
  await stored(world, unknown(Date.now()));
  const engine = world.engine({ conversation: real });
  const leases = vi.spyOn(world.store, 'release');
  await engine.accept(incoming('this year'));
  await expect.poll(() => leases).toHaveBeenCalled();
  await leases.mock.results[0]?.value;
  await engine.stop();

  world.advance(3000);
  const known: Conversation = {
    ...real,
    readState: (): ConversationState => ({ ...newState(Date.now()), profile: { phone } }),
    step: (state) => ({ state, replies: [{ key: 'tier.year' }] }),
  };
  world.engine({ conversation: known });
  await expect.poll(() => keys(world)).toEqual(['tier.year']);
  expect(world.turns).toEqual(['done']);
});

test('a flow that nobody knows ends after a minute, and with it nothing else', async () => {
  const world = createWorld();
  await stored(world, unknown(Date.now()));
  const startMs = world.memory.now();
  const engine = world.engine({ conversation: real }, { attempts: 1 });
  await engine.accept(incoming('this year'));
  await world.quiet(1500);

  expect(keys(world)).toEqual(['conversation.expired', 'unsure']);
  expect(world.turns).toEqual(['done']);
  expect(world.alarms).toEqual([]);
  const leftForMs = (world.sent[0]?.outgoing.atMs ?? 0) - startMs;
  expect(leftForMs).toBeGreaterThanOrEqual(60_000);
  expect(leftForMs).toBeLessThan(75_000);
  await engine.accept(incoming('/privacy'));
  await expect.poll(() => keys(world)).toContain('privacy.text');
  const told = world.sent.at(-1)?.outgoing.reply.lines?.map(({ key }) => key);
  expect(told).toEqual(expect.arrayContaining(['summary.phone', 'privacy.operation']));
});

test('what a newer version wrote is never taken for broken', async () => {
  const world = createWorld();
  const { name } = await stored(world, { of: 'the future' }, VERSION + 1);
  const box = world.memory.boxes.get(name);
  // As if an older process had lowered it.
  if (box) box.schema = VERSION;
  const engine = world.engine({ conversation: real });
  const leases = vi.spyOn(world.store, 'release');
  await engine.accept(incoming('hello'));
  await expect.poll(() => leases).toHaveBeenCalled();
  await engine.stop();
  expect(world.sent).toEqual([]);
  expect(world.alarms).toEqual([]);
  expect(box?.queue).toHaveLength(1);
});
