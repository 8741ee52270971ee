import { expect, test } from 'vitest';
import { VERSION } from '../../src/conversation/state.ts';
import { newState, readState, step } from '../support/conversation.ts';
import { SETTINGS } from '../support/dialogue.ts';
import { createWorld, incoming } from './bot.ts';

const conversation = { step, readState, newState, settings: SETTINGS };

/** A conversation with this state, and a process. */
async function stored(state: object) {
  const world = createWorld();
  const sender = { channel: 'test', proof: 'contact' };
  const origin = { channel: 'test', conversation: 'c1', address: { chat: 1 }, sender };
  await world.file({});
  await world.rewrite((record) => ({
    ...record,
    ...{ inbox: [], state: JSON.stringify({ state, origin, v: VERSION }) },
  }));
  return { ...world, process: world.engine({ conversation }, { attempts: 1 }) };
}

test('a flow that nobody knows ends after a minute, and with it nothing else', async () => {
  const nowMs = Date.now();
  const { process, ...world } = await stored({
    ...{ lastMessageMs: nowMs, step: { at: 'asking', flow: 'tier', slot: 'year', tries: 0 } },
    ...{ draft: { year: 2026 }, profile: { phone: { value: '+84867123456', proved: true } } },
    operations: [{ id: 'OP1', kind: 'redeem', status: 'escalated', atMs: nowMs, checks: 5 }],
  });
  const startMs = world.outside.nowMs();
  await process.accept(incoming('this year'));
  await world.quiet(1500);
  expect(world.heard()).toEqual(['conversation.expired', 'unsure']);
  // The second one erases what was not understood, after half an hour.
  expect(world.turns).toEqual(['done', 'done']);
  expect(world.alarms).toEqual([]);
  const leftForMs = (world.sent[0]?.outgoing.atMs ?? 0) - startMs;
  expect(leftForMs).toBeGreaterThanOrEqual(60_000);
  expect(leftForMs).toBeLessThan(75_000);
  await process.accept(incoming('/privacy'));
  await expect.poll(() => world.heard()).toContain('privacy.text');
  const told = world.sent.at(-1)?.outgoing.reply.lines?.map(({ key }) => key);
  expect(told).toEqual(expect.arrayContaining(['summary.phone', 'privacy.operation']));
});
