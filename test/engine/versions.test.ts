import { expect, test } from 'vitest';
import { VERSION } from '../../src/conversation/state.ts';
import type { ConversationPort } from '../../src/engine/turn.ts';
import { newState, readState, step } from '../support/conversation.ts';
import { SETTINGS } from '../support/dialogue.ts';
import { createWorld, incoming, type World } from './bot.ts';

const real: ConversationPort = { step, readState, newState, settings: SETTINGS };
const keys = ({ sent }: World): string[] => sent.map(({ outgoing }) => outgoing.reply.key);

const origin = {
  ...{ channel: 'test', conversation: 'c1', address: { chat: 1 } },
  sender: { channel: 'test', proof: 'contact' },
};
const phone = { value: '+84867123456', proved: true };

/** A conversation with this state, as version `v` would have stored it. */
async function stored(world: World, state: object, v: number = VERSION) {
  await world.file(incoming('hello'));
  await world.rewrite((record) => ({
    ...record,
    schema: v,
    inbox: [],
    state: JSON.stringify({ state, origin, v }),
  }));
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

test('a flow that nobody knows ends after a minute, and with it nothing else', async () => {
  const world = createWorld();
  await stored(world, unknown(Date.now()));
  const startMs = world.outside.nowMs();
  const engine = world.engine({ conversation: real }, { attempts: 1 });
  await engine.accept(incoming('this year'));
  await world.quiet(1500);

  expect(keys(world)).toEqual(['conversation.expired', 'unsure']);
  // The second one erases what was not understood, after half an hour.
  expect(world.turns).toEqual(['done', 'done']);
  expect(world.alarms).toEqual([]);
  const leftForMs = (world.sent[0]?.outgoing.atMs ?? 0) - startMs;
  expect(leftForMs).toBeGreaterThanOrEqual(60_000);
  expect(leftForMs).toBeLessThan(75_000);
  await engine.accept(incoming('/privacy'));
  await expect.poll(() => keys(world)).toContain('privacy.text');
  const told = world.sent.at(-1)?.outgoing.reply.lines?.map(({ key }) => key);
  expect(told).toEqual(expect.arrayContaining(['summary.phone', 'privacy.operation']));
});

test('what a newer version wrote is filed into, and taken by nobody older', async () => {
  const world = createWorld();
  await stored(world, { of: 'the future' }, VERSION + 1);
  const engine = world.engine({ conversation: real });
  expect(await engine.accept(incoming('hello'))).toBe('accepted');
  // As if an older process had lowered it, which none does.
  await world.rewrite((record) => ({ ...record, schema: VERSION }));
  await expect.poll(() => world.changes).toContain('release');
  await engine.stop();
  expect(world.sent).toEqual([]);
  expect(world.alarms).toEqual([]);
  expect((await world.record())?.inbox).toHaveLength(1);
});
