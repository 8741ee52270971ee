import { expect, test } from 'vitest';
import { VERSION } from '../../src/conversation/state.ts';
import { LIMITS } from '../../src/engine/limits.ts';
import type { Perform } from '../../src/engine/perform.ts';
import { newState, readState, step } from '../support/conversation.ts';
import { SETTINGS } from '../support/dialogue.ts';
import { createWorld, incoming, LOOKUP } from './bot.ts';

const conversation = { step, readState, newState, settings: SETTINGS };

const MINUTE = 60_000;

test.each([0, -40, 40])(
  'a flow that no process knows ends after a minute, with a clock %i minutes wrong',
  async (minutes) => {
    const world = createWorld();
    const runtime = { ...world.outside, nowMs: () => world.outside.nowMs() + minutes * MINUTE };
    const nowMs = Date.now();
    const state = {
      lastMessageMs: nowMs,
      step: { at: 'asking', flow: 'tier', slot: 'year', tries: 0 },
      draft: { year: 2026 },
      profile: { phone: { value: '+84867123456', proved: true } },
      operations: [{ id: 'OP1', kind: 'redeem', status: 'escalated', atMs: nowMs, checks: 5 }],
    };
    const sender = { channel: 'test', proof: 'contact' };
    const origin = { channel: 'test', conversation: 'c1', address: { chat: 1 }, sender };
    const stored = JSON.stringify({ state, origin, version: VERSION });
    await world.file({});
    await world.rewrite((record) => ({ ...record, inbox: [], state: stored }));
    const engine = world.engine({ conversation, runtime }, { attempts: 1 });
    const startMs = world.outside.nowMs();
    await engine.accept(incoming('this year'));
    await world.quiet(1500);
    expect(world.answers()).toEqual(['conversation.expired', 'unsure']);
    // The second one erases what was not understood, after half an hour.
    expect(world.turns).toEqual(['done', 'done']);
    expect(world.alarms).toEqual([]);
    const leftForMs = (world.sent[0]?.outgoing.atMs ?? 0) - startMs;
    expect(leftForMs).toBeGreaterThanOrEqual(60_000);
    expect(leftForMs).toBeLessThan(75_000);
    await engine.accept(incoming('/privacy'));
    await expect.poll(() => world.answers()).toContain('privacy.text');
    const lines = world.sent.at(-1)?.outgoing.reply.lines?.map(({ key }) => key);
    expect(lines).toEqual(expect.arrayContaining(['summary.phone', 'privacy.operation']));
  },
);

test('a clock that is wrong by 40 minutes makes no customer silent', async () => {
  const world = createWorld();
  const runtime = { ...world.outside, nowMs: () => world.outside.nowMs() - 40 * MINUTE };
  const busy = world.engine({ conversation, runtime }, { concurrency: 0 });
  await busy.accept(incoming('tích điểm TIVI000000301'));
  world.engine({ conversation });
  await expect.poll(() => world.answers()).toEqual(['accumulate.askPhone']);
  world.advance(31 * MINUTE);
  // It was written after half an hour, however late the clock of its process is.
  await busy.accept(incoming('0867123456'));
  await expect.poll(() => world.answers()).toEqual(['accumulate.askPhone', 'conversation.expired', 'unsure']);
});

test('a press on a dead question leaves what the live one asks for', async () => {
  const world = createWorld();
  const engine = world.engine({ conversation });
  await engine.accept(incoming('tích điểm TIVI000000301'));
  await engine.accept(incoming('', { message: { kind: 'choice', choice: 'skip', view: 'dead' } }));
  await expect.poll(() => world.answers()).toEqual(['accumulate.askPhone', 'choice.expired']);
  expect(world.sent.map(({ outgoing }) => outgoing.state.asks)).toEqual(['phone', 'phone']);
});

const CODES = ['TIVI000000301', 'TIVI000000302', 'TIVI000000303'];

test('a code that was called when the process failed is being checked', async () => {
  const world = createWorld();
  /** AntCRM takes every code; at the second one the process has a fault, after the intent. */
  const perform: Perform = async (effect, turn) => {
    if (effect.kind !== 'accumulate') throw new Error('unexpected effect');
    const { operation, code } = effect;
    const known = turn.findCall(operation);
    if (known === null) {
      await turn.intend(operation, { lookup: { ...LOOKUP, code } });
      world.calls.push(code);
    }
    if (code === CODES[1]) throw new Error('a fault of ours');
    return known ?? { kind: 'applied', operation };
  };
  const engine = world.engine({ conversation, perform });
  await engine.accept(incoming(`tích điểm ${CODES.join(' ')} 0912345678 minh@example.vn`));
  await expect.poll(() => world.answers()).toEqual(['accumulate.summary']);
  const choice = world.sent[0]?.outgoing.reply.choices?.[0]?.id ?? '';
  await engine.accept(incoming('', { message: { kind: 'choice', choice } }));
  const repliesAfterPress = () => {
    // Each lease that ends with a fault has to expire.
    if (world.answers().length === 1) world.advance(LIMITS.leaseMs / 2);
    return world.answers().slice(1);
  };
  const expected = ['accumulate.partly', 'operation.checking', 'turn.failed', 'accumulate.summary'];
  await expect.poll(repliesAfterPress).toEqual(expected);
  const lines = world.sent.flatMap(({ outgoing: { reply } }) => reply.lines ?? []);
  const outcomes = lines.flatMap(({ key, context }) => (key === 'receipt.code' ? [context] : []));
  expect(outcomes).toEqual(['done', 'checking', 'untried']);
  expect(world.calls).toEqual(CODES.slice(0, 2));
  expect(world.alarms).toEqual([{ name: 'dead_letter', reason: 'threw' }]);
  // Its intent waits for the checks.
  expect(await world.operators.operations()).toHaveLength(1);
});
